'use strict'

// The numbers of commands, sessions and requests come round after 2^31 of them. One that is still
// waited for is not given again: otherwise its caller would hang, or get another one's reply.

const assert = require('node:assert')
const { describe, it, test } = require('node:test')

const { createClient } = require('../..')
const { Ids } = require('../../lib/boundary/ids')
const { startFakeServer } = require('../support/fake-server')
const { startServer } = require('../support/redis-server')
const { eventually } = require('./eventually')
const { blocked, failure } = require('./session-scene')

const SESSIONS = 2 ** 31
const LAST_LANE_ID = 2 ** 31 - 1
const LAST_SESSION_ID = 2 ** 32 - 1

describe('numbers', () => {
  it('are given in order, and none that is in use, through many rounds', () => {
    for (let round = 0; round < 200; round++) {
      const used = new Set()
      // One that was in use when they were looked at may be skipped although it is free by now.
      const wereUsed = new Set()
      const ids = new Ids(100, 64, () => used)
      let expected = 100
      for (let step = 0; step < 400; step++) {
        const id = ids.take()
        const where = `${id} in round ${round}, step ${step}`
        assert.ok(!used.has(id), where)
        for (; expected !== id; expected = after(expected)) assert.ok(wereUsed.has(expected), where)
        assert.strictEqual(ids.latest, id)
        expected = after(id)
        // Some are given back soon, some late, and some never.
        if (used.size < 40 && (step * 7 + round) % (2 + round % 9) === 0) used.add(id)
        wereUsed.delete(id)
        for (const one of used) wereUsed.add(one)
        if ((step + round) % 5 === 0) used.delete(100 + (step * 11) % 64)
      }
    }
    function after (id) {
      return id === 163 ? 100 : id + 1
    }
  })

  it('that were free when they were looked at are given without another look', () => {
    let looks = 0
    const ids = new Ids(0, 2 ** 31, () => { looks++; return [] })
    ids.startAt(LAST_LANE_ID - 10)
    for (let i = 0; i < 100_000; i++) ids.take()
    assert.strictEqual(looks, 1)
  })
})

