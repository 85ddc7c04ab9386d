// A lock with a token, released by a script.
import { randomUUID } from 'node:crypto'
import type { RedisClientType } from 'redis'

const RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end'

export async function withLock<T> (
  client: RedisClientType, name: string, run: () => Promise<T>, ttl = 5000
): Promise<T> {
  const token = randomUUID()
  for (;;) {
    const locked = await client.set(name, token, { NX: true, PX: ttl })
    if (locked === 'OK') break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  try {
    return await run()
  } finally {
    await client.eval(RELEASE, { keys: [name], arguments: [token] })
  }
}

export async function load (client: RedisClientType) {
  const sha = await client.scriptLoad(RELEASE)
  return client.evalSha(sha, { keys: ['k'], arguments: ['t'] })
}
