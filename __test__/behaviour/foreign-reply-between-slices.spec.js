'use strict'

// Whatever happens while a large reply is half built, it goes to its own caller, and so does each
// reply around it. Nothing is settled twice, and nothing is left pending.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { ClientClosedError, TimeoutError, createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { root, runScript } = require('./child-script')
const {
  FEWEST_TURNS, LARGE, afterFlush, listOf, namesOf, pause, startLargeServer, turnsUntil
} = require('./large-reply-scene')

const red = namesOf('red')
const blue = namesOf('blue')
const pairs = red.map((name, n) => [name, String(n)])
const outcome = promise => promise.then(value => value, error => error)

describe('while a large reply is half built', () => {
  let server

  before(async () => { server = await startLargeServer({ red: listOf(red), blue: listOf(blue) }) })
  after(() => server.stop())

  /**
   * Calls `f` when the large reply 'red' has begun to be built: the reply before it was settled.
   * The commands with the keys `behind` were called behind it. Returns [red's promise, theirs ...].
   */
  async function halfBuilt (client, behind, f, view = client, unanswered = 0) {
    const answered = behind.filter(key => key !== 'never' && key !== 'goodbye')
    const wait = server.arrival(client, ['first', 'red', ...answered], unanswered)
    const first = client.get('first')
    const large = view.lRange('red', 0, -1)
    const others = behind.map(key => client.lRange(key, 0, -1))
    let isBuilt = false
    const all = [large, ...others].map(outcome)
    all[0].then(() => { isBuilt = true })
    afterFlush(wait)
    await first
    assert.strictEqual(isBuilt, false)
    await f()
    return all
  }

  it('no deadline ends it, since it has come in time', async t => {
    const client = await server.client(t, { commandOptions: { timeout: 1000 } })
    const [large, behind, unanswered] = await Promise.all(
      await halfBuilt(client, ['behind', 'never'], () => pause(1500), client, 1))
    assert.deepStrictEqual(large, red)
    assert.strictEqual(behind, 'behind')
    assert.ok(unanswered instanceof TimeoutError, String(unanswered))
  })

  it('its caller may leave, and nobody else gets its value', async t => {
    const client = await server.client(t)
    const controller = new AbortController()
    const view = client.withAbortSignal(controller.signal)
    const [large, behind, other] = await Promise.all(
      await halfBuilt(client, ['behind', 'blue'], () => controller.abort(), view))
    // Its reply had come, so it was too late.
    assert.deepStrictEqual(large, red)
    assert.strictEqual(behind, 'behind')
    assert.deepStrictEqual(other, blue)
  })

  it('close() waits for it', async t => {
    const client = await server.client(t)
    let closing
    const all = await halfBuilt(client, ['behind'], () => { closing = client.close() })
    const refused = outcome(client.get('refused'))
    const [turns] = await turnsUntil(closing)
    assert.deepStrictEqual(await Promise.all(all), [red, 'behind'])
    assert.ok(await refused instanceof ClientClosedError)
    assert.ok(turns >= FEWEST_TURNS, `closed after ${turns} turns`)
  })

  it('destroy() settles it in the next turn, and whatever has come behind it', async t => {
    const client = await server.client(t)
    const bridge = client._bridge
    const all = await halfBuilt(client, ['blue', 'never'], () => client.destroy(), client, 1)
    const [turns, [large, behind, unanswered]] = await turnsUntil(Promise.all(all))
    assert.deepStrictEqual(large, red)
    assert.deepStrictEqual(behind, blue)
    assert.ok(unanswered instanceof ClientClosedError, String(unanswered))
    assert.ok(turns <= 3, `${turns} turns`)
    assert.strictEqual(bridge.pending, 0)
  })

  it('the connection may be lost', async t => {
    const client = await server.client(t)
    const all = await halfBuilt(client, ['behind', 'goodbye'], () => {}, client, 1)
    const [large, behind, lost] = await Promise.all(all)
    assert.deepStrictEqual(large, red)
    assert.strictEqual(behind, 'behind')
    assert.match(lost.name, /SocketClosedUnexpectedlyError|TimeoutError/)
    assert.strictEqual(await client.get('later'), 'later')
    assert.strictEqual(client._bridge.pending, 0)
  })

  it('large replies of other connections are built beside it', async t => {
    const client = await server.client(t)
    const sessions = await Promise.all([client.acquire(), client.acquire(), client.acquire()])
    const wait = server.arrival(client, ['red', 'red', 'blue', 'blue', 'a', 'b', 'c', 'd'])
    const keys = ['red', 'blue', 'blue', 'red']
    const all = [client, ...sessions].flatMap((sender, n) =>
      [sender.lRange(keys[n], 0, -1), sender.get('abcd'[n])])
    afterFlush(wait)
    const values = await Promise.all(all)
    assert.deepStrictEqual(values, [red, 'a', blue, 'b', blue, 'c', red, 'd'])
    for (const session of sessions) session.release()
    assert.strictEqual(client._bridge.pending, 0)
  })

  it('a method that refuses it keeps no other one back', async t => {
    const client = await server.client(t)
    const wait = server.arrival(client, ['red', 'blue', 'behind'])
    // No pairs of members and scores.
    const wrong = client.zRangeWithScores('red', 0, -1)
    const all = [wrong, client.lRange('blue', 0, -1), client.get('behind')].map(outcome)
    afterFlush(wait)
    const [error, ...others] = await Promise.all(all)
    assert.ok(error instanceof Error, typeof error)
    assert.deepStrictEqual(others, [blue, 'behind'])
  })

  it('the thread may end', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { Worker } = require('node:worker_threads')
      const body = \`
        const { createClient } = require(\${JSON.stringify(${JSON.stringify(root)})})
        const { parentPort, workerData } = require('node:worker_threads')
        const go = async () => {
          const client = createClient({ url: workerData.url, shared: workerData.shared })
          await client.connect()
          const first = client.get('first')
          for (let n = 0; n < 20; n++) client.lRange('red', 0, -1)
          await first
          parentPort.postMessage('begun')
        }
        go()\`
      const go = async () => {
        for (let n = 0; n < 10; n++) {
          const workerData = { url: process.argv[1], shared: n % 2 === 0 ? undefined : 'one' }
          const worker = new Worker(body, { eval: true, workerData })
          await new Promise(resolve => worker.once('message', resolve))
          // Each time a little later.
          for (let turn = 0; turn < n; turn++) await new Promise(setImmediate)
          await worker.terminate()
        }
        console.log('done')
      }
      go()`, { args: [server.url] })
    assert.deepStrictEqual([code, stdout, stderr], [0, 'done\n', ''])
  })

  for (const end of ['', 'client.close()', 'client.destroy()', 'client.unref()']) {
    it(`the process goes on, and ends by itself afterwards${end && ` (${end})`}`, async () => {
      const { code, stdout, stderr } = await runScript(`
        const go = async () => {
          const client = oxidis.createClient({ url: process.argv[1] })
          await client.connect()
          const first = client.get('first')
          const large = client.lRange('red', 0, -1)
          await first
          ${end}
          console.log((await large).length)
        }
        go().catch(error => console.log(error.code))`, { args: [server.url] })
      assert.deepStrictEqual([code, stderr], [0, ''])
      // After destroy() it depends on whether the reply had come. After unref() nobody waits.
      const other = { 'client.destroy()': 'CLOSED\n', 'client.unref()': '' }[end]
      assert.ok([`${LARGE}\n`, other].includes(stdout), stdout)
    })
  }
})

