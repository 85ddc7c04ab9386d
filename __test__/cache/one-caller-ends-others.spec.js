'use strict'

// Several callers of one miss share one command, but each has a signal and a deadline of its own,
// and what happens to one of them happens to no other.

const assert = require('node:assert')
const { afterEach, beforeEach, describe, it } = require('node:test')

const { createClient, BasicClientSideCache, AbortError, TimeoutError } = require('../..')
const { startFakeServer } = require('../support/fake-server')
const { quiet } = require('./scene')

describe('callers of one miss', () => {
  let server, client, cache
  beforeEach(async () => {
    server = await startFakeServer()
    cache = new BasicClientSideCache()
    client = quiet(createClient({ url: server.url, clientSideCache: cache }))
    await client.connect()
  })
  afterEach(async () => {
    client.destroy()
    await server.stop()
  })

  const asked = () => server.commands.filter(([name]) => name === 'GET').length

  it('share one command', async () => {
    const get = server.next('GET')
    const reads = Array.from({ length: 10 }, () => client.get('k'))
    const { reply } = await get
    reads.push(client.get('k'))
    reply.bulk('1')
    assert.deepStrictEqual(await Promise.all(reads), Array(11).fill('1'))
    assert.strictEqual(asked(), 1)
    const { missCount, loadSuccessCount, hitCount } = cache.stats()
    assert.deepStrictEqual([missCount, loadSuccessCount, hitCount], [11, 1, 0])
  })

  for (const who of ['first', 'second']) {
    it(`stay when the ${who} one aborts`, async () => {
      const controller = new AbortController()
      const leaving = client.withAbortSignal(controller.signal)
      const get = server.next('GET')
      const reads = who === 'first'
        ? [leaving.get('k'), client.get('k'), leaving.get('k')]
        : [client.get('k'), leaving.get('k'), leaving.get('k')]
      const settled = Promise.allSettled(reads)
      const { reply } = await get
      const reason = new Error('enough')
      controller.abort(reason)
      reply.bulk('1')
      for (const { status, value, reason: error } of await settled) {
        if (status === 'fulfilled') assert.strictEqual(value, '1')
        else assert.ok(error instanceof AbortError && error.cause === reason, error)
      }
      const left = (await settled).filter(({ status }) => status === 'rejected')
      assert.strictEqual(left.length, 2)
      assert.strictEqual(asked(), 1)
      assert.strictEqual(await client.get('k'), '1')
      assert.strictEqual(asked(), 1)
    })
  }

  it('hear of a signal that was aborted before, also for a hit', async () => {
    const get = server.next('GET')
    const read = client.get('k')
    ;(await get).reply.bulk('1')
    await read
    await assert.rejects(client.withAbortSignal(AbortSignal.abort()).get('k'), AbortError)
  })

  it('have their own deadlines', async () => {
    const patient = client.withCommandOptions({ timeout: 60_000 })
    const get = server.next('GET')
    const reads = [patient.get('k'), client.withCommandOptions({ timeout: 30 }).get('k'),
      client.withCommandOptions({ timeout: 0 }).get('k')]
    const { reply } = await get
    const error = await reads[1].catch(error => error)
    assert.ok(error instanceof TimeoutError, error)
    assert.deepStrictEqual([error.code, error.command], ['TIMEOUT', 'GET'])
    reply.bulk('1')
    assert.deepStrictEqual(await Promise.all([reads[0], reads[2]]), ['1', '1'])
    assert.strictEqual(asked(), 1)
  })

  it('ask again if the deadline was that of the first one only', async () => {
    const first = server.next('GET')
    const hurried = client.withCommandOptions({ timeout: 30 }).get('k')
    const patient = client.withCommandOptions({ timeout: 60_000 }).get('k')
    const late = (await first).reply
    const second = server.next('GET')
    await assert.rejects(hurried, TimeoutError)
    const { reply } = await second
    late.bulk('old')
    reply.bulk('new')
    assert.strictEqual(await patient, 'new')
    assert.strictEqual(cache.stats().loadFailureCount, 1)
  })

  it('all get an error reply, and nothing of it is kept', async () => {
    const get = server.next('GET')
    const reads = Promise.allSettled([client.get('k'), client.get('k')])
    ;(await get).reply.error('WRONGTYPE Operation against a key')
    for (const { reason } of await reads) assert.strictEqual(reason.code, 'WRONGTYPE')
    assert.strictEqual(cache.size(), 0)
    const again = server.next('GET')
    const read = client.get('k')
    ;(await again).reply.bulk('1')
    assert.strictEqual(await read, '1')
  })

  it('all get the error of a closed client', async () => {
    const get = server.next('GET')
    const reads = Promise.allSettled([client.get('k'), client.get('k'),
      client.withAbortSignal(new AbortController().signal).get('k')])
    await get
    client.destroy()
    for (const { reason } of await reads) assert.strictEqual(reason.code, 'CLOSED')
    await assert.rejects(client.get('k'), { code: 'CLOSED' })
  })

  it('are called back in the manner of Node', async () => {
    const get = server.next('GET')
    const read = new Promise((resolve, reject) => {
      client.get('k', (error, value) => error ? reject(error) : resolve(value))
    })
    ;(await get).reply.bulk('1')
    assert.strictEqual(await read, '1')
    assert.strictEqual(cache.size(), 1)
    assert.strictEqual(await new Promise(resolve => { client.get('k', (_, v) => resolve(v)) }), '1')
  })

  it('learn that an argument is wrong, and nothing is sent', async () => {
    await assert.rejects(client.get(undefined), /get: argument "key"/)
    await assert.rejects(client.get(), /get: argument "key"/)
    await assert.rejects(client.mGet([]), /mGet: argument "keys"/)
    assert.strictEqual(asked(), 0)
    assert.strictEqual(cache.stats().missCount, 0)
  })

  it('find the queue full as without a cache', async () => {
    const full = quiet(createClient({
      url: server.url, clientSideCache: {}, commandsQueueMaxLength: 2
    }))
    await full.connect()
    const reads = ['a', 'b', 'c'].map(key => full.get(key))
    reads[0].catch(() => {})
    reads[1].catch(() => {})
    await assert.rejects(reads[2], { code: 'QUEUE_FULL' })
    full.destroy()
  })
})
