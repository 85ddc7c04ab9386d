// One client for all of a program, made when it is first asked for.
import { createClient } from 'redis'

let client: ReturnType<typeof createClient> | undefined

export async function getClient () {
  if (client) return client
  client = createClient({
    url: process.env.REDIS_URL,
    socket: {
      reconnectStrategy: (retries: number) => Math.min(retries * 50, 500),
      connectTimeout: 10_000
    }
  })
  client.on('error', (error: Error) => console.error('redis', error.message))
  client.on('ready', () => console.log('ready'))
  client.on('reconnecting', () => console.log('again'))
  await client.connect()
  return client
}

export async function cached<T> (key: string, ttl: number, load: () => Promise<T>): Promise<T> {
  const redis = await getClient()
  const found = await redis.get(key)
  if (found !== null) return JSON.parse(found) as T
  const made = await load()
  await redis.set(key, JSON.stringify(made), { EX: ttl })
  return made
}
