// What the types of a cluster's client accept, refuse and return. Checked by the compiler, never
// run.

import {
  createCluster, defineScript, RedisCluster, RESP_TYPES, type CommandParser, type RedisBufferCluster,
  type RedisClient, type RedisClusterNode, type RedisClusterOptions, type RedisClusterType,
  type RedisSession
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const options: RedisClusterOptions = {
  rootNodes: [{ url: 'redis://127.0.0.1:7001' }, 'redis://127.0.0.2:7001',
    { socket: { host: 'h', port: 7001 } }],
  defaults: { username: 'u', password: 'p', socket: { tls: true } },
  useReplicas: true,
  readStrategy: { zone: 'eu-1a' },
  maxCommandRedirections: 16,
  nodeAddressMap: { '127.0.0.1:7001': { host: 'localhost', port: 7001 } },
  minimizeConnections: false,
  commandOptions: { timeout: 1000 },
  keyPrefix: 'app:',
  RESP: 2
}

async function life () {
  const cluster: RedisCluster = await createCluster(options).connect()
  const made: RedisCluster = new RedisCluster()
  const alias: RedisClusterType = createCluster()
  cluster.on('node-error', (error, node) => { void error.message; void node?.address })
  cluster.once('topology-change', () => {}).on('end', () => {})
  const nodes: RedisClusterNode[] = [...cluster.masters, ...cluster.replicas]
  const master: string | undefined = cluster.slots[0]?.master.address
  const other: RedisCluster = cluster.duplicate({ useReplicas: false })
  await using disposed = cluster
  void disposed
  cluster.unref()
  await other.close()
  cluster.destroy()
  return { made, alias, nodes, master, p99: cluster.stats().latency.p99 }
}

async function commands (cluster: RedisCluster) {
  const values: (string | null)[] = await cluster.mGet(['a', 'b'])
  const count: number = await cluster.del(['a', Buffer.from('b')])
  cluster.dbSize((error, size) => { void error; void size?.toFixed() })
  const raw: number = await cluster.sendCommand<number>(['DEL', 'k'], { timeout: 10 })
  const keyed: unknown = await cluster.sendCommand('k', true, ['MY.COMMAND', 'x', 'k'])
  const replies: [string | null, string | null] = await cluster.multi().set('k', 'v').get('k').exec()
  const ids: string[] = await cluster.multi('k').clusterMyId().exec()
  for await (const keys of cluster.scanIterator({ MATCH: 'a*' })) same<typeof keys, string[]>(true)
  for await (const page of cluster.hScanIterator('k')) page.map(({ field }) => field)
  const length: number = await cluster.json.strLen('k') as number
  return { values, count, raw, keyed, replies, ids, length }
}

async function sessions (cluster: RedisCluster) {
  const result = await cluster.session('{k}', async session => {
    same<typeof session, RedisSession>(true)
    await session.watch('{k}1')
    return session.multi().incr('{k}1').exec()
  })
  same<typeof result, [number]>(true)
  await using session = await cluster.acquire(Buffer.from('k'))
  await session.get('k')
  const node: RedisClient = await cluster.nodeClient(cluster.masters[0])
  const replica: RedisClient = await cluster.getNodeClientForKey('k', true)
  return { node, replica }
}

async function buffers () {
  const mapped = createCluster({
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  })
  same<typeof mapped, RedisBufferCluster>(true)
  const view: RedisBufferCluster =
    createCluster().withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const value: Buffer | null = await view.get('k')
  for await (const keys of view.scanIterator()) same<typeof keys, Buffer[]>(true)
  const inSession: Buffer | null = await view.session('k', session => session.get('k'))
  return { value, inSession }
}

async function definitions () {
  const cluster = createCluster({
    scripts: {
      add: defineScript({
        SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
        NUMBER_OF_KEYS: 1,
        parseCommand (parser: CommandParser, key: string, by: number) {
          parser.pushKey(key)
          parser.push(String(by))
        },
        transformReply: (reply: number) => reply
      })
    }
  })
  const sum: number = await cluster.add('k', 1)
  const chained: [number, string | null] = await cluster.multi().add('k', 1).get('k').exec()
  const inSession: number = await cluster.session('k', session => session.add('k', 1))
  const onNode: number = await (await cluster.getNodeClientForKey('k')).add('k', 1)
  const copied: number = await cluster.duplicate().add('k', 1)
  const kept: number =
    await cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).add('k', 1)
  return { sum, chained, inSession, onNode, copied, kept }
}

// @ts-expect-error an unknown option
createCluster({ rootNode: [] })
// @ts-expect-error a cluster has one database
createCluster({ rootNodes: [{ database: 1 }] })
// @ts-expect-error there is a lane for each node
createCluster({ lanes: 2 })
// @ts-expect-error no such strategy
createCluster({ readStrategy: 'random' })
createCluster().scan('0').then(({ cursor, keys }) => [cursor.length, keys.length])
// @ts-expect-error a cursor belongs to one node
createCluster().scanIterator({ cursor: '1' })
// @ts-expect-error a session needs a key
createCluster().session(async () => {})
// @ts-expect-error a session needs a key
createCluster().acquire()
// @ts-expect-error there is one database
createCluster().select(1)
// @ts-expect-error a cluster has no pool
createCluster().createPool()
// @ts-expect-error a number is no argument
createCluster().sendCommand('k', false, ['INCRBY', 'k', 1])

export { life, commands, sessions, buffers, definitions }
