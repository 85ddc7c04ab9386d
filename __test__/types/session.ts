// Sessions have the commands of their client, and some of their own. Checked by the compiler, never
// run.

import {
  createClient, createClientPool, defineScript, RESP_TYPES, type CommandParser, type RedisClient,
  type RedisClientPool, type RedisSession
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

async function functions(client: RedisClient) {
  const result = await client.session(async session => {
    same<typeof session, RedisSession>(true)
    await session.watch(['a', Buffer.from('b')])
    const value: string | null = await session.get('a')
    await session.unwatch()
    await session.select(3)
    const popped = await session.blPop('q', 1)
    const element: string | undefined = popped?.element
    for await (const keys of session.scanIterator()) same<typeof keys, string[]>(true)
    return { value, element, raw: await session.sendCommand<number>(['CLIENT', 'ID']) }
  })
  same<typeof result, { value: string | null; element: string | undefined; raw: number }>(true)
  const sync: number = await client.session(() => 1)
  const nothing: void = await client.session(() => {})
  client.session(session => session.WATCH('k', (error, reply?: 'OK') => { void error; void reply }))
  // @ts-expect-error a function is needed
  await client.session()
  // @ts-expect-error a session has no life cycle of a client
  await client.session(session => session.connect())
  const watched: 'OK' = await client.watch(['k', Buffer.from('l')])
  // @ts-expect-error nothing is watched without keys
  await client.watch()
  return { sync, nothing, watched }
}

async function own(client: RedisClient) {
  await client.session(async session => {
    const ok: 'OK' = await session.auth({ username: 'u', password: Buffer.from('p') })
    await session.clientTracking(true, { BCAST: true, PREFIX: ['a', 'b'], NOLOOP: true })
    await session.hImportPrepare('set', ['f', 'g'])
    await session['CLIENT_NO-EVICT'](true)
    const version: string = (await session.hello(3, { SETNAME: 'n' })).version
    const proto: 2 | 3 = (await session.HELLO()).proto
    const bytes: Buffer = (await session
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).hello(2)).server
    // @ts-expect-error there are two protocols
    await session.hello(4)
    // @ts-expect-error a login has a password
    await session.auth({ username: 'u' })
    return { ok, version, proto, bytes }
  })
  const server: string = (await client.hello()).server
  const changed: number = (await client.hello(2)).proto
  await client.auth({ password: 'p' })
  await client.connect({ timeout: 500 })
  const ok: 'OK' = await client.QUIT()
  return { server, changed, ok }
}

async function leases(client: RedisClient) {
  await using session = await client.acquire()
  const isOpen: boolean = session.isOpen
  const view: RedisSession = session.withAbortSignal(AbortSignal.timeout(1))
  const same1: RedisSession = view.withCommandOptions({ timeout: 1 })
  const bytes: Buffer | null =
    await session.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get('k')
  const other = await client.acquire()
  const released: void = await other.release()
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const fromView: Buffer | null = await buffers.session(own => own.get('k'))
  // @ts-expect-error whether it is open is not for the caller to say
  session.isOpen = false
  // @ts-expect-error a database is a number
  await session.select('3')
  return { isOpen, same1, bytes, released, fromView }
}

async function others(client: RedisClient, pool: RedisClientPool) {
  const selected: 'OK' = await client.select(3)
  client.SELECT(3, (error, reply) => { void error; void reply })
  const executed: string | null = await pool.execute(own => own.get('k'))
  const idle: number = pool.idleClients
  const made: number = await createClientPool().execute(async own => own.incr('n'))
  // @ts-expect-error execute belongs to pools
  await client.execute(() => {})
  return { selected, executed, idle, made }
}

async function scripted() {
  const scripts = {
    add: defineScript({
      SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string) { parser.pushKey(key) },
      transformReply: (reply: number) => reply > 0
    })
  }
  const client = createClient({ scripts })
  const added: boolean = await client.session(session => session.add('k'))
  await using session = await client.acquire()
  const again: boolean = await session.add('k')
  const value: string | null = await session.get('k')
  const pooled: boolean = await createClientPool({ scripts }).session(own => own.add('k'))
  return { added, again, value, pooled }
}

export { functions, leases, others, own, scripted }
