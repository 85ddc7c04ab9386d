// Clients that Sentinel watches over. Checked by the compiler, never run.

import {
  createSentinel, defineScript, RESP_TYPES, ScanIteratorInterruptedError, type CommandParser,
  type RedisNode, type RedisSentinel, type RedisSentinelClient, type RedisSentinelClientType,
  type RedisSentinelOptions, type RedisSentinelType
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const options: RedisSentinelOptions = {
  name: 'mine',
  sentinelRootNodes: [{ host: 'a', port: 26379 }, { host: 'b' }],
  nodeClientOptions: { password: 'p', database: 3, socket: { tls: true, connectTimeout: 100 } },
  sentinelClientOptions: { username: 'u', password: 'p' },
  masterPoolSize: 4,
  replicaPoolSize: 1,
  scanInterval: 1000,
  maxCommandRediscovers: 3,
  nodeAddressMap: { '127.0.0.1:6379': { host: '127.0.0.1', port: 1 } },
  passthroughClientErrorEvents: true,
  reserveClient: true,
  readStrategy: { zone: 'a' },
  commandOptions: { timeout: 100 },
  keyPrefix: 'app:'
}

async function commands() {
  const client = createSentinel(options)
  same<typeof client, RedisSentinel>(true)
  same<RedisSentinelType, RedisSentinel>(true)
  same<RedisSentinelClientType, RedisSentinelClient>(true)
  const value: string | null = await (await client.connect()).get('k')
  const raw = await client.sendCommand<number>(true, ['DBSIZE'])
  const plain = await client.sendCommand<number>(['DBSIZE'], { timeout: 5 })
  const replies: [string | null, number] = await client.multi().get('k').incr('n').exec()
  const buffers: Buffer | null =
    await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get('k')
  const used: number = await client.use(async lease => {
    same<typeof lease, RedisSentinelClient>(true)
    await lease.watch('k')
    await lease.sendCommand(false, ['GET', 'k'])
    return 1
  })
  const lease = await client.acquire()
  await lease.release()
  for await (const keys of client.scanIterator()) same<typeof keys, string[]>(true)
  const nodes: (RedisNode | undefined)[] = [client.getMasterNode(), client.getSentinelNode()]
  const replicas: Map<RedisNode, number> = client.getReplicaNodes()
  same<ReturnType<typeof client.duplicate>, RedisSentinel>(true)
  // @ts-expect-error there is one database, by an option
  await client.select(1)
  // @ts-expect-error a pool is a client of one server
  client.createPool()
  // @ts-expect-error a client is shared: nothing is watched on it
  await client.watch('k')
  return { value, raw, plain, replies, buffers, used, nodes, replicas }
}

function events(client: RedisSentinel) {
  client.on('topology-change', event => {
    if (event.type === 'SENTINE_LIST_CHANGE') same<typeof event.size, number>(true)
    else same<typeof event.node, RedisNode>(true)
  })
  client.on('client-error', ({ type, node, error }) => {
    same<typeof type, 'MASTER' | 'REPLICA' | 'SENTINEL'>(true)
    same<typeof node, RedisNode>(true)
    same<typeof error, Error>(true)
  })
  return new ScanIteratorInterruptedError('x').retryable
}

async function definitions() {
  const add = defineScript({
    SCRIPT: 'return 1',
    parseCommand(parser: CommandParser, key: string, by: number) { parser.push(key, String(by)) },
    transformReply: (reply: number) => reply
  })
  const client = createSentinel({ ...options, scripts: { add } })
  const sum: number = await client.add('k', 1)
  const [inChain]: [number] = await client.multi().add('k', 1).exec()
  const inLease: number = await client.use(lease => lease.add('k', 1))
  // @ts-expect-error the second argument is a number
  await client.add('k', 'x')
  return { sum, inChain, inLease }
}

// @ts-expect-error a name is needed
createSentinel({ sentinelRootNodes: [{ host: 'a' }] })
// @ts-expect-error the sentinels know where the nodes are
createSentinel({ ...options, nodeClientOptions: { url: 'redis://x' } })
// @ts-expect-error sentinels have no databases
createSentinel({ ...options, sentinelClientOptions: { database: 1 } })

void [commands, events, definitions]
