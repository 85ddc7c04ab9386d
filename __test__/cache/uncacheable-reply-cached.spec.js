'use strict'

// What the server does not tell of, what changes by itself, and what was asked past the cache is
// asked of the server each time.

const assert = require('node:assert')
const { after, before, beforeEach, describe, it } = require('node:test')

const { CACHEABLE } = require('../../lib/commands/cacheable')
const { NEVER, cacheable } = require('../../scripts/generate/cacheable')
const { newer } = require('../../scripts/generate/newer')
const snapshot = require('../../commands/redis.json').commands
const { startScene } = require('./scene')

describe('the server is asked each time', () => {
  let scene, client, other
  before(async () => {
    scene = await startScene()
    client = scene.client
    other = scene.other
  })
  after(() => scene.stop())
  beforeEach(async () => {
    await scene.reset()
    await other.rPush('list', ['1', '2'])
    await other.mSet({ w1: '2', w2: '1', k: 'x' })
    await other.hSet('h', 'f', 'x')
    await other.xAdd('stream', '1-1', { a: 'b' })
    await other.xGroupCreate('stream', 'g', '0')
    await other.sAdd('set', ['a', 'b'])
  })

  const reads = {
    'what is sorted by other keys': () => client.sortRo('list', { BY: 'w*' }),
    'what a sort gets from other keys': () => client.sortRo('list', { GET: 'w*' }),
    'the groups of a stream': () => client.xInfoGroups('stream'),
    'a stream with its groups': () => client.xInfoStream('stream'),
    'the rest of a life': () => client.ttl('k'),
    'a random member': () => client.sRandMember('set'),
    'a page of a scan': () => client.hScan('h', '0'),
    'the memory of a key': () => client.memoryUsage('k'),
    'a touch': () => client.touch('k'),
    'a script that only reads': () =>
      client.evalRo("return redis.call('GET', KEYS[1])", { keys: ['k'] }),
    'a command by sendCommand': () => client.sendCommand(['GET', 'k']),
    'a command of a chain': () => client.multi().get('k').exec(),
    'a command of a pipeline': () => client.multi().get('k').execAsPipeline(),
    'a command of a session': () => client.session(session => session.get('k')),
    'what is asked past the cache': () => client.withCommandOptions({ cache: false }).get('k'),
    'a key of 16 KiB': () => client.get('k'.repeat(16 * 1024)),
    'an argument of 16 KiB': () => client.hGet('h', 'f'.repeat(16 * 1024))
  }
  for (const [name, read] of Object.entries(reads)) {
    it(`for ${name}`, async () => {
      await read()
      await read()
      const { hitCount, missCount } = scene.cache.stats()
      assert.deepStrictEqual([scene.cache.size(), hitCount, missCount], [0, 0, 0])
    })
  }

  it('for a session or a chain, whatever the client has cached', async () => {
    await client.get('k')
    // Changed behind the cache's back.
    client._bridge.table.forget = () => 0
    client._bridge.table.invalidate = () => {}
    try {
      await other.set('k', 'y')
      await client.echo('x')
      assert.strictEqual(await client.get('k'), 'x')
      assert.strictEqual(await client.session(session => session.get('k')), 'y')
      assert.deepStrictEqual(await client.multi().get('k').exec(), ['y'])
      assert.strictEqual(await client.sendCommand(['GET', 'k']), 'y')
      assert.strictEqual(await client.withCommandOptions({ cache: false }).get('k'), 'y')
    } finally {
      delete client._bridge.table.forget
      delete client._bridge.table.invalidate
    }
  })

  it('for what has failed', async () => {
    await assert.rejects(client.get('list'), { code: 'WRONGTYPE' })
    await assert.rejects(client.get('list'), { code: 'WRONGTYPE' })
    assert.strictEqual(scene.cache.size(), 0)
    assert.strictEqual(scene.cache.stats().loadFailureCount, 2)
  })

  it('by a view with cache: false, and not by the views beside it', async () => {
    const past = client.withCommandOptions({ cache: false })
    assert.strictEqual(past.commandOptions.cache, false)
    const again = past.withCommandOptions({ cache: true })
    await again.get('k')
    await again.get('k')
    assert.strictEqual(scene.cache.stats().hitCount, 1)
    assert.throws(() => client.withCommandOptions({ cache: 1 }), /commandOptions.cache/)
  })
})

describe('the table of commands', () => {
  it('has the flag for exactly those that may be cached', () => {
    assert.deepStrictEqual([...CACHEABLE].sort(), cacheable({ ...newer, ...snapshot }))
    for (const name of Object.keys(NEVER)) assert.ok(!CACHEABLE.has(name), name)
    for (const name of CACHEABLE) {
      if (name.startsWith('JSON.')) continue
      const { flags, tips = [] } = snapshot[name]
      assert.ok(flags.includes('readonly') && !flags.includes('blocking'), name)
      assert.ok(!tips.includes('nondeterministic_output'), name)
    }
    assert.strictEqual([...CACHEABLE].filter(name => !name.startsWith('JSON.')).length, 68)
  })
})
