'use strict'

// Random histories. The table is compared with plain maps: what is found, what is dropped and in
// which order, what it all weighs. Then a model of a server, a socket and a client asks whether any
// hit is older than it may be. A failure names the seed of its history.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { Store } = require('../../lib/cache/store')
const { Table } = require('../../lib/cache/table')

const HISTORIES = 300
const STEPS = 400

/** A generator of numbers below `n` that are the same for the same seed. */
function randomOf (seed) {
  let state = seed * 2654435761 + 1
  return n => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * n)
  }
}

describe('a table', () => {
  for (const evictPolicy of ['LRU', 'FIFO']) {
    it(`finds, drops and weighs as a plain list does: ${evictPolicy}`, () => {
      for (let seed = 1; seed <= HISTORIES; seed++) {
        try {
          compare(seed, evictPolicy)
        } catch (error) {
          error.message = `seed ${seed}: ${error.message}`
          throw error
        }
      }
    })
  }
})

/** Does the same to a table and to a list of entries in their order. */
function compare (seed, evictPolicy) {
  const random = randomOf(seed)
  const [maxEntries, maxBytes, ttl] = [random(2) * 5, 900 + random(4000), random(2) * 7]
  const store = new Store({ ttl, maxEntries, maxBytes, evictPolicy })
  let time = 0
  const table = new Table(store, () => time, () => {})
  /** The kept ones, the oldest first, and those that are due. */
  let kept = []
  let due = []
  const leave = gone => {
    kept = kept.filter(one => !gone(one))
    due = due.filter(one => !gone(one))
  }
  let evictions = 0
  for (let step = 0; step < STEPS; step++) {
    time += random(3)
    const keys = [`k${random(6)}`, `k${random(6)}`].slice(0, 1 + random(2))
    const name = keys.join()
    const { byKey, byText } = table.shelf(1)
    const names = keys.length === 1 ? byKey : byText
    switch (random(8)) {
      case 0:
        keys.slice(0, 1).forEach(key => {
          const count = [...kept, ...due].filter(one => one.keys.includes(key)).length
          assert.strictEqual(table.forget(key), count)
          leave(one => one.keys.includes(key))
        })
        break
      case 1:
        if (random(20) === 0) {
          table.clear()
          leave(() => true)
        }
        break
      case 2: {
        const one = due[random(due.length)]
        if (one === undefined) break
        const value = 'x'.repeat(random(300))
        const weight = 200 + 2 * (value.length + one.name.length + one.keys.join('').length)
        table.keep(one.entry, value)
        leave(other => other === one)
        if (weight > maxBytes) break
        kept.push({ ...one, value, weight, expires: ttl === 0 ? Infinity : time + ttl })
        const weigh = () => kept.reduce((sum, { weight }) => sum + weight, 0)
        while (weigh() > maxBytes || (maxEntries !== 0 && kept.length > maxEntries)) {
          kept.shift()
          evictions++
        }
        break
      }
      default: {
        const found = names.get(name)
        const model = [...kept, ...due].find(one => one.name === name)
        assert.strictEqual(found !== undefined, model !== undefined, `${name} at step ${step}`)
        if (found === undefined) {
          const unique = keys.length === 1 ? keys[0] : keys
          due.push({ name, keys: [...keys], entry: table.begin(names, name, unique) })
        } else if (!found.isDue) {
          const isFresh = time < model.expires
          assert.strictEqual(table.isFresh(found), isFresh)
          if (isFresh) {
            assert.strictEqual(table.serve(found), model.value)
            if (evictPolicy === 'LRU') kept.push(...kept.splice(kept.indexOf(model), 1))
          } else {
            leave(one => one === model)
            evictions++
          }
        }
      }
    }
    assert.strictEqual(store.count, kept.length)
    assert.strictEqual(table.size, kept.length)
    assert.strictEqual(store.bytes, kept.reduce((sum, { weight }) => sum + weight, 0))
    assert.strictEqual(store.stats.evictions, evictions)
    const indexed = new Set([...kept, ...due].flatMap(({ keys }) => keys))
    assert.deepStrictEqual([...table.index.keys()].sort(), [...indexed].sort())
  }
}

describe('a model of server, socket and client', () => {
  it('gives no value that is older than what a delivered reply knew, nor than own writes', () => {
    let hits = 0
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const world = new World(randomOf(seed), seed)
      for (let step = 0; step < STEPS; step++) world.step()
      hits += world.hits
    }
    assert.ok(hits > HISTORIES, `${hits} hits`)
  })

  for (const [name, sabotage] of Object.entries({
    'does not look at what was read': table => { table.catchUp = () => {} },
    'forgets no own writes': table => { table.forgetOwn = () => {} },
    'keeps what was changed under way': table => {
      const { forget } = table
      table.forget = key => table.index.get(key)?.isDue ? 0 : forget.call(table, key)
    }
  })) {
    it(`finds a client that ${name}`, () => {
      const isFound = Array.from({ length: HISTORIES }, (_, seed) => {
        const world = new World(randomOf(seed + 1), seed + 1)
        sabotage(world.table)
        try {
          for (let step = 0; step < STEPS; step++) world.step()
          return false
        } catch (error) {
          if (error instanceof assert.AssertionError) return true
          throw error
        }
      })
      assert.ok(isFound.includes(true))
    })
  }
})

