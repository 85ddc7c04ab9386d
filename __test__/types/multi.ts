// What the chains of `multi()` accept, refuse and return. Checked by the compiler, never run.

import {
  createClient, MultiErrorReply, RESP_TYPES, WatchError, type RedisMulti
} from 'oxidis'

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
declare function same<A, B>(equal: Equal<A, B>): void

const client = createClient()

async function tuples () {
  const replies = await client.multi().set('a', '1').get('a').hGetAll('h').incr('n').exec()
  same<typeof replies, [string | null, string | null, Record<string, string>, number]>(true)
  const typed = await client.MULTI().GET('a').LLEN('l').execTyped()
  same<typeof typed, [string | null, number]>(true)
  const piped = await client.multi().ping().exists('a').execAsPipeline()
  same<typeof piped, [string, number]>(true)
  const typedPipe = await client.multi().exists('a').execAsPipelineTyped()
  same<typeof typedPipe, [number]>(true)
  const raw = await client.multi()
    .addCommand(['GET', 'a'])
    .addCommand(['GET', Buffer.from('a')], Number)
    .sendCommand<string>(['GET', 'a'])
    .select(1)
    .exec()
  same<typeof raw, [unknown, number, string, 'OK']>(true)
  const empty = await client.multi().execTyped()
  same<typeof empty, []>(true)
}

async function loops () {
  const multi = client.multi()
  for (const key of ['a', 'b']) multi.get(key)
  const replies = await multi.exec()
  same<typeof replies, unknown[]>(true)
  const chain: RedisMulti = client.multi()
  return chain
}

async function buffers () {
  const view = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const replies = await view.multi().get('a').lRange('l', 0, -1).zScore('z', 'm').exec()
  same<typeof replies, [Buffer | null, Buffer[], number | null]>(true)
}

function callbacks () {
  client.multi().incr('a').exec((error, replies) => {
    const first: number | undefined = replies?.[0]
    if (error instanceof WatchError) return error.retryable
    if (error instanceof MultiErrorReply) return [...error.errors()].length
    return first
  })
  client.multi().get('a').exec(true, () => {})
}

function refused () {
  // @ts-expect-error a key is text
  client.multi().get(5)
  // @ts-expect-error no such command
  client.multi().watch('a')
  // @ts-expect-error a database is a number
  client.multi().select({})
  // @ts-expect-error a command is a list
  client.multi().sendCommand('GET a')
}

export { tuples, loops, buffers, callbacks, refused }
