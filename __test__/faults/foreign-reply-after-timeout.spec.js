'use strict'

// A caller has given up, by its deadline or its AbortSignal, and the reply comes nevertheless. That
// reply reaches nobody, and all other callers get their own.

const assert = require('node:assert')
const { getEventListeners } = require('node:events')
const { describe, it } = require('node:test')

const { AbortError, TimeoutError } = require('../..')
const { PATIENCE, scene, until } = require('./scene')

describe('a reply later than its deadline', { concurrency: true }, () => {
  it('is dropped; neighbours get their own', async t => {
    const { set, fake, client } = await play(t)
    const early = client.echo('a')
    const hurried = client.withCommandOptions({ timeout: 200 }).echo('b')
    const late = client.echo('c')
    const replies = await received(fake, 3)
    const error = await set.failure(hurried)
    assert.ok(error instanceof TimeoutError)
    assert.strictEqual(error.applied, 'unknown')
    const after = client.echo('d')
    replies.push(...await received(fake, 1))
    for (const { args, reply } of replies) reply.bulk(args[1])
    assert.deepStrictEqual(await Promise.all([early, late, after]), ['a', 'c', 'd'])
    const { connects, lateReplies, timeouts } = client.stats()
    assert.deepStrictEqual([connects, lateReplies, timeouts], [1, 1, 1])
  })

  it('is dropped also if it is an error, or half there', async t => {
    const { set, fake, client } = await play(t)
    const hurried = client.withCommandOptions({ timeout: 200 })
    const lost = [hurried.echo('a'), hurried.echo('b')]
    const replies = await received(fake, 2)
    for (const error of await set.failures(lost)) assert.strictEqual(error.code, 'TIMEOUT')
    const { bytesIn } = client.stats()
    replies[0].reply.send('-ERR of a\r\n$1\r')
    await until(() => client.stats().bytesIn > bytesIn, 'half of the late replies')
    const own = client.echo('c')
    await received(fake, 1)
    replies[1].reply.send('\nb\r\n$1\r\nc\r\n')
    assert.strictEqual(await own, 'c')
  })

  it('never reaches another request, among thousands with random deadlines', async t => {
    const set = scene(t)
    const server = await set.server()
    const proxy = await set.proxy(server)
    const client = set.client(proxy)
    await client.connect()
    proxy.latency(20, { jitter: 20 })
    const views = [5, 15, 30, 60, PATIENCE].map(timeout => client.withCommandOptions({ timeout }))
    let [own, gone] = [0, 0]
    for (let round = 0; round < 40; round++) {
      const echoes = Array.from({ length: 50 }, (_, index) => {
        const text = `round ${round} echo ${index}`
        return views[index % views.length].echo(text).then(
          reply => { assert.strictEqual(reply, text); own++ },
          error => { assert.strictEqual(error.code, 'TIMEOUT'); gone++ })
      })
      await Promise.all(echoes)
    }
    assert.ok(own > 0 && gone > 0, `${own} replies, ${gone} timeouts`)
    assert.strictEqual(await client.echo('last'), 'last')
    assert.strictEqual(client.stats().connects, 1)
  })
})

