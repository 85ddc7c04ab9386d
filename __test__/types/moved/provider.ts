// A provider of a framework, which names the type of the client with its parameters.
import {
  createClient, type RedisClientType, type RedisClientOptions, type RedisDefaultModules,
  type RedisFunctions, type RedisModules, type RedisScripts
} from 'redis'

export type Client = RedisClientType<RedisDefaultModules & RedisModules, RedisFunctions, RedisScripts>
export type DefaultClient = RedisClientType<RedisDefaultModules, {}, {}>

export interface Provider<T> {
  provide: string
  useFactory: () => Promise<T>
}

export const provider: Provider<DefaultClient> = {
  provide: 'REDIS',
  useFactory: async () => {
    const client: DefaultClient = createClient({ url: 'redis://localhost:6379' })
    await client.connect()
    return client
  }
}

export function register (options: RedisClientOptions): Provider<unknown> {
  return {
    provide: 'OTHER',
    useFactory: async () => {
      const client = createClient(options)
      client.on('error', error => { console.error(error) })
      return client.connect()
    }
  }
}
