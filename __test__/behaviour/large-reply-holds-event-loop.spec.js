'use strict'

// A large reply is built in slices, over several turns of the event loop. Turns are counted, not
// time: the event loop is kept busy until everything has arrived, so that all turns that follow are
// those of building.

const assert = require('node:assert')
const { once } = require('node:events')
const { after, before, describe, it } = require('node:test')
const { Worker } = require('node:worker_threads')

const { RESP_TYPES, createClient } = require('../..')

/** `Portion::TURN` of `src/binding/values/slices.rs`. */
const PORTION = 16384
/** Values of a large reply: enough for several portions. */
const LARGE = 100_000
/** No reply takes more turns than this, even if each portion is cut in two. */
const MOST_TURNS = 2 * LARGE / PORTION + 10

const bulk = text => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
const names = Array.from({ length: LARGE }, (_, n) => `name ${n}`)
const pairs = names.slice(0, LARGE / 2).map((name, n) => [name, String(n)])
const listOf = texts => `*${texts.length}\r\n${texts.map(bulk).join('')}`

/** Keeps the thread from doing anything for so many milliseconds. */
function pause (ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Calls `f` in this turn, once the commands of this turn are handed over. */
function afterFlush (f) {
  process.nextTick(() => process.nextTick(f))
}

/** A server on a thread of its own, which answers each command with the reply that it names. */
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { startFakeServer } = require(${JSON.stringify(require.resolve('../support/fake-server'))})
  startFakeServer().then(server => {
    server.on('command', ([name, key], reply, connection) => {
      connection.send(workerData[key] ?? '$' + key.length + '\\r\\n' + key + '\\r\\n')
    })
    parentPort.on('message', () => server.stop().then(() => parentPort.close()))
    parentPort.postMessage(server.url)
  })
`

describe('a large reply', () => {
  const replies = {
    list: listOf(names),
    flat: listOf(pairs.flat()),
    map: `%${pairs.length}\r\n${pairs.flat().map(bulk).join('')}`,
    set: `~${LARGE}\r\n${names.map(bulk).join('')}`,
    listOfPairs: `*${pairs.length}\r\n${pairs.map(listOf).join('')}`,
    scan: `*2\r\n${bulk('7')}${listOf(names)}`,
    deep: `*2\r\n*2\r\n${listOf(names)}:1\r\n%1\r\n${bulk('all')}${listOf(names)}`,
    proto: `%${pairs.length + 2}\r\n${bulk('__proto__')}${bulk('own')}` +
      `${pairs.flat().map(bulk).join('')}${bulk('toString')}${listOf(['x'])}`,
    medium: listOf(names.slice(0, 10_000))
  }
  let server
  let url
  let client

  before(async () => {
    server = new Worker(SERVER, { eval: true, workerData: replies })
    ;[url] = await once(server, 'message')
    // A client that threads share is read by the I/O thread, also while this event loop is busy.
    client = createClient({ url, shared: 'large-replies', commandOptions: { timeout: 60_000 } })
    await client.connect()
  })

  after(async () => {
    client.destroy()
    server.postMessage('stop')
    await once(server, 'exit')
  })

  /**
   * A function that keeps the event loop busy until the replies with these names have arrived, and
   * `others` bytes more.
   */
  function arrival (keys, others = 0, of = client) {
    const expected = keys.reduce((sum, key) => sum + replies[key].length, others)
    const { bytesIn } = of.stats()
    return () => {
      while (of.stats().bytesIn < bytesIn + expected) pause(1)
      // What was read last is decoded, and then it is handed over.
      while (of.stats().lanes.some(lane => lane.inFlight > 0)) pause(1)
      pause(50)
    }
  }

  /** Counts the turns of the event loop until `promise` is settled. */
  async function turnsUntil (promise) {
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const value = await promise
    isOver = true
    return [turns, value]
  }

  it('is built over several turns, and the replies around it keep their order', async () => {
    const order = []
    const note = name => value => {
      order.push(name)
      return value
    }
    const wait = arrival(['list'], '$5\r\nfirst\r\n$4\r\nlast\r\n'.length)
    const first = client.get('first').then(note('first'))
    const large = client.lRange('list', 0, -1).then(note('large'))
    const last = client.get('last').then(note('last'))
    afterFlush(wait)
    assert.strictEqual(await first, 'first')
    const [turns, value] = await turnsUntil(large)
    assert.deepStrictEqual(value, names)
    assert.strictEqual(await last, 'last')
    assert.deepStrictEqual(order, ['first', 'large', 'last'])
    assert.ok(turns >= Math.floor(LARGE / PORTION) - 1, `built in ${turns} turns`)
    assert.ok(turns <= MOST_TURNS, `built in ${turns} turns`)
  })

  it('holds up no reply of another connection of the same client', async () => {
    await client.session(async session => {
      assert.strictEqual(await session.get('ready'), 'ready')
      const wait = arrival(['list'])
      let isBuilt = false
      const large = client.lRange('list', 0, -1).then(() => { isBuilt = true })
      const other = new Promise(resolve => {
        afterFlush(() => {
          wait()
          // Its reply comes behind the large one.
          const waitAgain = arrival([], '$5\r\nother\r\n'.length)
          resolve(session.get('other').then(value => [value, isBuilt]))
          afterFlush(waitAgain)
        })
      })
      assert.deepStrictEqual(await other, ['other', false])
      await large
    })
  })

  it('leaves turns between many replies that are not large by themselves', async () => {
    const keys = new Array(10).fill('medium')
    const wait = arrival(keys)
    const all = keys.map(key => client.lRange(key, 0, -1))
    afterFlush(wait)
    await all[0]
    const [turns, values] = await turnsUntil(Promise.all(all))
    assert.ok(values.every(value => value.length === 10_000))
    assert.ok(turns >= Math.floor(LARGE / PORTION) - 2, `built in ${turns} turns`)
  })

  it('that has arrived is settled in the next turn after destroy()', async () => {
    const other = createClient({ url, shared: 'destroyed', commandOptions: { timeout: 60_000 } })
    await other.connect()
    const wait = arrival(['list', 'list'], '$5\r\nfirst\r\n'.length, other)
    const all = [other.get('first'), other.lRange('list', 0, -1), other.lRange('list', 0, -1)]
    afterFlush(wait)
    await all[0]
    other.destroy()
    const [turns, [, ...values]] = await turnsUntil(Promise.all(all))
    assert.deepStrictEqual(values, [names, names])
    assert.ok(turns <= 2, `${turns} turns`)
  })

  it('has the shape that a small one has', async () => {
    const mapped = (key, types) => client.withTypeMapping(types).sendCommand(['GET', key])
    const object = Object.fromEntries(pairs)
    assert.deepStrictEqual(await client.sendCommand(['GET', 'map']), object)
    assert.deepStrictEqual(await mapped('map', { [RESP_TYPES.MAP]: Map }), new Map(pairs))
    assert.deepStrictEqual(await mapped('map', { [RESP_TYPES.MAP]: Array }), pairs.flat())
    assert.deepStrictEqual(await mapped('set', { [RESP_TYPES.SET]: Set }), new Set(names))
    assert.deepStrictEqual(await mapped('set', {}), names)
    const buffers = await mapped('list', { [RESP_TYPES.BLOB_STRING]: Buffer })
    assert.deepStrictEqual(buffers, names.map(name => Buffer.from(name)))
    // RESP2's flat list of pairs, and RESP3's list of pairs.
    assert.deepStrictEqual(await client.hGetAll('flat'), object)
    assert.deepStrictEqual(await client.zRangeWithScores('listOfPairs', 0, -1),
      pairs.map(([value, score]) => ({ value, score: Number(score) })))
    assert.deepStrictEqual(await client.sScan('scan', '0'), { cursor: '7', members: names })
    assert.deepStrictEqual(await client.sendCommand(['GET', 'deep']),
      [[names, 1], { all: names }])
  })

  it('has own fields only, whatever their names', async () => {
    const value = await client.sendCommand(['GET', 'proto'])
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(value, '__proto__'),
      { value: 'own', writable: true, enumerable: true, configurable: true })
    assert.deepStrictEqual(value.toString, ['x'])
    assert.strictEqual(Object.keys(value).length, pairs.length + 2)
  })
})
