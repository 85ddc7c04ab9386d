// The ways in which programs and libraries use ioredis's types.

import IORedis, {
  type Callback, type ChainableCommander, type Cluster, Command, Redis, type RedisKey, type RedisOptions,
  ReplyError, type Result
} from 'oxidis/ioredis'

declare module 'oxidis/ioredis' {
  interface RedisCommander<Context> {
    addJob(key: string, ...args: string[]): Result<string, Context>
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<T extends true> (): T | void {}

const options: RedisOptions = {
  host: '127.0.0.1',
  port: 6379,
  maxRetriesPerRequest: null,
  retryStrategy: times => Math.min(times * 50, 2000),
  reconnectOnError: error => error.message.startsWith('READONLY') ? 2 : false,
  tls: { rejectUnauthorized: false },
  scripts: { mine: { lua: 'return 1', numberOfKeys: 0, readOnly: true } }
}

export class Connection {
  private readonly client: Redis
  private readonly other: IORedis

  constructor (given: RedisOptions | Redis) {
    this.client = given instanceof Redis ? given : new IORedis(given)
    this.other = this.client.duplicate({ maxRetriesPerRequest: 1 })
    this.client.on('error', (error: Error) => console.error(error.message))
    this.client.on('message', (channel, message) => { channel.concat(message) })
    this.client.on('messageBuffer', (channel, message) => Buffer.concat([channel, message]))
    this.client.once('ready', () => {})
    this.client.status = 'end'
  }

  async use (key: RedisKey): Promise<void> {
    const { client } = this
    const value = await client.get(key)
    is<Equal<typeof value, string | null>>()
    const bytes = await client.getBuffer(key)
    is<Equal<typeof bytes, Buffer | null>>()
    const fields = await client.hgetall('h')
    is<Equal<typeof fields, Record<string, string>>>()
    const popped = await client.lpop('list')
    is<Equal<typeof popped, string | null>>()
    const some = await client.lpop('list', 2)
    is<Equal<typeof some, string[] | null>>()
    const blocked = await client.bzpopmin('z', 5)
    if (blocked !== null) blocked[2].toUpperCase()
    const entries = await client.xread('COUNT', 1, 'BLOCK', 0, 'STREAMS', 's', '$')
    for (const [name, items] of entries ?? []) console.log(name, items[0][1])
    await client.set('k', 'v', 'EX', 10, 'NX')
    await client.mset({ a: 1, b: 'two' })
    await client.hset('h', { a: 1 }, (error, count) => { count?.toFixed() })
    await client.del('a', 'b')
    await client.del(['a', 'b'])
    client.get('k', (error, reply) => { reply?.length })
    const job: string = await client.addJob('q', 'data')
    const any: unknown = await client.call('JSON.GET', 'doc', '$')
    console.log(job, any)
  }

  async several (): Promise<void> {
    const pipeline: ChainableCommander = this.client.pipeline()
    pipeline.set('a', 1).get('a').addJob('q')
    const results = await pipeline.exec()
    for (const [error, result] of results ?? []) if (error) throw error; else console.log(result)
    const multi = this.client.multi([['set', 'a', '1']])
    multi.incr('n')
    is<Equal<typeof multi.length, number>>()
    await this.client.multi({ pipeline: false })
    await multi.exec((error, list) => { list?.map(([reason]) => reason) })
    this.client.defineCommand('addJob', { lua: 'return 1', numberOfKeys: 1 })
    for await (const keys of this.client.scanStream({ match: '*', count: 100 })) console.log(keys)
    await this.client.subscribe('a', 'b')
    await this.other.quit()
    this.other.disconnect(true)
  }
}

const done: Callback<string> = (error, reply) => { if (!error) reply?.trim() }
done(null, 'x')
const command = new Command('get', ['k'], { replyEncoding: 'utf8' }, error => { error?.message })
new IORedis(6379, '127.0.0.1', options).sendCommand(command)
Command.setReplyTransformer('get', reply => reply)
console.log(new ReplyError('ERR mine').command?.name)

export async function generic<T> (run: (redis: Redis) => Result<T, { type: 'default' }>): Promise<T> {
  return run(new Redis('redis://127.0.0.1'))
}

new IORedis({
  sentinels: [{ host: '127.0.0.1', port: 26379 }],
  name: 'primary',
  role: 'slave',
  preferredSlaves: replicas => replicas[0] ?? null,
  sentinelRetryStrategy: () => null
})

export async function ofCluster (): Promise<void> {
  const cluster = new IORedis.Cluster([{ host: '127.0.0.1', port: 1 }, 'redis://127.0.0.1:2', 3], {
    redisOptions: { password: 'x', tls: {} },
    scaleReads: (nodes, command) => command.name === 'get' ? nodes[0] : nodes,
    natMap: { '10.0.0.1:1': { host: '127.0.0.1', port: 1 } },
    clusterRetryStrategy: times => times < 3 ? 100 : null
  })
  cluster.on('node error', (error, address) => { console.log(error.message, address.length) })
  await Promise.all(cluster.nodes('master').map(node => node.flushall()))
  const value = await cluster.get('k')
  is<Equal<typeof value, string | null>>()
  await cluster.pipeline().get('k').exec()
  const either: IORedis | Cluster = cluster.duplicate()
  await either.set('k', 1)
}

// @ts-expect-error: there is no such method
new Redis().nonsense()
// @ts-expect-error: a key is text
new Redis().get({})
// @ts-expect-error: an option of another type
export const wrong: RedisOptions = { port: true }
