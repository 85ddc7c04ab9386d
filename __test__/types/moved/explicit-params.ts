// Type arguments that are written out, in the order of redis.
import {
  createClient, createCluster, createSentinel, type RedisClientType, type RedisClusterType,
  type RedisFunctions, type RedisModules, type RedisScripts, type RespVersions, type TypeMapping
} from 'redis'

export const plain = createClient<{}, {}, {}, 3, {}>()
export const typed = createClient<RedisModules, RedisFunctions, RedisScripts, 3, TypeMapping>({
  url: 'redis://localhost'
})
export const old: RedisClientType<{}, {}, {}, 2> = createClient<{}, {}, {}, 2>({ RESP: 2 })
export const cluster: RedisClusterType<{}, {}, {}, 3> = createCluster<{}, {}, {}, 3, {}>({
  rootNodes: [{ url: 'redis://localhost:7000' }]
})
export const sentinel = createSentinel<{}, {}, {}, 3, {}>({
  name: 'mymaster', sentinelRootNodes: [{ host: 'localhost', port: 26379 }]
})
export function make<M extends RedisModules, F extends RedisFunctions, S extends RedisScripts,
  R extends RespVersions, T extends TypeMapping> (url: string): unknown {
  return createClient<M, F, S, R, T>({ url })
}
