'use strict'

// Error replies that say "not now": what passes by itself is tried again in order and within the
// deadline, what does not is a typed error, and neither costs the connection without need.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { ErrorReply } = require('../..')
const { freePort } = require('../support/ports')
const { assertAbout, PATIENCE, scene, timeOf, until } = require('./scene')

describe('a server that is not ready', { concurrency: true }, () => {
  for (const code of ['LOADING', 'BUSY', 'MASTERDOWN', 'TRYAGAIN', 'CLUSTERDOWN']) {
    it(`with ${code} is asked again until it is, on the same connection`, async t => {
      const { fake, client } = await play(t)
      let refusals = 3
      const served = []
      fake.on('command', ([, key], reply) => {
        if (refusals > 0) return reply.error(`${code} come back later`)
        served.push(key)
        reply.integer(served.length)
      })
      const first = client.incr('a')
      await fake.next('INCR')
      refusals--
      const rest = [client.incr('b'), client.incr('c')]
      const countdown = setInterval(() => refusals--, 100)
      t.after(() => clearInterval(countdown))
      assert.deepStrictEqual(await Promise.all([first, ...rest]), [1, 2, 3])
      assert.deepStrictEqual(served, ['a', 'b', 'c'], 'the order was lost')
      assert.strictEqual(client.stats().connects, 1)
    })
  }

  it('for longer than the deadline is a typed error', async t => {
    const { set, fake, client } = await play(t)
    fake.on('command', (args, reply) => reply.error('LOADING Redis is loading the dataset'))
    // Long enough for a busy machine to hear of two refusals.
    const incr = client.withCommandOptions({ timeout: 3000 }).incr('n')
    assertAbout(await timeOf(incr), 3000)
    const error = await set.failure(incr)
    assert.ok(error instanceof ErrorReply)
    assert.strictEqual(error.code, 'LOADING')
    assert.strictEqual(error.command, 'INCR')
    assert.strictEqual(error.retryable, true)
    assert.strictEqual(error.applied, 'no')
    const tries = fake.commands.filter(([name]) => name === 'INCR').length
    assert.ok(tries >= 2 && tries <= 10, `${tries} tries`)
    assert.strictEqual(client.stats().connects, 1)
  })

  it('is not asked again out of order', async t => {
    const { set, fake, client } = await play(t)
    fake.on('command', ([name], reply) => name === 'INCR'
      ? reply.error('LOADING wait')
      : reply.ok())
    const [refused, next] = await Promise.allSettled([client.incr('n'), client.set('k', 'v')])
    assert.strictEqual(next.value, 'OK')
    const error = await set.failure(Promise.reject(refused.reason))
    assert.strictEqual(error.code, 'LOADING')
    assert.strictEqual(error.applied, 'no')
    assert.strictEqual(fake.commands.filter(([name]) => name === 'INCR').length, 1)
  })

  it('because of a script that runs is asked again until that has ended', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--busy-reply-threshold', '50'] })
    const admin = set.client(server)
    const client = set.client(server)
    await client.connect()
    await admin.connect()
    const busy = set.failure(admin.eval('while true do end'))
    const incr = client.withCommandOptions({ timeout: PATIENCE }).incr('n')
    await until(() => client.stats().retries > 0, 'a refusal')
    const killer = set.client(server)
    await until(() => killer.sendCommand(['SCRIPT', 'KILL']).then(() => true, () => false), 'kill')
    assert.strictEqual(await incr, 1)
    await busy
    assert.strictEqual(client.stats().connects, 1)
  })
})

describe('a server that has become a replica', { concurrency: true }, () => {
  it('is left for a new connection, where the write succeeds', async t => {
    const { fake, client } = await play(t)
    const [old] = fake.connections
    fake.on('command', (args, reply, connection) => connection === old
      ? reply.error('READONLY You can\'t write against a read only replica.')
      : reply.integer(7))
    assert.strictEqual(await client.incr('n'), 7)
    assert.strictEqual(client.stats().connects, 2)
  })

  it('for good is a typed error after few tries', async t => {
    const set = scene(t)
    const server = await set.server()
    const admin = set.client(server)
    const client = set.client(server)
    await client.set('k', 'v')
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', String(await freePort())])
    const error = await set.failure(client.incr('n'))
    assert.ok(error instanceof ErrorReply)
    assert.strictEqual(error.code, 'READONLY')
    assert.strictEqual(error.retryable, true)
    assert.ok(client.stats().connects <= 4, `${client.stats().connects} connections`)
    assert.strictEqual(await client.get('k'), 'v')
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    assert.strictEqual(await client.incr('n'), 1)
  })

  it('without its primary says so', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--replica-serve-stale-data', 'no'] })
    const admin = set.client(server)
    const client = set.client(server, { commandOptions: { timeout: 500 } })
    await client.set('k', 'v')
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', String(await freePort())])
    const error = await set.failure(client.get('k'))
    assert.strictEqual(error.code, 'MASTERDOWN')
    assert.strictEqual(error.retryable, true)
    const patient = client.withCommandOptions({ timeout: PATIENCE }).get('k')
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    assert.strictEqual(await patient, 'v')
    assert.strictEqual(client.stats().connects, 1)
  })
})

describe('a refusal that lasts', { concurrency: true }, () => {
  const cases = [
    ['OOM', 'OOM command not allowed when used memory > \'maxmemory\'.', false],
    ['MISCONF', 'MISCONF Redis is configured to save RDB snapshots, but it\'s unable to.', true],
    ['NOREPLICAS', 'NOREPLICAS Not enough good replicas to write.', true],
    ['NOPERM', 'NOPERM User joe has no permissions to run the \'incr\' command', false],
    ['EXECABORT', 'EXECABORT Transaction discarded because of previous errors.', false]
  ]
  for (const [code, text, retryable] of cases) {
    it(`${code} is a typed error at once, and only of its own command`, async t => {
      const { set, fake, client } = await play(t)
      fake.on('command', ([name, arg], reply) => name === 'INCR'
        ? reply.error(text)
        : reply.bulk(arg))
      const incr = client.incr('n')
      const echo = client.echo('own')
      const error = await set.failure(incr)
      assert.ok(error instanceof ErrorReply)
      assert.strictEqual(error.code, code)
      assert.strictEqual(error.message, text)
      assert.strictEqual(error.retryable, retryable)
      assert.strictEqual(error.command, 'INCR')
      assert.strictEqual(await echo, 'own')
      assert.strictEqual(fake.commands.filter(([name]) => name === 'INCR').length, 1)
      assert.strictEqual(client.stats().connects, 1)
    })
  }

  it('by a full or a lonely server is the same with a real one', async t => {
    const set = scene(t)
    const server = await set.server()
    const client = set.client(server)
    await client.configSet('maxmemory', '1')
    assert.strictEqual((await set.failure(client.set('k', 'v'))).code, 'OOM')
    assert.strictEqual(await client.get('k'), null)
    await client.configSet('maxmemory', '0')
    await client.configSet('min-replicas-to-write', '1')
    assert.strictEqual((await set.failure(client.set('k', 'v'))).code, 'NOREPLICAS')
    await client.configSet('min-replicas-to-write', '0')
    assert.strictEqual(await client.set('k', 'v'), 'OK')
    assert.strictEqual(client.stats().connects, 1)
  })
})

/** A fake server and a client that is connected to it. */
async function play (t) {
  const set = scene(t)
  const fake = await set.fake()
  const client = set.client(fake)
  await client.connect()
  return { set, fake, client }
}
