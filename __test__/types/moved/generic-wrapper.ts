// A wrapper that hands the parameters of its options on.
import {
  createClient, type RedisClientOptions, type RedisFunctions, type RedisModules, type RedisScripts
} from 'redis'

export class Wrapper<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {}
> {
  readonly client

  constructor (readonly options: RedisClientOptions<M, F, S>) {
    this.client = createClient<M, F, S>(options)
  }

  async open () {
    await this.client.connect()
    return this
  }

  close () {
    return this.client.close()
  }
}

export function options (): RedisClientOptions<RedisModules, RedisFunctions, RedisScripts> {
  return { url: 'redis://localhost', socket: { keepAlive: true, noDelay: true }, RESP: 3 }
}
