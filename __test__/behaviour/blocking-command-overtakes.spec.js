'use strict'

// What needs a connection of its own begins only when all earlier commands of its client are
// answered, awaited or not.

const assert = require('node:assert')
const { it, test } = require('node:test')

const { createClient } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { Slots } = require('../../lib/boundary/promise-ring')
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
  const slots = new Slots()
  const row = {}
  const ids = [2 ** 31 - 2, 2 ** 31 - 1, 0, 1]
  for (const id of ids) slots.put(id, () => {}, () => {}, row, undefined)
  let passed = false
  slots.fence(2).then(() => { passed = true })
  slots.put(2, () => {}, () => {}, row, undefined)
  for (const id of [2, 1, 0, 2 ** 31 - 2]) {
    slots.settle(id, null, false)
    await new Promise(setImmediate)
    assert.strictEqual(passed, false, `after ${id}`)
  }
  slots.settle(2 ** 31 - 1, null, false)
  await new Promise(setImmediate)
  assert.strictEqual(passed, true)
  assert.strictEqual(slots.fence(3), null)
})
