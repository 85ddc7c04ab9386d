// Types that are derived from those of the package: parameters, results, parts of options.
import {
  createClient, createCluster, createSentinel, createClientPool, RESP_TYPES,
  RedisClientOptions, RedisClientType, RedisClusterOptions, RedisModules, RedisFunctions,
  RedisScripts, RespVersions, TypeMapping, RedisArgument, WatchError, ErrorReply,
  ClientClosedError, SocketTimeoutError, ReconnectStrategyError, AbortError,
  MultiErrorReply, GEO_REPLY_WITH, GeoReplyWith, VerbatimString, defineScript,
  RedisClusterType, RedisClientPoolType, BasicClientSideCache, BasicPooledClientSideCache
} from 'redis'

type Options = Parameters<typeof createClient>[0]
type Client = ReturnType<typeof createClient>
type ClusterClient = ReturnType<typeof createCluster>
type Pool = ReturnType<typeof createClientPool>
type Sentinel = ReturnType<typeof createSentinel>
type Socket = NonNullable<RedisClientOptions['socket']>
type Strategy = Extract<Socket['reconnectStrategy'], (...args: any) => any>

const strategy: Strategy = (retries, cause) => retries + cause.message.length
const socket: Socket = { reconnectStrategy: strategy, host: 'x', port: 3,
  localAddress: '127.0.0.1', lookup: undefined, keepAliveInitialDelay: 3, socketTimeout: 3 }
const options: Options = { socket, RESP: 2 }
let shared: Client | undefined
export async function get (): Promise<Client> {
  shared ??= await createClient(options).on('error', () => {}).connect()
  return shared
}
export class Repository<M extends RedisModules = {}, F extends RedisFunctions = {},
  S extends RedisScripts = {}> {
  constructor (private readonly client: RedisClientType<M, F, S>) {}
  async one (key: RedisArgument) { return this.client.get(key) }
}
export class Base {
  protected client: RedisClientType
  constructor (o: RedisClientOptions = {}) { this.client = createClient(o) as RedisClientType }
  async close () { if (this.client.isOpen) await this.client.close() }
}
export function either (c: RedisClientType | RedisClusterType) { return c.get('x') }
export const factory = (opts: Omit<RedisClientOptions,
  'url'> & { url: string }) => createClient({ ...opts, socket: { ...opts.socket,
    connectTimeout: 3 } })
export const partial = (opts: Partial<RedisClientOptions>) => createClient(opts)
export const picked: Pick<RedisClientOptions,
  'username' | 'password' | 'socket'> = { password: 'x', socket: { tls: true, host: 'x' } }
export const readonlyOptions: Readonly<RedisClientOptions> = Object.freeze({ url: 'x' });
  createClient(readonlyOptions)
const env: Record<string, string | undefined> = {}
export const fromEnv = createClient({ url: env.URL!, username: env.USER!, password: env.PASS!,
  database: Number(env.DB), socket: { tls: env.TLS === 'x', host: env.HOST! } as never })
export const cached = createClient({ RESP: 3, clientSideCache: { ttl: 3, maxEntries: 4,
  evictPolicy: "LRU" } })
export const cached2 = createClient({ RESP: 3,
  clientSideCache: new BasicClientSideCache({ ttl: 3 }) })
export const pooled = createClientPool({ RESP: 3 },
  { clientSideCache: new BasicPooledClientSideCache({ ttl: 3 }), maximum: 3 })
export const resp2 = createClient({ RESP: 2 })
export const mapped = createClient({ commandOptions: { typeMapping: {
  [RESP_TYPES.SIMPLE_STRING]: Buffer } } })
export function errors (e: unknown) {
  if (e instanceof WatchError || e instanceof ErrorReply || e instanceof AbortError) return e.message
  if (e instanceof ClientClosedError || e instanceof SocketTimeoutError) return e.name
  if (e instanceof ReconnectStrategyError) return [e.originalError, e.socketError]
  if (e instanceof MultiErrorReply) { for (const x of e.errors()) x.message; return e.replies }
}
export async function commands (client: Client) {
  await client.geoSearchWith('g', 'm', { radius: 1, unit: 'km' }, [GEO_REPLY_WITH.DISTANCE])
  const w: GeoReplyWith = GEO_REPLY_WITH.HASH
  void w
  await client.hSet('h', { a: 1, b: 'x' })
  await client.hSet('h', 'a', 1)
  await client.hSet('h', new Map([['a', 1]]))
  await client.hSet('h', ['a', 'b'])
  await client.mSet({ a: '1' })
  await client.mSet([['a', 'b']])
  await client.mGet(['a'])
  await client.eval('x', { keys: ['a'], arguments: ['b'] })
  await client.xAdd('s', '*', { a: 'b' }, { TRIM: { strategy: 'MAXLEN', strategyModifier: '~',
    threshold: 3 } })
  const m = await client.multi().ping().exec<'typed'>()
  void m
  const any = (await client.multi().ping().exec()) as unknown as [string]
  void any
  await client.watch('x')
  await client.unwatch()
  const legacy = client.legacy()
  legacy.set('x', 'y', (err: Error | null) => { void err })
  await client.ft.search('i', '*', { LIMIT: { from: 0, size: 3 }, RETURN: ['x'] })
  await client.ft.create('i', { '$.a': { type: 'TEXT', AS: 'a', SORTABLE: true }, n: 'NUMERIC',
    v: { type: 'VECTOR', ALGORITHM: 'HNSW', TYPE: 'FLOAT32', DIM: 3,
      DISTANCE_METRIC: 'COSINE' } }, { ON: 'JSON', PREFIX: 'x:' })
  const j = await client.json.get('k', { path: '$.a' })
  void j
  await client.ts.add('k', '*', 3, { LABELS: { a: 'b' }, RETENTION: 4 })
  await client.bf.reserve('b', 0.1, 3)
  await client.topK.reserve('x', 3)
  client.off('error', () => {})
  client.removeAllListeners()
  const isReady: boolean = client.isReady
  await client.quit()
  client.destroy()
  await client.disconnect()
}
export async function pool (p: Pool) {
  await p.connect(); const x = await p.execute(async c =>
    c.get('x')); p.idleClients; await p.close(); return x }
export async function sentinel (s: Sentinel) {
  const l = await s.acquire(); await l.get('x'); await l.release(); s.on('topology-change',
    (e: unknown) => e); s.getMasterNode() }
export async function cl (c: ClusterClient) { for (const { client } of c.masters) {
  const x = await client; await x?.ping() } for (const node of c.masters) {
    const n = await c.nodeClient(node); await n.get('x') } await c.multi().get('x').exec();
      c.getSlotRandomNode(3); await c.sSubscribe('x', () => {}) }
export async function* all (client: Client) {
  for await (const page of client.scanIterator({ TYPE: 'hash' })) for (const k of page) yield [k,
    await client.hGetAll(k)] as const }
export type V = VerbatimString;
