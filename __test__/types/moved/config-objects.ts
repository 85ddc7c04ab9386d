// Options that stand in objects of their own, by the names of their types.
import {
  createClient, createCluster, createSentinel, createClientPool, defineScript, RESP_TYPES,
  RedisClientOptions, RedisClientType, RedisClusterOptions, RedisClusterType,
  RedisSentinelOptions, RedisSentinelType, RedisModules, RedisFunctions, RedisScripts,
  RespVersions, TypeMapping, RedisDefaultModules, RedisClientPoolType, RedisPoolOptions,
  SetOptions
} from 'redis'

// Options kept in a config object
export const base: RedisClientOptions = {
  url: 'redis://127.0.0.1:6379', username: 'u', password: 'p', name: 'app', database: 1,
  commandsQueueMaxLength: 100, disableOfflineQueue: true, readonly: true, pingInterval: 1000,
    RESP: 3,
  disableClientInfo: true, clientInfoTag: 'x',
  socket: { host: '127.0.0.1', port: 1, connectTimeout: 5, keepAlive: true, noDelay: true,
    family: 4,
    reconnectStrategy: (retries,
      cause) => retries > 3 ? new Error(cause.message) : Math.min(retries * 50, 500) }
}
export const tls: RedisClientOptions = { socket: { host: '127.0.0.1', port: 2, tls: true,
  rejectUnauthorized: false, servername: 'x', ca: [Buffer.from('')], cert: 'x', key: 'y' } }
export const off: RedisClientOptions['socket'] = { host: 'x', tls: false }
export const strategy: NonNullable<RedisClientOptions['socket']>['reconnectStrategy'] = false
export const mapping: TypeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.MAP]: Map }
export const withCommandOptions: RedisClientOptions<RedisModules, RedisFunctions, RedisScripts,
  3, { 36: BufferConstructor }> = { RESP: 3,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } }
export const scripts = { add: defineScript({ SCRIPT: 'return 1', NUMBER_OF_KEYS: 1,
  parseCommand (parser, key: string,
    n: number) { parser.pushKey(key); parser.push(n.toString()) },
      transformReply: undefined as unknown as () => number }) }
export const withScripts: RedisClientOptions<{}, {}, typeof scripts> = { scripts }
export function make<M extends RedisModules, F extends RedisFunctions, S extends RedisScripts,
  R extends RespVersions, T extends TypeMapping> (o: RedisClientOptions<M, F, S, R,
    T>) { return createClient<M, F, S, R, T>(o) }
export function make2 (o?: RedisClientOptions) { return createClient(o) }
export const cl: RedisClusterOptions = { rootNodes: [{ url: 'redis://127.0.0.1:7000' },
  { socket: { host: 'x', port: 1 } }], defaults: { username: 'x', socket: { tls: true } },
    useReplicas: true, minimizeConnections: true, maxCommandRedirections: 3,
      nodeAddressMap: { 'a:1': { host: 'b', port: 2 } } }
export const cl2: RedisClusterOptions = { rootNodes: [],
  nodeAddressMap: address => { const [host, port] = address.split(':'); return { host: host!,
    port: Number(port) } } }
export function cluster<M extends RedisModules, F extends RedisFunctions,
  S extends RedisScripts> (o: RedisClusterOptions<M, F, S>) { return createCluster(o) }
export const st: RedisSentinelOptions = { name: 'm', sentinelRootNodes: [{ host: 'x', port: 1 }],
  nodeClientOptions: { username: 'x', socket: { connectTimeout: 3 } },
    sentinelClientOptions: { password: 'x' }, masterPoolSize: 3, replicaPoolSize: 2,
      scanInterval: 100, passthroughClientErrorEvents: true, maxCommandRediscovers: 3,
        reserveClient: true }
export const pool: Partial<RedisPoolOptions> = { minimum: 1, maximum: 3, acquireTimeout: 100,
  cleanupDelay: 10 }
export const p = createClientPool({ url: 'x' }, pool)
export type P = RedisClientPoolType
export type C = RedisClientType
export type D = RedisClientType<RedisDefaultModules & RedisModules, RedisFunctions, RedisScripts>
export type E = RedisClusterType<RedisModules, RedisFunctions, RedisScripts>
export type S = RedisSentinelType<RedisModules, RedisFunctions, RedisScripts>
export const so: SetOptions = { EX: 3, NX: true, GET: true }
export const so2: SetOptions = { expiration: { type: 'EX', value: 3 }, condition: 'NX' }
export const creds: RedisClientOptions = { credentialsProvider: {
  type: 'async-credentials-provider', credentials: async () => ({ username: 'x',
    password: 'y' }) } }
export async function run () {
  const client = createClient({ ...base, commandOptions: { timeout: 10 } })
  client.on('error', err => console.error(err)).on('reconnecting', () => {})
  await client.connect()
  const o: RedisClientOptions | undefined = client.options
  const dup = client.duplicate({ database: 3, socket: { host: 'x' } })
  const dup2 = client.duplicate()
  await dup2.connect()
  const v = client.withCommandOptions({ timeout: 3,
    typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } })
  const b = await v.get('x')
  const t = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const h: Record<string, Buffer> = await t.hGetAll('h')
  const r: string | null = await client.set('x', 'y', { EX: 3, GET: true })
  const multi = client.multi().set('a', 'b').get('a').hGetAll('h')
  const res = await multi.exec()
  const typed = await client.multi().get('a').incr('b').execTyped()
  const first: string | null = typed[0]
  const second: number = typed[1]
  const info = await client.info()
  const s: string = info
  await client.sendCommand(['PING'])
  const z = await client.sendCommand<string>(['GET', 'x'])
  for await (const keys of client.scanIterator({ MATCH: 'x*',
    COUNT: 3 })) { const k: string[] = keys; void k }
  for await (const e of client.hScanIterator('h')) { e[0]!.field }
  await client.subscribe('c', (m, ch) => { m.length; ch.length })
  await client.pSubscribe('c*', (m: Buffer) => m.length, true)
  client.unref()
  client.ref()
  const n: number = await client.zAdd('z', [{ score: 1, value: 'x' }])
  const x = await client.xReadGroup('g', 'c', [{ key: 's', id: '>' }], { COUNT: 1, BLOCK: 5 })
  const cu = createCluster(cl)
  await cu.connect()
  const sl = cu.slots[0]
  sl?.master
  cu.masters[0]?.client
  const nd = await cu.nodeClient(cu.masters[0]!)
  void nd
  const se = createSentinel(st)
  await se.use(async c => c.get('x'))
  await se.acquire()
  return [o, dup, b, h, r, res, first, second, s, z, n, x]
}
