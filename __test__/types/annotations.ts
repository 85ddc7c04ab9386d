// Types of clients and chains as programs write them down. Checked by the compiler, never run.

import {
  createClient, createClientPool, createCluster, createSentinel, defineScript, RESP_TYPES,
  type CommandParser, type RedisBufferClient, type RedisBufferCommands, type RedisBufferMulti,
  type RedisBufferSession, type RedisClient, type RedisClientOptions, type RedisClientPool,
  type RedisCluster, type RedisClusterOptions, type RedisCommands, type RedisMulti,
  type RedisSentinel, type RedisSentinelOptions
} from 'oxidis'

const toBuffers = { [RESP_TYPES.BLOB_STRING]: Buffer }
const scripts = {
  add: defineScript({
    SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string) { parser.pushKey(key) },
    transformReply: (reply: number) => reply
  })
}

class Service {
  readonly client: RedisClient
  readonly pool: RedisClientPool
  readonly cluster: RedisCluster
  readonly sentinel: RedisSentinel
  readonly bytes: RedisBufferClient

  constructor(
    options: RedisClientOptions, ofCluster: RedisClusterOptions, ofSentinel: RedisSentinelOptions
  ) {
    this.client = createClient(options)
    this.pool = createClientPool(options)
    this.cluster = createCluster(ofCluster)
    this.sentinel = createSentinel(ofSentinel)
    this.bytes = createClient({ ...options, commandOptions: { typeMapping: toBuffers } })
  }
}

function scripted(): RedisClient {
  return createClient({ scripts })
}

function chains(client: RedisClient, bytes: RedisBufferClient) {
  const one: RedisMulti<[string | null]> = client.multi().get('k')
  const wider: RedisMulti<unknown[]> = one
  const ofBuffers: RedisBufferMulti<[Buffer | null]> = bytes.multi().get('k')
  const replies: Promise<[string | null]> = one.execTyped()
  const json: RedisMulti<[string | null, 'OK' | null]> =
    one.json.set('j', '$', 1) as RedisMulti<[string | null, 'OK' | null]>
  const withScripts: RedisMulti = createClient({ scripts }).multi()
  // @ts-expect-error another reply
  const wrong: RedisMulti<[number]> = one
  // @ts-expect-error strings are no Buffers
  const mixed: RedisBufferMulti<[string | null]> = one
  return { wider, ofBuffers, replies, json, withScripts, wrong, mixed }
}

function commands(client: RedisClient, bytes: RedisBufferClient, session: RedisBufferSession) {
  const ofClient: RedisCommands = client
  const ofView: RedisBufferCommands = bytes
  const ofSession: RedisBufferCommands = session
  // @ts-expect-error strings are no Buffers
  const mixed: RedisBufferCommands = client
  const get: RedisCommands['GET'] = client.get
  return { ofClient, ofView, ofSession, mixed, get }
}

export { Service, scripted, chains, commands }
