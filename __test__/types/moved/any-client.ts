// A library that takes any client.
import type { RedisClientType } from 'redis'

export type AnyClient = RedisClientType<any, any, any, any, any>

export function watch (client: AnyClient, log: (text: string) => void) {
  client.on('error', (e: Error) => log(e.message))
  client.on('ready', () => log('ready'))
  client.once('end', () => log('end'))
  client.off('error', log)
}

export async function remember (client: AnyClient, key: string, value: string) {
  await client.set(key, value, { PX: 1000 })
  await client.expire(key, 10)
  return client.exists(key)
}
