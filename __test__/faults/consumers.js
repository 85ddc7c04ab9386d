'use strict'

// Consumers of a list whose items are all different, and the account of where each of them is.
//
// An item that a consumer got has been delivered. One that is gone from the list without that must
// be covered by a call that failed and may have been applied, or, with blMove, lie in the list of
// what is being processed. No item may be delivered twice.

const assert = require('node:assert')

const { until } = require('./scene')

/** How a consumer takes its next item, or null if none comes within `seconds` (0: for ever). */
const WAYS = {
  blPop: (client, list, seconds) => client.blPop(list, seconds).then(popped),
  blMove: (client, list, seconds) =>
    client.blMove(list, processing(list), 'LEFT', 'RIGHT', seconds),
  session: (client, list, seconds) =>
    client.session(session => session.blPop(list, seconds)).then(popped)
}

/** `size` consumers of `list`, each taking items by the next of `ways`, names in `WAYS`. */
class Consumers {
  constructor (client, list, ways, size) {
    this.client = client
    this.list = list
    /** What consumers got, in the order of getting it. */
    this.delivered = []
    /** Calls that failed, and those of them that may have taken an item. */
    this.failed = 0
    this.unknown = 0
    /** Failures that no fault explains. */
    this.strange = []
    this.active = size
    this.pushed = 0
    this.running = Array.from({ length: size }, (_, index) =>
      // Every other consumer waits for ever: only an error can end that wait.
      this.consume(WAYS[ways[index % ways.length]], index % 2))
  }

  async consume (take, seconds) {
    for (;;) {
      try {
        const item = await take(this.client, this.list, seconds)
        if (item === END) break
        if (item !== null) this.delivered.push(item)
      } catch (error) {
        this.failed++
        if (error.applied !== 'no') this.unknown++
        // A session that is lost has to be acquired again by whoever holds it.
        const isFault = FAULTS.test(error.kind) ||
          (take === WAYS.session && error.kind === 'SESSION_LOST')
        if (!isFault || !error.retryable) this.strange.push(error)
        await new Promise(resolve => { setTimeout(resolve, REST) })
      }
    }
    this.active--
  }

  /** Adds `count` items to the list. */
  push (client, count) {
    const items = Array.from({ length: count }, () => `item ${this.pushed++}`)
    return client.rPush(this.list, items)
  }

  /** Ends all consumers behind the last item, once no fault is left. */
  async end (client) {
    // However long a busy machine takes: each step has its own patience.
    for (let left = await client.lLen(this.list); left > 0;) {
      const before = left
      await until(async () => {
        left = await client.lLen(this.list)
        return left < before
      }, `fewer than the ${before} items that wait`)
    }
    while (this.active > 0) {
      const { active } = this
      await client.rPush(this.list, END)
      await until(() => this.active < active, `${active} consumers that are due an item`)
    }
    await Promise.all(this.running)
  }

  /** Holds the lists against what was delivered. */
  async verify (client) {
    assert.deepStrictEqual(this.strange, [])
    const got = new Set(this.delivered)
    assert.strictEqual(got.size, this.delivered.length, 'an item was delivered twice')
    assert.strictEqual(await client.lLen(this.list), 0)
    const moved = (await client.lRange(processing(this.list), 0, -1)).filter(item => item !== END)
    const known = new Set([...moved, ...got])
    for (const item of known) assert.match(item, /^item \d+$/)
    const lost = this.pushed - got.size
    assert.ok(lost <= this.unknown, `${lost} items were not delivered, ${this.unknown} calls may ` +
      'have taken one')
    if (moved.length === 0) return { lost }
    // Moved items are nowhere else, so all are there, once.
    assert.strictEqual(new Set(moved).size, moved.length, 'an item was moved twice')
    assert.strictEqual(moved.length, this.pushed, 'an item is neither delivered nor in the list')
    return { lost }
  }
}

function popped (reply) {
  return reply === null ? null : reply.element
}

function processing (list) {
  return `${list}:processing`
}

/** The item that ends the consumer that gets it. */
const END = 'the end'
// A busy machine may be later than the grace of a blocking command, which is a second.
const FAULTS = /^(CONNECTION_LOST|POOL_TIMEOUT|SESSION_OVER|TIMEOUT)$/
// As the oracle rests after a failure.
const REST = 5

module.exports = { Consumers }