/** One lane to one server, whose values are the times of the writes. */
class World {
  constructor (random, seed) {
    this.random = random
    this.seed = seed
    this.hits = 0
    /** The time of the server: it counts what it has run. */
    this.time = 0
    /** Key -> the times at which it was written. */
    this.writes = new Map()
    this.tracked = new Set()
    /** Commands on their way to the server, in order. */
    this.lane = []
    /** What the server has sent, and what the process has read and not delivered. */
    this.socket = []
    this.outbox = []
    this.undelivered = []
    this.cell = new Uint32Array(2)
    this.store = new Store({ ttl: 0, maxEntries: 3, maxBytes: 1e6, evictPolicy: 'LRU' })
    this.table = new Table(this.store, () => 0, () => {})
    this.table.forgetOwn = key => this.table.forget(key)
    this.table.attach(this.cell, { refresh: null, take: () => this.takeInvalidations() })
    /** The latest time that a delivered reply tells of. */
    this.known = 0
  }

  step () {
    const key = `k${this.random(4)}`
    switch (this.random(10)) {
      case 0: return this.write(key)
      case 1: return this.writeElsewhere(key)
      case 2: case 3: return this.run()
      case 4: return this.receive()
      case 5: return this.deliver()
      case 6: return this.random(25) === 0 ? this.lose() : undefined
      default: return this.read(key)
    }
  }

  read (key) {
    const { table } = this
    table.catchUp()
    const names = table.shelf(1).byKey
    const found = names.get(key)
    // Own writes that were called before are on the lane, or answered.
    const isWritten = this.lane.some(command => command.type === 'write' && command.key === key)
    if (found === undefined) {
      const entry = table.begin(names, key, key)
      entry.readers = [{ known: this.known }]
      this.lane.push({ type: 'read', key, entry })
    } else if (found.isDue) {
      found.readers.push({ known: this.known })
    } else {
      this.hits++
      const value = table.serve(found)
      assert.ok(!isWritten, `seed ${this.seed}: a hit although a write was called before`)
      this.check(key, value, this.known)
    }
  }

  /** A value is the time of its write. None that was written until `known` may be newer. */
  check (key, value, known) {
    const newest = Math.max(0, ...(this.writes.get(key) ?? []).filter(time => time <= known))
    assert.ok(value >= newest, `seed ${this.seed}: ${key} is of ${value}, not of ${newest}`)
  }

  write (key) {
    this.table.forgetOwn(key)
    this.lane.push({ type: 'write', key })
  }

  writeElsewhere (key) {
    this.change(key)
    this.tell(key)
  }

  change (key) {
    this.time++
    if (!this.writes.has(key)) this.writes.set(key, [])
    this.writes.get(key).push(this.time)
  }

  tell (key) {
    if (this.tracked.delete(key)) this.socket.push({ type: 'invalidation', key })
  }

  /** The server runs the next command of the lane. */
  run () {
    const command = this.lane.shift()
    if (command === undefined) return
    const { type, key } = command
    if (type === 'write') {
      this.change(key)
      this.socket.push({ type: 'reply', command, time: this.time })
      // It tells of a client's own change behind the reply.
      this.tell(key)
    } else {
      this.time++
      this.tracked.add(key)
      const value = this.writes.get(key)?.at(-1) ?? 0
      this.socket.push({ type: 'reply', command, value, time: this.time })
    }
  }

  /** The process reads a part of what has come: first the invalidations, then the replies. */
  receive () {
    const read = this.socket.splice(0, 1 + this.random(4))
    for (const { type, key } of read) {
      if (type !== 'invalidation') continue
      this.undelivered.push(key)
      this.cell[1]++
    }
    this.outbox.push(...read.filter(({ type }) => type === 'reply'))
  }

  /** JavaScript takes what waits. */
  deliver () {
    this.takeInvalidations()
    for (const { command, value, time } of this.outbox.splice(0)) {
      this.known = Math.max(this.known, time)
      if (command.type !== 'read') continue
      this.table.keep(command.entry, value)
      for (const { known } of command.entry.readers) this.check(command.key, value, known)
    }
  }

  takeInvalidations () {
    this.cell[1] = 0
    for (const key of this.undelivered.splice(0)) this.table.invalidate(key)
  }

  /** The connection is lost. Commands without a reply are run once more, or were never run. */
  lose () {
    this.cell[0]++
    this.tracked.clear()
    const lost = this.socket.splice(0).filter(({ type }) => type === 'reply')
    this.lane.unshift(...lost.map(({ command }) => command).filter(({ type }) => type === 'read'))
  }
}