describe('a chain with a large reply', () => {
  let server

  before(async () => { server = await startServer() })
  after(() => server.stop())

  for (const RESP of [2, 3]) {
    it(`keeps its replies and its errors in their places, in RESP${RESP}`, async t => {
      const client = createClient({
        url: server.url,
        RESP,
        commandOptions: { timeout: 60_000 },
        pool: { acquireTimeout: 60_000 }
      })
      t.after(() => client.destroy())
      await client.del(['list', 'hash'])
      for (let from = 0; from < LARGE; from += 10_000) {
        await client.rPush('list', red.slice(from, from + 10_000))
        await client.hSet('hash', pairs.slice(from, from + 10_000))
      }
      const hash = Object.fromEntries(pairs)
      await client.set('text', 'not a list')
      const chain = () => client.multi()
        .get('text').lRange('list', 0, -1).lPop('text').hGetAll('hash').get('text')
      const heard = []
      const listener = await client.duplicate().connect()
      t.after(() => listener.destroy())
      await listener.subscribe('news', message => heard.push(message))
      const all = await Promise.all([
        chain().execAsPipeline().catch(error => error),
        chain().exec().catch(error => error),
        client.session(session => session.multi().lRange('list', 0, -1).get('text').exec()),
        client.get('text'),
        ...Array.from({ length: 20 }, (_, n) => client.publish('news', String(n)))
      ])
      for (const error of all.slice(0, 2)) {
        assert.strictEqual(error.name, 'MultiErrorReply')
        const [text, list, wrong, fields, again] = error.replies
        assert.deepStrictEqual([text, again], ['not a list', 'not a list'])
        assert.deepStrictEqual(list, red)
        assert.match(wrong.message, /^WRONGTYPE/)
        assert.deepStrictEqual({ ...fields }, hash)
      }
      assert.deepStrictEqual(all.slice(2, 4), [[red, 'not a list'], 'not a list'])
      while (heard.length < 20) await new Promise(setImmediate)
      assert.deepStrictEqual(heard, Array.from({ length: 20 }, (_, n) => String(n)))
    })
  }
})
