// What the commands' types accept, refuse and return. Checked by the compiler, never run.

import { createClient, GEO_REPLY_WITH, RESP_TYPES, type Callback } from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const client = createClient()

async function strings () {
  const got = await client.get('k')
  same<typeof got, string | null>(true)
  const set = await client.set('k', 'v', { expiration: { type: 'EX', value: 10 }, GET: true })
  same<typeof set, string | null>(true)
  await client.set('k', 1.5, { condition: 'IFEQ', matchValue: Buffer.from('v') })
  await client.set(Buffer.from('k'), Buffer.from('v'), { EX: 10, NX: true })
  await client.getEx('k', { type: 'PXAT', value: new Date() })
  await client.getEx('k', { PERSIST: true })
  await client.incrBy('k', 10n)
  const many: (string | null)[] = await client.mGet(['a', 'b'])
  await client.mSet({ a: '1', b: Buffer.from('2') })
  await client.mSet([['a', '1']])
  const lcs = await client.lcsIdx('a', 'b', { MINMATCHLEN: 2 })
  const start: number = lcs.matches[0][0][0]

  // @ts-expect-error a key is text
  await client.get(5)
  // @ts-expect-error a key is needed
  await client.get()
  // @ts-expect-error no such option
  await client.set('k', 'v', { EXPIRE: 10 })
  // @ts-expect-error no such condition
  await client.set('k', 'v', { condition: 'IF' })
  // @ts-expect-error a value of MSET is text
  await client.mSet({ a: 1 })
  // @ts-expect-error an increment is a number
  await client.incrBy('k', 'one')
  return { many, start }
}

async function collections () {
  const all = await client.hGetAll('h')
  same<typeof all, Record<string, string>>(true)
  await client.hSet('h', 'f', 1)
  await client.hSet('h', { f: 1, g: 'x' })
  await client.hSet('h', new Map([['f', 'v']]))
  const entries = await client.hRandFieldCountWithValues('h', 2)
  same<typeof entries, { field: string; value: string }[]>(true)
  await client.lPush('l', ['a', 'b'])
  const popped = await client.lmPop(['a', 'b'], 'LEFT', { COUNT: 2 })
  same<typeof popped, [key: string, elements: string[]] | null>(true)
  const members: string[] = await client.sMembers('s')
  await client.zAdd('z', [{ score: 1, value: 'a' }], { condition: 'NX', CH: true })
  const ranged = await client.zRangeWithScores('z', 0, -1, { REV: true })
  same<typeof ranged, { value: string; score: number }[]>(true)
  await client.zUnion([{ key: 'a', weight: 2 }, { key: 'b', weight: 1 }], { AGGREGATE: 'MAX' })
  const { cursor, keys } = await client.scan('0', { MATCH: 'a*', COUNT: 100 })
  same<typeof keys, string[]>(true)

  // @ts-expect-error a cursor is text
  await client.scan(0)
  // @ts-expect-error elements are text
  await client.lPush('l', 1)
  // @ts-expect-error a member has a score
  await client.zAdd('z', { value: 'a' })
  // @ts-expect-error weights on all keys or on none
  await client.zUnion(['a', { key: 'b', weight: 1 }])
  // @ts-expect-error no such mode
  await client.expire('k', 10, 'ALWAYS')
  return { members, cursor }
}

async function streams () {
  const id = await client.xAdd('s', '*', { f: 'v' }, { TRIM: { strategy: 'MAXLEN', threshold: 9 } })
  same<typeof id, string>(true)
  const read = await client.xRead([{ key: 's', id: '$' }], { BLOCK: 0, COUNT: 5 })
  const field: string | undefined = read?.[0]?.messages[0]?.message.f
  const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const bytes: Buffer | undefined = (await view.xRange('s', '-', '+'))[0]?.message.f
  const { messages } = await client.xAutoClaim('s', 'g', 'c', 0, '0')
  const claimed: string | undefined = messages[0]?.id
  // @ts-expect-error fields are text
  await client.xAdd('s', '*', { f: 1 })
  // @ts-expect-error what to trim by is not guessed
  await client.xAdd('s', '*', { f: 'v' }, { TRIM: { threshold: 9 } })
  // @ts-expect-error an exact trim has no limit
  await client.xTrim('s', 'MAXLEN', 5, { LIMIT: 5 })
  return { field, bytes, claimed }
}

async function places () {
  const { DISTANCE } = GEO_REPLY_WITH
  const by = { radius: 5, unit: 'km' } as const
  const near = await client.geoSearchWith('g', { longitude: 1, latitude: 2 }, by, [DISTANCE])
  const distance: number | undefined = near[0]?.distance
  const [place] = await client.geoPos('g', 'm')
  const longitude: number | undefined = place?.longitude
  // @ts-expect-error no such unit
  await client.geoSearch('g', 'm', { radius: 5, unit: 'miles' })
  return { distance, longitude }
}

async function blocking () {
  const popped = await client.blPop(['a', 'b'], 0.5)
  same<typeof popped, { key: string; element: string } | null>(true)
  const least = await client.bzPopMin('z', 0)
  same<typeof least, { key: string; value: string; score: number } | null>(true)
  const replicas = await client.wait(1, 100)
  same<typeof replicas, number>(true)
  // @ts-expect-error how long to wait is not guessed
  await client.blPop('a')
}

async function buffers () {
  const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const got = await view.get('k')
  same<typeof got, Buffer | null>(true)
  const all = await view.hGetAll('h')
  same<typeof all, Record<string, Buffer>>(true)
  const ranged = await view.ZRANGE_WITHSCORES('z', 0, -1)
  same<typeof ranged, { value: Buffer; score: number }[]>(true)
  const deleted = await view.del('k')
  same<typeof deleted, number>(true)
  const back = await client.withTypeMapping({ [RESP_TYPES.NUMBER]: BigInt }).get('k')
  same<typeof back, string | null>(true)
  // @ts-expect-error no such class
  client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Number })
}

async function names () {
  same<typeof client.GET, typeof client.get>(true)
  await client.HGETALL('h')
  await client.MEMORY_USAGE('k', { SAMPLES: 0 })
  await client['MEMORY_MALLOC-STATS']()
  // @ts-expect-error no such command
  await client.frobnicate()
}

function callbacks () {
  const none: void = client.get('k', (error, reply) => {
    same<typeof error, Error | null>(true)
    same<typeof reply, string | null | undefined>(true)
  })
  client.set('k', 'v', error => { void error })
  client.set('k', 'v', { GET: true }, (error, reply) => { void error; void reply })
  client.set('k', 'v', undefined, () => {})
  client.latencyReset('command', 'fork', (error, count) => {
    same<typeof count, number | undefined>(true)
  })
  const done: Callback<number> = () => {}
  client.hSet('h', { a: 1 }, done)
  // @ts-expect-error the callback comes last
  client.set('k', () => {}, 'v')
  return none
}

export { strings, collections, streams, places, blocking, buffers, names, callbacks }
