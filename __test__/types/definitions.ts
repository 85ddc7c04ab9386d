// The methods of scripts, functions and modules are typed on clients, sessions and chains; clients
// whose options map strings to Buffers are typed so. Checked by the compiler, never run.

import {
  createClient, createClientPool, defineScript, digest, RESP_TYPES, type CommandParser,
  type RedisBufferClient, type RedisBufferClientPool, type RedisClient, type RedisClientOptions,
  type RedisClientPool, type RedisClientType, type RedisDefaultModules, type RedisFunctions,
  type RedisModules, type RedisScripts, type RespVersions, type TypeMapping
} from 'oxidis'
import json from '@redis/json'

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
  })
}
const functions = {
  math: {
    double: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string) { parser.pushKey(key) },
      transformReply: (reply: number) => reply
    }
  }
}
const modules = {
  counter: {
    NEXT: {
      IS_READ_ONLY: false,
      parseCommand(parser: CommandParser, key: string, by?: number) {
        parser.push('COUNTER.NEXT')
        parser.pushKey(key)
        if (by !== undefined) parser.push(String(by))
      },
      transformReply: { 2: (reply: string) => BigInt(reply), 3: (reply: bigint) => reply }
    },
    raw: { parseCommand(parser: CommandParser) { parser.push('COUNTER.RAW') } }
  }
}
const toBuffers = { [RESP_TYPES.BLOB_STRING]: Buffer }

async function modulesOfOnesOwn() {
  const client = createClient({ modules })
  const next = await client.counter.NEXT('k', 2)
  same<typeof next, bigint>(true)
  const raw = await client.counter.raw()
  same<typeof raw, unknown>(true)
  client.counter.NEXT('k', (error, reply?: bigint) => { void error; void reply })
  const view = client.withTypeMapping(toBuffers)
  const bytes: Buffer | null = await view.get('k')
  const fromView: bigint = await view.counter.NEXT('k')
  const fromCopy: bigint = await client.duplicate().counter.NEXT('k')
  const pool = createClientPool({ modules }, { maximum: 2 })
  const fromPool: bigint = await pool.execute(session => session.counter.NEXT('k'))
  const builtIn = await client.json.get('k')
  const plain: RedisClient = client

  // @ts-expect-error a key is text
  await client.counter.NEXT(5)
  // @ts-expect-error no such command
  await client.counter.PREVIOUS('k')
  // @ts-expect-error no such module
  await client.counters.NEXT('k')
  // @ts-expect-error a command has a parseCommand
  createClient({ modules: { broken: { COMMAND: {} } } })
  return { bytes, fromView, fromCopy, fromPool, builtIn, plain }
}

async function modulesOfNodeRedis() {
  const client = createClient({ modules: { own: json } })
  const length = await client.own.strLen('k')
  same<typeof length, number | (number | null)[]>(true)
  const keys = await client.multi().own.OBJLEN('k').exec()
  // @ts-expect-error a key is needed
  await client.own.strLen()
  return { keys }
}

async function chains() {
  const client = createClient({ scripts, functions, modules })
  const replies = await client.multi().get('a').add('k', 1).math.double('k').incr('n')
    .counter.NEXT('k').json.type('j').add('k', 2).exec()
  same<typeof replies, [string | null, boolean, number, number, bigint,
    string | (string | null)[] | null, boolean]>(true)
  const typed = await client.MULTI().add('k', 1).select(1).addCommand(['PING'], String)
    .math.double('k').execAsPipelineTyped()
  same<typeof typed, [boolean, 'OK', string, number]>(true)
  const bytes = await client.withTypeMapping(toBuffers).multi().get('a').add('k', 1).get('b').exec()
  same<typeof bytes, [Buffer | null, boolean, Buffer | null]>(true)
  const multi = client.multi()
  for (const key of ['a', 'b']) multi.add(key, 1)
  const loop = await multi.exec()
  same<typeof loop, unknown[]>(true)

  // @ts-expect-error an increment is a number
  client.multi().get('a').add('k', '1')
  // @ts-expect-error no such script
  client.multi().get('a').subtract('k', 1)
  // @ts-expect-error a client without scripts
  createClient().multi().get('a').add('k', 1)
}

