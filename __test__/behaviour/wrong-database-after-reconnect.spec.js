'use strict'

// `select()` on a client holds: for its later commands, after a reconnect, for sessions and for
// commands that wait.

const assert = require('node:assert')
const { it } = require('node:test')

const { createClient, createClientPool } = require('../..')
const { eventually, heard } = require('./eventually')
const { allReturned, failure, overEveryWire } = require('./session-scene')

const WHERE = ['CLIENT', 'INFO']
const databaseOf = info => Number(/ db=(\d+) /.exec(String(info))[1])

overEveryWire('the database of a client', scene => {
  const inLane = async client => databaseOf(await client.sendCommand(WHERE))
  const inSession = client => client.session(inLane)

  it('is the selected one for all that comes behind', async t => {
    const client = scene.client(t)
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [0, 0])
    const [ok, lane, session] =
      await Promise.all([client.select(3), inLane(client), inSession(client)])
    assert.deepStrictEqual([ok, lane, session], ['OK', 3, 3])
    assert.strictEqual(await client.sendCommand(['select', '5']), 'OK')
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [5, 5])
    const done = await new Promise((resolve, reject) => {
      client.SELECT(0, (error, reply) => error ? reject(error) : resolve(reply))
    })
    assert.strictEqual(done, 'OK')
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [0, 0])
  })

  it('is the selected one after a reconnect, also for idle connections', async t => {
    const client = scene.client(t, { database: 1 })
    assert.deepStrictEqual(
      await Promise.all([inLane(client), inSession(client), inSession(client)]), [1, 1, 1])
    await client.select(3)
    const ready = heard(client, 'ready')
    const admin = scene.client(t)
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await ready
    await allReturned(client)
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [3, 3])
  })

  it('is that of sessions after one that was held meanwhile', async t => {
    const client = scene.client(t, { pool: { max: 1 } })
    const held = await client.acquire()
    await client.select(3)
    assert.strictEqual(await inLane(held), 0, 'changed under its caller\'s hands')
    const waiting = inSession(client)
    await held.release()
    assert.strictEqual(await waiting, 3)
    await client.session(session => session.select(9))
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [3, 3])
  })

  it('stays as it was when SELECT is refused', async t => {
    const client = scene.client(t)
    await client.select(2)
    assert.match((await failure(client.select(4000))).message, /out of range/)
    assert.match((await failure(client.select('x'))).message, /^select: argument "database" must/)
    assert.match((await failure(client.sendCommand(['SELECT', 'x']))).message, /"database" must/)
    assert.match((await failure(client.session(session => session.select(-1)))).message,
      /^select: argument "database" must/)
    assert.deepStrictEqual([await inLane(client), await inSession(client)], [2, 2])
  })

  it('is where elements are waited for', async t => {
    const client = scene.client(t)
    await client.session(session => session.ping())
    await client.select(6)
    const popping = client.blPop('q', 5)
    await client.rPush('q', 'x')
    assert.strictEqual((await popping).element, 'x')
  })
})

it('a client with several lanes says where else to select', async t => {
  for (const client of [createClient({ lanes: 2 }), createClientPool()]) {
    t.after(() => client.destroy())
    assert.match((await failure(client.select(1))).message,
      /^select: this client has 2 lanes, .*: use the option database, or session\.select\(\)$/)
  }
})

overEveryWire('a server that went away', scene => {
  it('is found in the selected database by what had to wait', async t => {
    const socket = { ...scene.options.socket, reconnectStrategy: 10 }
    const client = scene.client(t, { socket })
    await client.select(3)
    await client.session(session => session.ping())
    await scene.server.kill()
    await eventually(() => !client.isReady, 'the loss')
    const waiting = [client.sendCommand(WHERE), client.session(s => s.sendCommand(WHERE))]
    await scene.server.start()
    assert.deepStrictEqual((await Promise.all(waiting)).map(databaseOf), [3, 3])
  })
})
