// What the client's types accept, refuse and return. Checked by the compiler, never run.

import oxidis, {
  BasicClientSideCache, BasicPooledClientSideCache, CacheStats, createClient, createClientPool,
  ErrorReply, RedisClient, RESP_TYPES, TimeoutError, OxidisError,
  MultiErrorReply, type RedisClientType, type RedisClientOptions, type RedisClientPool
} from 'oxidis'

const options: RedisClientOptions = {
  url: 'redis://localhost:6379/0',
  socket: {
    host: 'localhost', port: 6379, tls: { servername: 'redis.example', minVersion: 'TLSv1.3' },
    connectTimeout: 5000, keepAlive: true, reconnectStrategy: (retries, cause) => {
      void cause.message
      return retries > 10 ? false : 100
    }
  },
  credentialsProvider: async () => ({ username: 'u', password: 'p' }),
  RESP: 2,
  keyPrefix: Buffer.from('app:'),
  commandOptions: { timeout: 1000, typeMapping: { [RESP_TYPES.MAP]: Map } },
  pool: { min: 1, max: 4 },
  lanes: 2,
  shared: 'app'
}

// What tls.connect takes, beside `tls: true` or within it.
const secure: RedisClientOptions = {
  socket: {
    tls: true, ca: ['pem', Buffer.from('pem')], cert: 'pem', key: [{ pem: 'pem', passphrase: 'x' }],
    passphrase: 'x', pfx: Buffer.from('x'), checkServerIdentity: () => undefined,
    minVersion: 'TLSv1', maxVersion: 'TLSv1.3', ciphers: 'HIGH', ecdhCurve: 'auto',
    ALPNProtocols: ['redis'], secureProtocol: 'TLS_method', allowPartialTrustChain: true,
    lookup: (host, options, done) => { done(null, host, options.family === 6 ? 6 : 4) },
    localAddress: '127.0.0.1'
  }
}
void secure
const judging: RedisClientOptions = {
  socket: {
    tls: {
      checkServerIdentity: (host, certificate) =>
        certificate.subject.CN === host ? undefined : new Error('no')
    }
  }
}
void judging

async function life () {
  const client: RedisClient = await createClient(options).connect()
  client.on('error', error => { void error.message })
  client.once('reconnecting', ({ retries }) => { void (retries + 1) })
  client.on('ready', () => {}).on('end', () => {})
  const states: boolean[] = [client.isOpen, client.isReady]
  const { pool, lanes, latency } = client.stats()
  const numbers: number[] = [pool.inUse, lanes[0].inFlight, latency.p99]
  client.unref()
  client.ref()
  const other = client.duplicate({ database: 1 })
  await other.close()
  other.destroy()
  const ok: 'OK' = await client.quit()
  await client.disconnect()
  return { states, numbers, ok }
}

async function disposed () {
  await using client = createClient('redis://localhost')
  const aborter = new AbortController()
  await client.withAbortSignal(aborter.signal).get('k')
  await client.withCommandOptions({ timeout: 10 }).set('k', 'v')
  const reply: unknown = await client.sendCommand(['SET', 'k', Buffer.from('v')])
  const typed: number = await client.sendCommand<number>(['DEL', 'k'], { timeout: 10 })
  client.sendCommand(['GET', 'k'], (error, reply) => { void error; void reply })
  return { reply, typed }
}

function pools () {
  const pool: RedisClientPool = createClientPool(options, { minimum: 1, maximum: 4 })
  const numbers: number[] =
    [pool.idleClients, pool.clientsInUse, pool.totalClients, pool.tasksQueueLength]
  const made: RedisClientPool = createClient().createPool()
  const alias: RedisClientType = oxidis.createClient()
  const constructed: RedisClient = new RedisClient('redis://localhost')
  return { numbers, made, alias, constructed }
}

function errors (error: unknown) {
  if (error instanceof ErrorReply) return error.code + String(error.command)
  if (error instanceof MultiErrorReply) return error.errorIndexes.length
  if (error instanceof TimeoutError) return error.applied === 'unknown' ? error.cause : null
  if (error instanceof OxidisError) return error.retryable
  return undefined
}

async function iterators (client: RedisClient) {
  for await (const keys of client.scanIterator({ MATCH: 'a*', cursor: '0' })) keys.join('')
  for await (const page of client.hScanIterator('k')) page.map(({ field, value }) => field + value)
  for await (const page of client.zScanIterator('k')) page.map(({ score }) => score.toFixed())
  // @ts-expect-error keys are text
  for await (const keys of client.scanIterator()) keys.map((key: number) => key)
}

// @ts-expect-error an unknown option
createClient({ hots: 'localhost' })
// @ts-expect-error a port is a number
createClient({ socket: { port: '6379' } })
// @ts-expect-error not a protocol version
createClient({ RESP: 4 })
async function caches () {
  const cache = new BasicClientSideCache({ ttl: 1000, maxEntries: 10, evictPolicy: 'LRU' })
  const client = createClient({ clientSideCache: cache })
  createClientPool({ clientSideCache: new BasicPooledClientSideCache({ maxBytes: 2 ** 20 }) })
  createClient({ clientSideCache: { recordStats: false } })
  const stats: CacheStats = cache.stats()
  const rate: number = stats.minus(CacheStats.empty()).hitRate() + cache.size()
  cache.on('invalidate', (key: Buffer | null) => key?.length)
  cache.invalidate('key')
  cache.invalidate(null)
  cache.clear()
  await client.withCommandOptions({ cache: false }).get('key')
  return rate
}
// @ts-expect-error not a policy
createClient({ clientSideCache: { evictPolicy: 'MRU' } })
// @ts-expect-error not a cache
createClient({ clientSideCache: true })
// @ts-expect-error a number is no argument
createClient().sendCommand(['INCRBY', 'k', 1])

export { life, disposed, pools, errors, iterators, caches }