describe('an abort', { concurrency: true }, () => {
  it('before the write takes the command out of the queue', async t => {
    const { set, fake, client } = await play(t)
    const [connection] = fake.connections
    connection.pause()
    // Fills the socket's buffers, so that what follows stays with us.
    const large = client.set('large', Buffer.alloc(LARGE, 'x'))
    await until(() => client.stats().bytesOut > 65_536, 'the first bytes to be written')
    const controller = new AbortController()
    const aborted = client.withAbortSignal(controller.signal).incr('n')
    const kept = client.echo('kept')
    await turn()
    controller.abort(new Error('the user left'))
    const error = await set.failure(aborted)
    assert.ok(error instanceof AbortError)
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(error.cause.message, 'the user left')
    fake.on('command', ([name, text], reply) => name === 'ECHO' ? reply.bulk(text) : reply.ok())
    connection.resume()
    assert.strictEqual(await large, 'OK')
    assert.strictEqual(await kept, 'kept')
    assert.ok(!fake.commands.some(([name]) => name === 'INCR'), 'the aborted command was sent')
  })

  it('before there is a connection takes it out as well', async t => {
    const set = scene(t)
    const fake = await set.fake({ handshake: false })
    const client = set.client(fake, { commandOptions: { timeout: 500 } })
    const controller = new AbortController()
    const aborted = client.withAbortSignal(controller.signal).incr('n')
    await turn()
    controller.abort()
    const error = await set.failure(aborted)
    assert.strictEqual(error.applied, 'no')
    await until(() => client.stats().lanes[0].bytes === 0, 'its bytes to be freed')
  })

  it('in the same turn, or earlier, sends nothing', async t => {
    const { set, fake, client } = await play(t)
    const controller = new AbortController()
    const view = client.withAbortSignal(controller.signal)
    const same = view.incr('n')
    controller.abort()
    const after = view.incr('n')
    assert.match((await set.failure(same)).applied, /^(no|unknown)$/)
    assert.strictEqual((await set.failure(after)).applied, 'no')
    assert.ok(fake.commands.filter(([name]) => name === 'INCR').length <= 1)
  })

  it('after the write ends the call; the reply reaches nobody', async t => {
    const { set, fake, client } = await play(t)
    const controller = new AbortController()
    const aborted = client.withAbortSignal(controller.signal).echo('a')
    const kept = client.echo('b')
    const replies = await received(fake, 2)
    controller.abort()
    const error = await set.failure(aborted)
    assert.ok(error instanceof AbortError)
    assert.strictEqual(error.applied, 'unknown')
    for (const { args, reply } of replies) reply.bulk(args[1])
    assert.strictEqual(await kept, 'b')
  })

  it('after the reply has no effect', async t => {
    const { fake, client } = await play(t)
    const controller = new AbortController()
    fake.on('command', (args, reply) => reply.bulk(args[1]))
    assert.strictEqual(await client.withAbortSignal(controller.signal).echo('a'), 'a')
    controller.abort()
    assert.strictEqual(await client.echo('b'), 'b')
  })

  it('of all commands at once leaves the connection usable, and warns of no leak', async t => {
    const set = scene(t)
    const warnings = []
    const warned = warning => warnings.push(warning)
    process.on('warning', warned)
    set.defer(() => process.off('warning', warned))
    const server = await set.server()
    const client = set.client(server)
    await client.connect()
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController()
      const view = client.withAbortSignal(controller.signal)
      const echoes = Array.from({ length: 100 }, (_, index) => view.echo(`${round} ${index}`))
      if (round % 2) await turn()
      controller.abort()
      const outcomes = await Promise.allSettled(echoes)
      outcomes.forEach(({ value, reason }, index) => {
        if (reason) assert.strictEqual(reason.code, 'ABORT_ERR')
        else assert.strictEqual(value, `${round} ${index}`)
      })
      assert.strictEqual(await client.echo(`own ${round}`), `own ${round}`)
    }
    assert.strictEqual(client.stats().connects, 1)
    assert.deepStrictEqual(warnings, [])
  })

  it('leaves no listener on its signal', async t => {
    const { fake, client } = await play(t)
    fake.on('command', (args, reply) => reply.bulk(args[1]))
    const { signal } = new AbortController()
    const view = client.withAbortSignal(signal)
    for (let round = 0; round < 3; round++) {
      await Promise.all([view.echo('a'), view.echo('b'), view.echo('c')])
      await turn()
      assert.strictEqual(getEventListeners(signal, 'abort').length, 0)
    }
  })
})

/** A fake server and a client that is connected to it. */
async function play (t) {
  const set = scene(t)
  const fake = await set.fake()
  const client = set.client(fake)
  await client.connect()
  return { set, fake, client }
}

/** The next `length` commands. */
function received (fake, length) {
  return new Promise(resolve => {
    const all = []
    const listen = (args, reply) => {
      if (all.push({ args, reply }) < length) return
      fake.off('command', listen)
      resolve(all)
    }
    fake.on('command', listen)
  })
}

function turn () {
  return new Promise(setImmediate)
}

// Beyond what the kernel's buffers take while nobody reads (4 + 6 MiB by default on Linux).
const LARGE = 16 * 1024 * 1024
