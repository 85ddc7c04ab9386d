// Fixed and sliding windows by transactions.
import { createClient } from 'redis'

type Client = ReturnType<typeof createClient>

export async function fixed (client: Client, key: string, limit: number, seconds: number) {
  const [count] = await client.multi().incr(key).expire(key, seconds, 'NX').exec()
  return Number(count) <= limit
}

export async function sliding (client: Client, key: string, limit: number, ms: number) {
  const now = Date.now()
  const replies = await client.multi()
    .zRemRangeByScore(key, 0, now - ms)
    .zAdd(key, { score: now, value: `${now}-${Math.random()}` })
    .zCard(key)
    .pExpire(key, ms)
    .execTyped()
  const size: number = replies[2]
  return size <= limit
}
