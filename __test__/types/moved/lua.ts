// Lua scripts as methods.
import { createClient, defineScript } from 'redis'
import type { RedisArgument } from 'redis'

export const client = createClient({
  scripts: {
    add: defineScript({
      NUMBER_OF_KEYS: 1,
      SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
      parseCommand (parser, key: RedisArgument, by: number) {
        parser.pushKey(key)
        parser.push(by.toString())
      },
      transformReply (reply: number) { return reply }
    }),
    unlock: defineScript({
      NUMBER_OF_KEYS: 1,
      SCRIPT: 'return 1',
      parseCommand (parser, key: string, token: string) {
        parser.pushKey(key)
        parser.push(token)
      },
      transformReply: undefined as unknown as () => number
    })
  }
})

export async function use () {
  const sum = await client.add('n', 5)
  await client.unlock('lock', 'token')
  return sum + 1
}