async function sessions() {
  const client = createClient({ scripts, functions, modules })
  const result = await client.session(async session => {
    await session.watch('k')
    const next = await session.counter.NEXT('k')
    const doubled = await session.math.double('k')
    const replies = await session.multi().add('k', 1).get('k').counter.NEXT('k').exec()
    same<typeof replies, [boolean, string | null, bigint]>(true)
    const view = session.withTypeMapping(toBuffers)
    const bytes = await view.multi().get('k').math.double('k').exec()
    same<typeof bytes, [Buffer | null, number]>(true)
    return { next, doubled, added: await view.add('k', 1) }
  })
  same<typeof result, { next: bigint; doubled: number; added: boolean }>(true)
  await using session = await client.withTypeMapping(toBuffers).acquire()
  const added: boolean = await session.add('k', 1)
  const value: Buffer | null = await session.get('k')
  // @ts-expect-error no such script
  await session.subtract('k', 1)
  return { added, value }
}

async function buffers() {
  const client = createClient({ commandOptions: { timeout: 5, typeMapping: toBuffers } })
  same<typeof client, RedisBufferClient>(true)
  const value = await client.get('k')
  same<typeof value, Buffer | null>(true)
  const all = await client.multi().hGetAll('h').lRange('l', 0, -1).exec()
  same<typeof all, [Record<string, Buffer>, Buffer[]]>(true)
  const inSession = await client.session(session => session.get('k'))
  same<typeof inSession, Buffer | null>(true)
  const copy: Buffer | null = await client.duplicate().get('k')
  const pooled: Buffer | null = await client.createPool().execute(session => session.get('k'))
  const text: string | null = await client.withTypeMapping({}).get('k')
  const patient: Buffer | null = await client.withCommandOptions({ timeout: 0 }).get('k')
  const pool = createClientPool({
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  })
  same<typeof pool, RedisBufferClientPool>(true)
  const scripted = createClient({ scripts, commandOptions: { typeMapping: toBuffers } })
  const added: boolean = await scripted.add('k', 1)
  const bytes = await scripted.multi().get('k').add('k', 1).exec()
  same<typeof bytes, [Buffer | null, boolean]>(true)
  const fromView = await scripted.withTypeMapping({ [RESP_TYPES.MAP]: Map }).get('k')
  same<typeof fromView, string | null>(true)
  const numbers = createClient({ commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: BigInt } } })
  same<typeof numbers, RedisClient>(true)

  // @ts-expect-error no such class
  createClient({ commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Number } } })
  // @ts-expect-error an unknown option of commands
  createClient({ commandOptions: { timeOut: 5, typeMapping: toBuffers } })
  return { copy, pooled, text, patient, added }
}

async function mappings() {
  const client = createClient()
  const mapping: TypeMapping = {
    [RESP_TYPES.NULL]: null, [RESP_TYPES.BOOLEAN]: Boolean, [RESP_TYPES.NUMBER]: String,
    [RESP_TYPES.BIG_NUMBER]: String, [RESP_TYPES.DOUBLE]: String, [RESP_TYPES.ARRAY]: Array,
    [RESP_TYPES.SET]: Set, [RESP_TYPES.MAP]: Array, [RESP_TYPES.PUSH]: Array
  }
  const value = await client.withTypeMapping(mapping).get('k')
  same<typeof value, string | null>(true)
  // @ts-expect-error an array is no Set
  client.withTypeMapping({ [RESP_TYPES.ARRAY]: Set })
}

// Names and parameters as programs for node-redis write them.
class Repository {
  constructor(
    readonly client: RedisClientType,
    readonly any: RedisClientType<RedisDefaultModules & RedisModules, RedisFunctions, RedisScripts>,
    readonly scripted: RedisClientType<typeof modules, {}, typeof scripts>,
    readonly bytes: RedisClientType<{}, {}, {}, 2, typeof toBuffers>
  ) {}

  async read() {
    same<typeof this.any, RedisClient>(true)
    same<typeof this.bytes, RedisBufferClient>(true)
    const added: boolean = await this.scripted.add('k', 1)
    const next: bigint = await this.scripted.counter.NEXT('k')
    return { added, next, value: await this.client.get('k') }
  }
}

function others(untyped: RedisClientOptions, version: RespVersions) {
  const client: RedisClient = createClient(untyped)
  const pool: RedisClientPool = createClientPool(untyped)
  const byUrl: RedisClient = createClient('redis://localhost')
  const spread: RedisClient = createClient({ ...untyped, RESP: version })
  const text: Promise<string> = digest(Buffer.from('v'))
  // @ts-expect-error a value is text
  void digest(5)
  const repository = new Repository(client, client, createClient({ modules, scripts }),
    createClient({ RESP: 2, commandOptions: { typeMapping: toBuffers } }))
  return { pool, byUrl, spread, repository, text }
}

export {
  modulesOfOnesOwn, modulesOfNodeRedis, chains, sessions, buffers, mappings, others
}
