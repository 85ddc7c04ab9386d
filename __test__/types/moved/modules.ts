// Commands of a module of the program's own.
import { createClient, type RedisArgument } from 'redis'

export const client = createClient({
  modules: {
    mine: {
      echo: {
        parseCommand (parser: { push (...args: RedisArgument[]): unknown }, text: RedisArgument) {
          parser.push('MINE.ECHO', text)
        },
        transformReply (reply: string): string { return reply }
      }
    }
  }
})

export async function echo () {
  await client.connect()
  const text: string = await client.mine.echo('x')
  return text.length
}
