'use strict'

// A slow command beside millions of quick ones costs one entry, not a place for each of them; and
// ids may begin again at zero.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { PromiseRing } = require('../../lib/boundary/promise-ring')
const { TimeoutError } = require('../../lib/errors')
const { runScript } = require('./child-script')

const row = { command: 'X', reply: undefined }

// Puts commands into slots and remembers what each was settled with.
function recording () {
  const slots = new PromiseRing()
  const results = new Map()
  const put = id => slots.put(id, value => results.set(id, ['resolved', value]),
    error => results.set(id, ['rejected', error]), row, undefined)
  return { slots, results, put }
}

describe('slots', () => {
  it('keep stragglers aside while the ring goes round many times', () => {
    const { slots, results, put } = recording()
    put(0)
    put(1)
    for (let id = 2; id < 1_000_000; id++) {
      put(id)
      if (id % 10 === 9) {
        for (let done = Math.max(2, id - 9); done <= id; done++) slots.settle(done, done, false)
      }
    }
    assert.strictEqual(slots.pending, 2)
    assert.ok(slots.mask + 1 <= 32, `${slots.mask + 1} places`)
    assert.strictEqual(slots.stragglers.size, 2)
    slots.settle(0, 'slow', false)
    slots.settle(1, new TimeoutError('slower'), true)
    assert.deepStrictEqual(results.get(0), ['resolved', 'slow'])
    assert.strictEqual(results.get(1)[1].command, 'X')
    assert.deepStrictEqual([slots.pending, slots.stragglers.size], [0, 0])
    for (let id = 2; id < 1_000_000; id++) assert.strictEqual(results.get(id)[1], id)
  })

  it('grow with a burst, and give the memory back', () => {
    const { slots, results, put } = recording()
    for (let id = 0; id < 200_000; id++) put(id)
    assert.strictEqual(slots.pending, 200_000)
    for (let id = 199_999; id >= 0; id--) slots.settle(id, -id, false)
    for (let id = 0; id < 200_000; id++) assert.strictEqual(results.get(id)[1], -id)
    slots.shrink()
    assert.ok(slots.mask + 1 <= 32, `${slots.mask + 1} places`)
  })

  it('settle an id once, and unknown ones never', () => {
    const { slots, results, put } = recording()
    put(5)
    slots.settle(5 + 1024, 'other', false)
    slots.settle(4, 'other', false)
    assert.strictEqual(results.size, 0)
    slots.settle(5, 'first', false)
    slots.settle(5, 'second', false)
    assert.deepStrictEqual([results.get(5), slots.pending], [['resolved', 'first'], 0])
  })

  it('go over the end of 32 bits', () => {
    const { slots, results, put } = recording()
    const start = 2 ** 32 - 3000
    for (let n = 0; n < 6000; n++) put((start + n) >>> 0)
    for (let n = 5999; n >= 0; n--) slots.settle((start + n) >>> 0, n, false)
    for (let n = 0; n < 6000; n++) assert.strictEqual(results.get((start + n) >>> 0)[1], n)
  })

  it('reject what a transform throws, and go on', () => {
    const slots = new PromiseRing()
    const outcomes = []
    const broken = { command: 'X', reply: () => { throw new Error('in the transform') } }
    slots.put(0, v => outcomes.push(v), error => outcomes.push(error.code, error.cause.message),
      broken, undefined)
    slots.put(1, v => outcomes.push(v), () => outcomes.push('rejected'), row, undefined)
    slots.settle(0, 'x', false)
    slots.settle(1, 'y', false)
    assert.deepStrictEqual(outcomes, ['REPLY_SHAPE', 'in the transform', 'y'])
  })
})

describe('a command that is not answered for long', () => {
  it('keeps memory bounded beside 200,000 others, and is answered in the end', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { startFakeServer } = require('./__test__/support/fake-server')
      const go = async () => {
        const server = await startFakeServer()
        let slow
        server.on('command', (args, reply) => {
          if (args[0] === 'SLOW') slow = reply
          else reply.ok()
        })
        const client = oxidis.createClient({
          url: server.url, lanes: 2, commandOptions: { timeout: 0 }
        })
        await client.connect()
        // Large, so that its lane is never the one with the least to do.
        const arrived = server.next('SLOW')
        const late = client.sendCommand(['SLOW', 'x'.repeat(1e6)])
        await arrived
        const heap = () => { gc(); return process.memoryUsage().heapUsed }
        let before
        for (let round = 0; round < 200; round++) {
          if (round === 20) { server.commands.length = 0; before = heap() }
          await Promise.all(Array.from({ length: 1000 }, () => client.set('k', 'v')))
          server.commands.length = 0
        }
        console.log(heap() - before < 5e6, client.stats().lanes.map(lane => lane.inFlight).sort())
        slow.bulk('late')
        console.log(await late)
        await client.close()
        await server.stop()
      }
      go()`, { flags: ['--expose-gc'] })
    assert.deepStrictEqual([code, stdout, stderr], [0, 'true [ 0, 1 ]\nlate\n', ''])
  })
})