describe('when numbers come round', () => {
  it('a blocking command that waits gets its own element, and so does the next one', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = clientOf(t, server.url)
    const popping = [client.blPop('first', 0)]
    await blocked(client, 1)
    const [waiting] = client._bridge.sessionPromises.entries.keys()
    for (const session of [waiting, LAST_SESSION_ID]) {
      client._bridge.startIdsAt({ session })
      popping.push(client.blPop('second', 0), client.blPop('third', 0))
      await blocked(client, popping.length)
    }
    await client.rPush('first', '1')
    await client.rPush('second', ['2', '4'])
    await client.rPush('third', ['3', '5'])
    const elements = (await Promise.all(popping)).map(({ key, element }) => key + element)
    assert.deepStrictEqual(elements, ['first1', 'second2', 'third3', 'second4', 'third5'])
  })

  it('a session that is held keeps its place', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = clientOf(t, server.url)
    const held = await client.acquire()
    await held.select(3)
    client._bridge.startIdsAt({ session: held._bridge.target })
    const others = await Promise.all([client.acquire(), client.acquire()])
    const targets = [held, ...others].map(({ _bridge }) => _bridge.target)
    assert.strictEqual(new Set(targets).size, 3)
    for (const session of [held, ...others]) {
      const { db } = await session.clientInfo()
      assert.strictEqual(db, session === held ? 3 : 0)
      await session.release()
    }
    // An idle one keeps its place as well.
    client._bridge.startIdsAt({ session: targets[0] })
    await Promise.all(Array.from({ length: 5 }, () => client.session(session => session.ping())))
  })

  it('a command of a lane that still waits gets its own reply, and no other one does', async t => {
    for (const count of [1, 2, 3]) {
      const { server, client, answer, slow, id } = await oneWaits(t)
      client._bridge.startIdsAt({ lane: (id - count + 1) & LAST_LANE_ID })
      // All in one turn: the ids of a batch are consecutive, so it has to be divided.
      const others = Array.from({ length: 5 }, (_, i) => client.echo(`other ${i}`))
      await eventually(() => server.echoes.length === 5, 'the other commands')
      answer.bulk('slow')
      assert.strictEqual(await slow, 'slow')
      for (const [text, reply] of server.echoes) reply.bulk(text)
      assert.deepStrictEqual(await Promise.all(others), others.map((_, i) => `other ${i}`))
      client.destroy()
    }
  })

  it('a pipeline of large values does not take the id of one that waits', async t => {
    const { server, client, answer, slow, id } = await oneWaits(t)
    client._bridge.startIdsAt({ lane: (id - 2) & LAST_LANE_ID })
    const chain = client.multi()
    const texts = [1, 2, 3, 4].map(n => String(n).repeat(20_000))
    for (const text of texts) chain.echo(text)
    const replies = chain.execAsPipeline()
    await eventually(() => server.echoes.length === 4, 'the pipeline')
    answer.bulk('slow')
    assert.strictEqual(await slow, 'slow')
    for (const [text, reply] of server.echoes) reply.bulk(text)
    assert.deepStrictEqual(await replies, texts)
  })

  it('commands look at ids one by one only while one that waits is near', async t => {
    const { client, id, server, answer, slow } = await oneWaits(t)
    const bridge = client._bridge
    const usual = bridge.watermark
    bridge.startIdsAt({ lane: (id - 2) & LAST_LANE_ID })
    assert.ok(bridge.watermark < 0)
    server.on('command', ([name, text], reply) => name === 'PING' && reply.send(`+${text}\r\n`))
    for (let i = 0; i < 4; i++) assert.strictEqual(await client.ping(`${i}`), `${i}`)
    assert.strictEqual(bridge.watermark, usual)
    answer.bulk('slow')
    await slow
  })

  it('a session waits for a command whose id was skipped', async t => {
    const { client, id, server, answer, slow } = await oneWaits(t, { lanes: 1 })
    client._bridge.startIdsAt({ lane: (id - 1) & LAST_LANE_ID })
    const early = client.echo('early')
    let isOpen = false
    const session = client.acquire().then(session => { isOpen = true; return session })
    const late = client.echo('late')
    await eventually(() => server.echoes.length === 2, 'both')
    assert.strictEqual(isOpen, false)
    answer.bulk('slow')
    await slow
    await new Promise(setImmediate)
    assert.strictEqual(isOpen, false)
    server.echoes[0][1].bulk('early')
    assert.strictEqual(await early, 'early')
    await (await session).release()
    server.echoes[1][1].bulk('late')
    assert.strictEqual(await late, 'late')
  })

  it('a chain of large values that is aborted ends its own commands', async t => {
    const { server, client, slow, answer } = await oneWaits(t)
    const blocking = client.blPop('q', 0)
    await eventually(() => server.commands.some(([name]) => name === 'BLPOP'), 'the BLPOP')
    client._bridge.startIdsAt({ lane: LAST_LANE_ID - 1 })
    const controller = new AbortController()
    const view = client.withAbortSignal(controller.signal)
    const chain = view.multi()
    for (let i = 0; i < 4; i++) chain.echo('x'.repeat(20_000))
    const late = failure(chain.execAsPipeline())
    await eventually(() => server.echoes.length === 4, 'the chain')
    controller.abort()
    for (const error of (await late).replies) assert.strictEqual(error.code, 'ABORT_ERR')
    server.pops[0].array(['q', 'element'])
    assert.deepStrictEqual(await blocking, { key: 'q', element: 'element' })
    answer.bulk('slow')
    await slow
  })

  it('requests to subscribe are told apart from sessions and from one another', async t => {
    const server = await startFakeServer()
    t.after(() => server.stop())
    const asked = []
    server.on('command', ([, ...channels], reply) => {
      for (const channel of channels) asked.push([channel, reply])
    })
    const client = clientOf(t, server.url)
    const confirmed = new Set()
    const subscribe = channel =>
      client.subscribe(channel, () => {}).then(() => confirmed.add(channel))
    const confirm = name => {
      const [, reply] = asked.find(([channel]) => channel === name)
      reply.send(`>3\r\n$9\r\nsubscribe\r\n$${name.length}\r\n${name}\r\n:1\r\n`)
    }
    const requests = [subscribe('first')]
    await eventually(() => asked.length === 1, 'the first SUBSCRIBE')
    const [ticket] = client._bridge.subscriptions.tickets.keys()
    for (const [i, next] of [ticket, SESSIONS - 2].entries()) {
      client._bridge.startIdsAt({ ticket: next })
      requests.push(subscribe(`second ${i}`), subscribe(`third ${i}`))
    }
    await eventually(() => asked.length === 5, 'all of them')
    for (const [channel] of asked) {
      confirm(channel)
      await eventually(() => confirmed.has(channel), channel)
    }
    await Promise.all(requests)
    assert.strictEqual(confirmed.size, 5)
  })

  it('a client is open all the same', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = clientOf(t, server.url)
    client._bridge.startIdsAt({ lane: LAST_LANE_ID })
    await client.echo('x')
    assert.strictEqual(client._bridge.nextId, 0)
    assert.strictEqual(client.isOpen, true)
  })
})

test('a pipeline of a session in which a command was refused aborts none of others', async t => {
  const { server, client, answer, slow } = await oneWaits(t, { maxQueuedBytes: 64 * 1024 })
  const [mine, other] = await Promise.all([client.acquire(), client.acquire()])
  const controller = new AbortController()
  const chain = mine.withAbortSignal(controller.signal).multi()
  chain.echo('one').echo('x'.repeat(100_000)).echo('three')
  const late = failure(chain.execAsPipeline())
  // Its id is the one that the third command would have if the second one had one.
  const foreign = other.echo('foreign')
  await eventually(() => server.echoes.length === 3, 'three commands')
  controller.abort()
  assert.deepStrictEqual((await late).replies.map(({ code }) => code),
    ['ABORT_ERR', 'QUEUE_FULL', 'ABORT_ERR'])
  server.echoes.find(([text]) => text === 'foreign')[1].bulk('foreign')
  assert.strictEqual(await foreign, 'foreign')
  answer.bulk('slow')
  await slow
})

function clientOf (t, url, options) {
  const client = createClient({ url, commandOptions: { timeout: 0 }, ...options })
  t.after(() => client.destroy())
  return client
}

/**
 * A client with two lanes, over one of which `slow` waits for its reply; `id` is its id, and
 * `answer` what it waits for. The server answers no other command by itself either: `echoes` and
 * `pops` are those that wait.
 */
async function oneWaits (t, options) {
  const server = await startFakeServer()
  t.after(() => server.stop())
  server.echoes = []
  server.pops = []
  server.on('command', ([name, text], reply) => {
    if (name === 'ECHO') server.echoes.push([text, reply])
    if (name === 'BLPOP') server.pops.push(reply)
  })
  const client = clientOf(t, server.url, { lanes: 2, ...options })
  await client.connect()
  const arrived = server.next('GET')
  // Others take the lane with fewer bytes in waiting.
  const slow = client.get('k'.repeat(10_000))
  const id = client._bridge.latestId
  const { reply: answer } = await arrived
  return { server, client, answer, slow, id }
}
