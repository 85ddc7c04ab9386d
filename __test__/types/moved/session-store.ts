// A store of sessions for a web framework.
import type { RedisClientType } from 'redis'

interface Session { cookie: { maxAge?: number }; [name: string]: unknown }

interface Options {
  client: RedisClientType
  prefix?: string
  ttl?: number
}

export class Store {
  #client: RedisClientType
  #prefix: string
  #ttl: number

  constructor ({ client, prefix = 'sess:', ttl = 86400 }: Options) {
    this.#client = client
    this.#prefix = prefix
    this.#ttl = ttl
  }

  async get (id: string): Promise<Session | undefined> {
    const text = await this.#client.get(this.#prefix + id)
    return text ? JSON.parse(text) : undefined
  }

  async set (id: string, session: Session) {
    const seconds = Math.ceil((session.cookie.maxAge ?? this.#ttl * 1000) / 1000)
    await this.#client.set(this.#prefix + id, JSON.stringify(session),
      { expiration: { type: 'EX', value: seconds } })
  }

  async destroy (id: string) {
    await this.#client.del([this.#prefix + id])
  }

  async all () {
    const ids: string[] = []
    for await (const keys of this.#client.scanIterator({ MATCH: `${this.#prefix}*`, COUNT: 100 })) {
      for (const key of keys) ids.push(key.slice(this.#prefix.length))
    }
    const values = ids.length === 0 ? [] : await this.#client.mGet(ids)
    return values.filter(value => value !== null)
  }
}
