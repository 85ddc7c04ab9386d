'use strict'

// A blocking command of an idle client goes out at once, over the connection that stands. So what
// another client sends later comes later, and a client that only waits has one connection. Other
// commands of the client find a connection of their own.

const assert = require('node:assert')
const { it } = require('node:test')

const { WatchError, createClient } = require('../..')
const { eventually, heard } = require('./eventually')
const { allReturned, blocked, failure, overEveryWire } = require('./session-scene')

overEveryWire('a blocking command of an idle client', scene => {
  it('is not overtaken by what another client sends after it, even if it is the first one',
    async t => {
      const other = await scene.client(t).connect()
      let missed = 0
      for (let i = 0; i < 20; i++) {
        const client = await createClient(scene.options).connect()
        const read = client.xRead({ key: `stream:${i}`, id: '$' }, { BLOCK: 2000 })
        // Everything of this turn is written by now.
        await new Promise(setImmediate)
        await other.xAdd(`stream:${i}`, '*', { field: 'value' })
        if (await read === null) missed++
        client.destroy()
      }
      assert.strictEqual(missed, 0)
    })

  it('goes out behind what the client has sent before, over the same connection', async t => {
    const client = await scene.client(t).connect()
    const id = await client.clientId()
    const popped = client.session(session => session.clientId())
    assert.notStrictEqual(await popped, id)
    await allReturned(client)
    const other = await scene.client(t, { name: 'waits' }).connect()
    const [, , element] = await Promise.all(
      [other.rPush('behind', 'a'), other.rPush('behind', 'b'), other.blPop('behind', 5)])
    assert.strictEqual(element.element, 'a')
    await client.del('behind')
    assert.strictEqual((await listed(client, 'waits')).length, 1)
  })

  it('leaves the client with one connection of its name as long as it only waits', async t => {
    const witness = await scene.client(t).connect()
    const client = await scene.client(t).connect()
    await client.clientSetName('worker')
    const id = await client.clientId()
    for (let i = 0; i < 3; i++) {
      const popped = client.blPop('jobs', 5)
      await blocked(witness, 1)
      assert.deepStrictEqual(await listed(witness, 'worker'), [`id=${id}`])
      assert.strictEqual(client.isReady, true)
      await witness.rPush('jobs', `job ${i}`)
      assert.strictEqual((await popped).element, `job ${i}`)
    }
  })

  it('holds up no other command, and what was set for the connection holds for both', async t => {
    const witness = await scene.client(t).connect()
    const client = scene.client(t)
    const told = []
    for (const name of ['connect', 'ready', 'reconnecting', 'error']) {
      client.on(name, () => told.push(name))
    }
    await client.connect()
    await client.select(3)
    await client.clientSetName('both')
    await client.set('where', 'three')
    const popped = client.blPop('list', 5)
    await blocked(witness, 1)
    assert.strictEqual(await client.get('where'), 'three')
    assert.strictEqual((await listed(witness, 'both')).length, 2)
    await client.rPush('list', 'element')
    assert.strictEqual((await popped).element, 'element')
    // Whoever gets the connection next finds it in the database that is selected by then.
    await client.select(0)
    assert.strictEqual(await client.session(session => session.get('where')), null)
    assert.strictEqual(await client.blPop('list', 0.01), null)
    assert.strictEqual(await client.get('where'), null)
    await client.select(3)
    await client.del('where')
    // The connection that replaces the lent one is no event.
    assert.deepStrictEqual(told, ['connect', 'ready'])
  })

  it('does not take along what is watched', async t => {
    const other = await scene.client(t).connect()
    const client = await scene.client(t).connect()
    await client.watch('guarded')
    assert.strictEqual(await client.blPop('nothing', 0.01), null)
    await other.set('guarded', 'changed')
    await assert.rejects(client.multi().set('guarded', 'lost').exec(), WatchError)
    assert.strictEqual(await client.get('guarded'), 'changed')
    await other.del('guarded')
  })

  it('tells of the lost connection, as any other one does, and the client connects again',
    async t => {
      const witness = await scene.client(t).connect()
      const client = await scene.client(t).connect()
      const errors = []
      client.on('error', error => errors.push(error))
      const popped = failure(client.blPop('list', 0))
      await blocked(witness, 1)
      const [reconnecting, ready] = ['reconnecting', 'ready'].map(name => heard(client, name))
      const [line] = (await witness.sendCommand(['CLIENT', 'LIST'])).split('\n')
        .filter(one => / flags=b/.test(one))
      await witness.sendCommand(['CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(line)[1]])
      assert.strictEqual((await popped).applied, 'unknown')
      await reconnecting
      await ready
      assert.strictEqual(errors.length, 1)
      assert.strictEqual(await client.echo('alive'), 'alive')
      await allReturned(client)
    })

  it('that is aborted or runs out leaves the client usable, with no element taken', async t => {
    const witness = await scene.client(t).connect()
    const client = await scene.client(t).connect()
    const controller = new AbortController()
    const popped = failure(client.withAbortSignal(controller.signal).blPop('list', 0))
    await blocked(witness, 1)
    controller.abort()
    assert.strictEqual((await popped).code, 'ABORT_ERR')
    await blocked(witness, 0)
    assert.strictEqual(await client.rPush('list', 'kept'), 1)
    assert.strictEqual(await client.lPop('list'), 'kept')
    await allReturned(client)
    assert.strictEqual(client.isReady, true)
  })

  it('that is aborted before it is sent is not sent', async t => {
    const witness = await scene.client(t).connect()
    const client = scene.client(t)
    // While one opens a connection, the replies to others come in the same turns.
    let left = 200
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (left-- > 0) {
        const controller = new AbortController()
        const popped = failure(client.withAbortSignal(controller.signal).blPop('never', 0))
        await client.ping()
        controller.abort()
        assert.strictEqual((await popped).code, 'ABORT_ERR')
      }
    }))
    await blocked(witness, 0)
    await allReturned(client)
  })

  it('takes one connection at a time: a second one at once has its own', async t => {
    const witness = await scene.client(t).connect()
    const client = await scene.client(t).connect()
    const popped = [client.blPop('one', 5), client.blPop('two', 5)]
    await blocked(witness, 2)
    await client.rPush('two', '2')
    assert.strictEqual((await popped[1]).element, '2')
    await client.rPush('one', '1')
    assert.strictEqual((await popped[0]).element, '1')
    assert.strictEqual(client.stats().lanes.length, 1)
  })

  it('that waits when the client closes ends with it', async t => {
    const witness = await scene.client(t).connect()
    const client = await scene.client(t).connect()
    const popped = failure(client.blPop('list', 0))
    await blocked(witness, 1)
    client.destroy()
    await popped
    await blocked(witness, 0)
    await eventually(async () => /connected_clients:1\r/.test(await witness.info('clients')),
      'the end of its connection')
  })
})

/** The ids of the connections with this name, as the server lists them. */
async function listed (witness, name) {
  const lines = (await witness.sendCommand(['CLIENT', 'LIST'])).split('\n')
  return lines.filter(line => line.includes(` name=${name} `)).map(line => /^id=\d+/.exec(line)[0])
}
