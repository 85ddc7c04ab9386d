'use strict'

// A large reply is built in slices, over several turns of the event loop. Turns are counted, not
// time.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { RESP_TYPES } = require('../..')
const {
  FEWEST_TURNS, LARGE, MOST_TURNS, afterFlush, bulk, listOf, namesOf, startLargeServer, turnsUntil
} = require('./large-reply-scene')

const names = namesOf('name')
const pairs = names.slice(0, LARGE / 2).map((name, n) => [name, String(n)])
const longs = Array.from({ length: 2000 }, (_, n) => `${n} `.padEnd(10_000, 'x'))

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
    errors: `*${LARGE + 2}\r\n-ERR first\r\n${names.map(bulk).join('')}*1\r\n-ERR last\r\n`,
    medium: listOf(names.slice(0, 10_000)),
    long: listOf(longs)
  }
  let server

  before(async () => { server = await startLargeServer(replies) })
  after(() => server.stop())

  it('is built over several turns, and the replies around it keep their order', async t => {
    const client = await server.client(t)
    const order = []
    const note = name => value => {
      order.push(name)
      return value
    }
    const wait = server.arrival(client, ['first', 'list', 'last'])
    const first = client.get('first').then(note('first'))
    const large = client.lRange('list', 0, -1).then(note('large'))
    const last = client.get('last').then(note('last'))
    afterFlush(wait)
    assert.strictEqual(await first, 'first')
    const [turns, value] = await turnsUntil(large)
    assert.deepStrictEqual(value, names)
    assert.strictEqual(await last, 'last')
    assert.deepStrictEqual(order, ['first', 'large', 'last'])
    assert.ok(turns >= FEWEST_TURNS, `built in ${turns} turns`)
    assert.ok(turns <= MOST_TURNS, `built in ${turns} turns`)
  })

  it('is built over several turns because of its bytes as well', async t => {
    const client = await server.client(t)
    const wait = server.arrival(client, ['first', 'long', 'last'])
    const first = client.get('first')
    const large = client.lRange('long', 0, -1)
    const last = client.get('last')
    afterFlush(wait)
    assert.strictEqual(await first, 'first')
    const [turns, value] = await turnsUntil(large)
    assert.deepStrictEqual(value, longs)
    assert.strictEqual(await last, 'last')
    // 20 MB, of which 2 MB are a turn's slice.
    assert.ok(turns >= 3, `built in ${turns} turns`)
    assert.ok(turns <= MOST_TURNS, `built in ${turns} turns`)
  })

  it('holds up no reply of another connection of the same client', async t => {
    const client = await server.client(t)
    await client.session(async session => {
      assert.strictEqual(await session.get('ready'), 'ready')
      const wait = server.arrival(client, ['list'])
      let isBuilt = false
      const large = client.lRange('list', 0, -1).then(() => { isBuilt = true })
      const other = new Promise(resolve => {
        afterFlush(() => {
          wait()
          // Its reply comes behind the large one.
          const waitAgain = server.arrival(client, ['other'])
          resolve(session.get('other').then(value => [value, isBuilt]))
          afterFlush(waitAgain)
        })
      })
      assert.deepStrictEqual(await other, ['other', false])
      await large
    })
  })

  it('leaves turns between many replies that are not large by themselves', async t => {
    const client = await server.client(t)
    const keys = new Array(10).fill('medium')
    const wait = server.arrival(client, keys)
    const all = keys.map(key => client.lRange(key, 0, -1))
    afterFlush(wait)
    await all[0]
    const [turns, values] = await turnsUntil(Promise.all(all))
    assert.ok(values.every(value => value.length === 10_000))
    // Two of them are a slice.
    assert.ok(turns >= 3, `built in ${turns} turns`)
  })

  it('has the shape that a small one has', async t => {
    const client = await server.client(t)
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

  it('has own fields only, whatever their names', async t => {
    const client = await server.client(t)
    const value = await client.sendCommand(['GET', 'proto'])
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(value, '__proto__'),
      { value: 'own', writable: true, enumerable: true, configurable: true })
    assert.deepStrictEqual(value.toString, ['x'])
    assert.strictEqual(Object.keys(value).length, pairs.length + 2)
  })

  it('keeps the errors within it in their places', async t => {
    const client = await server.client(t)
    const [first, ...others] = await client.sendCommand(['GET', 'errors'])
    const [[last]] = others.splice(-1)
    assert.deepStrictEqual([first, last].map(({ name, message }) => `${name}: ${message}`),
      ['ErrorReply: ERR first', 'ErrorReply: ERR last'])
    assert.deepStrictEqual(others, names)
  })
})
