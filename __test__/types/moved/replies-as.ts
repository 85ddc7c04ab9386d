// Options that extend the types of the package, and replies that a program says the type of.
import {
  createClient, createCluster, RedisClientOptions, RedisClientType, RedisClusterOptions,
  RESP_TYPES
} from 'redis'
import {
  createClient as clientOf, RedisClientOptions as Bare, RedisClientType as BareType
} from 'redis'
type Options = RedisClientOptions
export interface RedisModuleOptions extends RedisClientOptions { prefix?: string,
  isGlobal?: boolean }
export interface RedisModuleOptions2 extends Omit<RedisClientOptions,
  'socket'> { socket?: { host: string, port: number } }
export class ConfigService { get<T> (key: string): T { return key as never } }
export const providers = [{ provide: 'REDIS',
  useFactory: async (config: ConfigService) => {
    const client = createClient({ url: config.get('x'),
      socket: { reconnectStrategy: r => Math.min(r * 10,
        3) } }); await client.connect(); return client }, inject: [ConfigService] }]
export type ClusterOptions = Omit<RedisClusterOptions, 'modules'>
export const merged: Options = { ...({} as Options), ...({ name: 'x' } satisfies Partial<Options>) }
export const urlParts = { host: 'x', port: 3 } as const
export const c = createClient({ socket: urlParts })
export const c2 = createClient({ socket: { ...urlParts, reconnectStrategy: 5 } })
export const c3 = createClient({ socket: { ...urlParts,
  reconnectStrategy (n) { if (n > 3) return false; return n } } })
export const c4 = clientOf({ socket: { tls: process.env.X === '1' ? true : undefined as never,
  host: 'x' } })
export async function a (client: RedisClientType) {
  const r1 = (await client.multi().set('a', 'b').expire('a', 3).exec()) as unknown as string[]
  const r2 = (await client.multi().set('a', 'b').incr('a').exec()) as unknown as number[]
  const r3 = (await client.multi().get('a').get('b').exec()) as unknown as [string, string]
  const r4 = (await client.multi().get('a').exec()) as any as Array<string | null>
  const r5 = (await client.multi().hGetAll('a').exec()) as any[]
  const r6 = (await client.multi().incr('a').exec()) as unknown as number[]
  const r7 = (await client.multi().zCard('a').exec<'typed'>()) as [number]
  const m = client.multi()
  for (const k of ['a']) m.get(k)
  const r8 = await m.exec()
  r8.map(x => x as unknown as string | null)
  const r9 = await m.exec<'typed'>()
  void r9
  const n = await client.multi().incr('x').expire('x', 3).exec()
  const first = n[0] as unknown as number
  const f2 = n[0] as unknown as string
  const [x1, x2] = await client.multi().get('x').incr('y').exec<'typed'>()
  const s: string | null = x1
  const q: number = x2
  const ev = (await client.eval('return 1', { keys: [], arguments: [] })) as number
  const ev2 = await client.evalSha('x', { keys: ['x'] }) as [number, string]
  const sc = (await client.sendCommand(['SCAN', '0'])) as [string, string[]]
  const fc = await client.fCall('x', { keys: [], arguments: [] }) as string
  const sl = await client.scriptLoad('x')
  const ss: string = sl
  const sub = client.duplicate()
  await sub.connect()
  await sub.subscribe(['a', 'b'], (message, channel) => [message.toUpperCase(), channel])
  await sub.unsubscribe('a')
  await sub.pUnsubscribe()
  const t: 'OK' | string | null = await client.set('a', 1, { expiration: { type: 'PX',
    value: 4 }, condition: 'XX' })
  const ttl: number = await client.ttl('a')
  const ex: number = await client.exists(['a', 'b'])
  const k: string[] = await client.keys('*')
  const zr = await client.zRangeWithScores('z', 0, -1)
  const zz: { value: string, score: number }[] = zr
  const zs: number | null = await client.zScore('z', 'a')
  const zm: (number | null)[] = await client.zmScore('z', ['a'])
  const xr = await client.xRange('s', '-', '+')
  const id: string = xr![0]!.id
  const msg: Record<string, string> = xr![0]!.message
  const xg = await client.xReadGroup('g', 'c', { key: 's', id: '>' })
  if (xg) for (const stream of xg as { name: string, messages: { id: string,
    message: Record<string, string> }[] }[]) stream.messages
  const xi = await client.xInfoStream('s')
  xi.length
  const hg = await client.hGetAll('h')
  const v: string | undefined = hg.x
  Object.entries(hg).map(([kk, vv]) => kk + vv)
  const scan = await client.scan('0', { MATCH: 'x', COUNT: 3 })
  const cur: string = scan.cursor
  scan.keys.length
  const mem = await client.memoryUsage('x')
  const cfg = await client.configGet('x')
  cfg.x
  const js = await client.json.get('x') as { a: number } | null
  await client.json.set('x', '$', { a: 1 } as never)
  const typed = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer,
    [RESP_TYPES.NUMBER]: String })
  await typed.get('x')
  client.on('error', (err: Error & { code?: string }) => err.code)
  client.on('sharded-channel-moved', () => {})
  client.once('ready', async () => {})
  await Promise.all([client.get('a'), client.hSet('a', 'b', 'c'), client.del('x')])
  return { r1, r2, r3, r4, r5, r6, r7, r8, first, f2, s, q, ev, ev2, sc, fc, ss, t, ttl, ex, k,
    zz, zs, zm, id, msg, v, cur, mem, js }
}
export type X = Bare; export type Y = BareType
export const cluster = (nodes: string[], o: Omit<RedisClusterOptions,
  'rootNodes'> = {}) => createCluster({ rootNodes: nodes.map(url => ({ url })), ...o,
    defaults: { socket: { connectTimeout: 3, reconnectStrategy: retries => retries } } })
