'use strict'

// What needs a connection of its own begins only when all earlier commands of its client are
// answered, awaited or not.

const assert = require('node:assert')
const { it, test } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { Fences } = require('../../lib/boundary/fences')
const { PromiseRing } = require('../../lib/boundary/promise-ring')
const { allReturned, failure, overEveryWire } = require('./session-scene')

overEveryWire('a command with a connection of its own', scene => {
  it('runs behind what was issued before it, every time', async t => {
    const client = scene.client(t)
    for (let round = 0; round < 50; round++) {
      const value = `${round} ${'x'.repeat(round % 2 ? 0 : 30_000)}`
      const [, popped, , read] = await Promise.all([
        client.rPush('q', value), client.blPop('q', 5),
        client.set('k', value), client.session(session => session.get('k'))
      ])
      assert.strictEqual(popped.element, value)
      assert.strictEqual(read, value)
    }
    await allReturned(client)
  })

  it('runs in the database that was selected before it', async t => {
    const client = scene.client(t)
    // An idle session of the old database is at hand.
    await client.session(session => session.set('where', '0'))
    await client.rPush('q0', 'zero')
    const [, , where, , popped] = await Promise.all([
      client.select(4), client.set('where', '4'), client.session(session => session.get('where')),
      client.rPush('q4', 'four'), client.blPop(['q0', 'q4'], 5)
    ])
    assert.strictEqual(where, '4')
    assert.strictEqual(popped.element, 'four')
    await client.select(0)
    await client.del('q0')
  })

  it('runs behind a command that fails', async t => {
    const client = scene.client(t)
    await client.set('text', 'x')
    const failing = failure(client.incr('text'))
    assert.strictEqual(await client.blPop('nothing', 0.01), null)
    assert.match((await failing).message, /not an integer/)
  })
})

test('waits for exactly the commands before it', async t => {
  const fake = await startFakeServer()
  t.after(() => fake.stop())
  const client = createClient(fake.url)
  t.after(() => client.destroy())
  const early = [fake.next('GET'), fake.next('BLPOP'), fake.next('ECHO')]
  const got = client.get('k')
  const popping = client.blPop('q', 0)
  const { reply } = await early[0]
  const echo = client.echo('later')
  const later = await early[2]
  // Answered now, it would shift the replies; it is none of the fence's business.
  assert.ok(!fake.commands.some(([name]) => name === 'BLPOP'))
  reply.bulk('v')
  assert.strictEqual(await got, 'v')
  const { reply: pop } = await early[1]
  later.reply.bulk('later')
  assert.strictEqual(await echo, 'later')
  pop.send('*-1\r\n')
  assert.strictEqual(await popping, null)
})

test('can be aborted while it waits for them', async t => {
  const fake = await startFakeServer()
  t.after(() => fake.stop())
  const client = createClient(fake.url)
  t.after(() => client.destroy())
  const arrived = fake.next('GET')
  const got = client.get('k')
  const controller = new AbortController()
  const popping = client.withAbortSignal(controller.signal).blPop('q', 0)
  const { reply } = await arrived
  controller.abort()
  const error = await failure(popping)
  assert.deepStrictEqual([error.code, error.applied], ['ABORT_ERR', 'no'])
  reply.bulk('v')
  await got
  assert.ok(!fake.commands.some(([name]) => name === 'BLPOP'))
  assert.strictEqual(client.stats().pool.inUse, 0)
})

test('a fence knows before from after when ids begin anew', async () => {
  const { ring, fences, put } = ringWithFences(2 ** 31 - 2)
  for (let i = 0; i < 4; i++) put()
  let passed = false
  fences.wait(ring.pending).then(() => { passed = true })
  ring.fences = fences
  put()
  for (const id of [2, 1, 0, 2 ** 31 - 2]) {
    ring.settle(id, null, false)
    await new Promise(setImmediate)
    assert.strictEqual(passed, false, `after ${id}`)
  }
  ring.settle(2 ** 31 - 1, null, false)
  await new Promise(setImmediate)
  assert.strictEqual(passed, true)
  assert.deepStrictEqual([ring.fences, fences.isEmpty], [null, true])
})

test('a fence waits for a command that is older than half of all ids', async () => {
  const { ring, fences, put, go } = ringWithFences(7)
  put()
  go(2 ** 30 + 100)
  put()
  let passed = false
  fences.wait(ring.pending).then(() => { passed = true })
  ring.fences = fences
  ring.settle(2 ** 30 + 100, null, false)
  await new Promise(setImmediate)
  assert.strictEqual(passed, false)
  // Its id is skipped when ids come round, and does not make it a later command.
  go(5)
  put()
  fences.skip(7)
  go(8)
  put()
  ring.settle(7, null, false)
  await new Promise(setImmediate)
  assert.strictEqual(passed, true)
})

test('each fence waits for exactly what was before it, whatever the order of replies', async () => {
  for (let round = 0; round < 300; round++) {
    const { ring, fences, put } = ringWithFences(2 ** 31 - 20)
    const waiting = []
    const pending = []
    const controllers = []
    for (let step = 0; step < 60; step++) {
      const dice = (step * 7 + round * 13 + (step * round) % 11) % 10
      if (dice < 4) {
        pending.push(put())
      } else if (dice < 6 && ring.pending > 0) {
        const controller = new AbortController()
        const fence = { before: new Set(pending), isPassed: false, isAborted: false }
        fences.wait(ring.pending, undefined, controller.signal)
          .then(() => { fence.isPassed = true }, () => { fence.isAborted = true })
        ring.fences = fences
        waiting.push(fence)
        controllers.push(controller)
      } else if (dice < 9 && pending.length > 0) {
        const [id] = pending.splice((step * 5 + round) % pending.length, 1)
        ring.settle(id, null, false)
        for (const { before } of waiting) before.delete(id)
      } else if (controllers.length > 0) {
        controllers[(step + round) % controllers.length].abort()
      }
      // Some microtasks later.
      await new Promise(queueMicrotask)
      for (const { before, isPassed, isAborted } of waiting) {
        if (!isAborted) assert.strictEqual(isPassed, before.size === 0, `round ${round}, ${step}`)
      }
    }
    for (const id of pending) ring.settle(id, null, false)
    await new Promise(setImmediate)
    assert.ok(waiting.every(({ isPassed, isAborted }) => isPassed || isAborted))
    assert.deepStrictEqual([fences.isEmpty, fences.counted, fences.callers.length], [true, 0, 0])
  }
})

test('a hundred thousand fences in one turn take no more than that many steps', async () => {
  const { ring, fences, put } = ringWithFences(0)
  const passed = []
  const began = performance.now()
  for (let i = 0; i < 100_000; i++) {
    put()
    passed.push(fences.wait(ring.pending))
    ring.fences = fences
  }
  for (let id = 0; id < 100_000; id++) ring.settle(id, null, false)
  await Promise.all(passed)
  // Looking at each fence for each reply takes minutes.
  const took = performance.now() - began
  assert.ok(took < 15_000, `${took} ms`)
})

/** A ring with its fences; `put` gives the next id to a command, `go` chooses that id. */
function ringWithFences (first) {
  let next = first
  const ring = new PromiseRing()
  const fences = new Fences(() => next, 60_000, () => new Error('late'))
  const row = {}
  return {
    ring,
    fences,
    put () {
      const id = next
      next = (next + 1) % 2 ** 31
      ring.put(id, () => {}, () => {}, row, undefined)
      return id
    },
    go (id) {
      next = id
    }
  }
}
