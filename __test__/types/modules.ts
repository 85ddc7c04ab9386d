// What the commands of modules accept, refuse and return. Checked by the compiler, never run.

import {
  createClient, RESP_TYPES, type Callback, type RedisJSON, type RedisJsonCommands
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const client = createClient()
const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })

interface User { name: string; tags?: string[] }
declare const user: User

async function documents () {
  const set = await client.json.set('k', '$', user, { condition: 'NX' })
  same<typeof set, 'OK' | null>(true)
  const got = await client.json.get('k', { path: ['$.a', '$.b'] })
  same<typeof got, RedisJSON>(true)
  const known = await client.json.get('k') as User | null
  const many: RedisJSON[] = await client.json.mGet(['a', 'b'], '$', (key, value) => value)
  await client.json.arrAppend('k', '$.tags', 'a', 1, null, { b: [true] })
  await client.json.arrIndex('k', '$.tags', 'a', { range: { start: 0, stop: -1 } })
  await client.json.ARRPOP('k', { path: '$.tags', index: 0 })
  await client.json.mSet([{ key: 'k', path: '$', value: user }])
  const added = await client.json.numIncrBy('k', '$.n', 1.5)
  same<typeof added, number | null | (number | null)[]>(true)
  const keys = await client.json.objKeys('k')
  same<typeof keys, string[] | (string[] | null)[] | null>(true)
  const bytes = await view.json.objKeys('k')
  same<typeof bytes, Buffer[] | (Buffer[] | null)[] | null>(true)
  const done: Callback<RedisJSON> = (error, reply) => { console.log(error, reply) }
  client.json.get('k', done)
  client.json.get('k', { path: '$' }, done)
  const json: RedisJsonCommands = client.json

  // @ts-expect-error undefined is no JSON
  await client.json.set('k', '$', undefined)
  // @ts-expect-error nor is a bigint
  await client.json.set('k', '$', 1n)
  // @ts-expect-error no such condition
  await client.json.set('k', '$', 1, { condition: 'GT' })
  // @ts-expect-error no such option
  await client.json.get('k', { paths: '$' })
  // @ts-expect-error a path is needed
  await client.json.toggle('k')
  return { known, many, json }
}

async function sketches () {
  const added = await client.bf.insert('b', ['a'], { CAPACITY: 100, ERROR: 0.01, NOCREATE: true })
  same<typeof added, boolean[]>(true)
  const { iterator, chunk } = await view.bf.scanDump('b', 0)
  await client.bf.loadChunk('c', iterator, chunk)
  same<typeof chunk, Buffer>(true)
  const inserted = await client.cf.INSERTNX('c', 'a')
  same<typeof inserted, (-1 | 0 | 1)[]>(true)
  await client.cms.incrBy('s', { item: 'a', incrementBy: 1 })
  await client.cms.merge('d', [{ name: 's', weight: 2 }])
  await client.cms.merge('d', ['s', 't'])
  const top = await client.topK.listWithCount('t')
  same<typeof top, { item: string; count: number }[]>(true)
  const { decay }: { decay: number } = await client.topK.info('t')
  const quantiles = await client.tDigest.quantile('q', [0.5, 0.99])
  same<typeof quantiles, number[]>(true)
  const info = await client.bf.info('b')
  same<typeof info['Expansion rate'], number | null>(true)

  // @ts-expect-error items are text
  await client.bf.add('b', 1)
  // @ts-expect-error all three belong together
  await client.topK.reserve('t', 5, { width: 8 })
  // @ts-expect-error an increment is needed
  await client.cms.incrBy('s', { item: 'a' })
  return { decay }
}

async function elsewhere () {
  const replies = await client.multi().set('a', '1').json.get('k').bf.add('b', 'x')
    .cms.query('s', 'a').tDigest.MAX('q').exec()
  same<typeof replies, [string | null, RedisJSON, boolean, number[], number]>(true)
  const bytes = await view.multi().topK.list('t').get('k').exec()
  same<typeof bytes, [Buffer[], Buffer | null]>(true)
  await client.session(async session => {
    const type = await session.json.type('k')
    same<typeof type, string | (string | null)[] | null>(true)
    return session.multi().cf.del('c', 'a').exec()
  })
}

export { documents, sketches, elsewhere }
