// Methods of scripts and functions are typed by their definitions. Checked by the compiler, never
// run.

import {
  createClient, createClientPool, defineScript, RESP_TYPES, type CommandParser,
  type RedisClient, type RedisClientOptions
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const scripts = {
  add: defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string, increment: number) {
      parser.pushKey(key)
      parser.push(increment.toString())
    },
    transformReply: (reply: number) => reply > 0
  }),
  sum: defineScript({
    SCRIPT: Buffer.from('return #KEYS'),
    IS_READ_ONLY: true,
    parseCommand(parser, keys: string[]) {
      parser.pushKeysLength(keys)
      parser.preserve = parser.firstKey
    },
    transformReply: { 2: (reply: string) => Number(reply), 3: (reply: number) => reply }
  }),
  raw: defineScript({ SCRIPT: 'return 1', NUMBER_OF_KEYS: 0, parseCommand() {} })
}
const functions = {
  math: {
    double: {
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: true,
      parseCommand(parser: CommandParser, key: string) { parser.pushKey(key) },
      transformReply: undefined as unknown as () => number
    }
  }
}

async function methods() {
  const client = await createClient({ url: 'redis://localhost', scripts, functions }).connect()
  const isPositive = await client.add('k', 1)
  same<typeof isPositive, boolean>(true)
  const sum = await client.sum(['a', 'b'])
  same<typeof sum, number>(true)
  const raw = await client.raw()
  same<typeof raw, unknown>(true)
  const doubled = await client.math.double('k')
  same<typeof doubled, number>(true)
  client.add('k', 1, (error, reply?: boolean) => { void error; void reply })

  const digest: string = scripts.add.SHA1
  const value: string | null = await client.get('k')
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const bytes: Buffer | null = await buffers.get('k')
  const fromView: boolean = await buffers.add('k', 1)
  const fromCopy: number = await client.duplicate().withCommandOptions({ timeout: 1 })
    .math.double('k')
  const fromPool: number = await client.createPool().math.double('k')
  const plain: RedisClient = client

  // @ts-expect-error an increment is a number
  await client.add('k', '1')
  // @ts-expect-error a key is needed
  await client.math.double()
  // @ts-expect-error no such script
  await client.subtract('k', 1)
  // @ts-expect-error no such function
  await client.math.half('k')
  return { digest, value, bytes, fromView, fromCopy, fromPool, plain }
}

async function onlyFunctions() {
  const client = createClient({ functions })
  const doubled: number = await client.math.double('k')
  const pool = createClientPool({ scripts }, { maximum: 2 })
  const idle: number = pool.idleClients
  const added: boolean = await pool.add('k', 1)
  const untyped: RedisClientOptions = { scripts, functions }
  const other: RedisClient = createClient(untyped)
  return { doubled, idle, added, other }
}

function legacy(client: RedisClient) {
  const old = client.legacy()
  old.set('k', 1, new Date(), ['NX', ['EX', 10]], (error, reply) => { void error; void reply })
  old.HGETALL('k')
  old.sendCommand('CONFIG', 'GET', 'maxmemory', (error, reply) => { void error; void reply })
  old.multi().incr('k').get('k').exec((error, replies) => { void error; void replies?.length })
  old.quit()
  // @ts-expect-error no object is an argument
  old.set('k', {})
  // @ts-expect-error a variant is no command
  old.zRangeWithScores('k', 0, -1)
  // @ts-expect-error the callback belongs to exec
  old.multi().incr('k', () => {})
}

// @ts-expect-error a script has a text
defineScript({ parseCommand() {} })
// @ts-expect-error a script has a parseCommand
createClient({ scripts: { add: { SCRIPT: 'return 1' } } })
// @ts-expect-error a number of keys is a number
defineScript({ SCRIPT: 'return 1', NUMBER_OF_KEYS: '1', parseCommand() {} })
// @ts-expect-error an unknown option beside scripts
createClient({ scripts, hots: 'localhost' })

export { methods, onlyFunctions, legacy }
