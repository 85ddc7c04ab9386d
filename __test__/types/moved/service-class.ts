// A cache service with the client as a field.
import { createClient, type RedisClientType } from 'redis'

export class CacheService {
  private client: RedisClientType
  private isConnected = false

  constructor (url: string, password?: string) {
    this.client = createClient({ url, password, database: 1, name: 'cache' })
    this.client.on('connect', () => { this.isConnected = true })
    this.client.on('end', () => { this.isConnected = false })
    this.client.on('error', (err: any) => { console.error(err.code, err) })
  }

  async connect (): Promise<void> {
    if (!this.isConnected) await this.client.connect()
  }

  async get<T> (key: string): Promise<T | null> {
    const value = await this.client.get(key)
    return value ? JSON.parse(value) : null
  }

  async set (key: string, value: unknown, seconds?: number): Promise<void> {
    if (seconds) await this.client.setEx(key, seconds, JSON.stringify(value))
    else await this.client.set(key, JSON.stringify(value))
  }

  async invalidate (pattern: string): Promise<number> {
    const keys = await this.client.keys(pattern)
    return keys.length === 0 ? 0 : this.client.del(keys)
  }

  async stop () {
    await this.client.quit()
  }
}
