// A program that needs a part of a client only, and fakes it in its tests.
import { createClient, createCluster, type RedisClientType, type RedisClusterType } from 'redis'

export type Reader = Pick<RedisClientType, 'get' | 'set' | 'del'>
export type Either = RedisClientType | RedisClusterType

export async function read (client: Reader, key: string) {
  await client.set(key, 'v')
  return client.get(key)
}

export function make (isCluster: boolean): Either {
  return isCluster
    ? createCluster({ rootNodes: [{ url: 'redis://localhost:7000' }] }) as RedisClusterType
    : createClient() as RedisClientType
}

export async function close (client: Either) {
  if (client.isOpen) await client.close()
}

export const get: RedisClientType['get'] = (key) => createClient().get(key)
