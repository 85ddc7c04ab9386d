'use strict'

// A server that dies and comes back under load. Nothing acknowledged is lost, nothing runs twice,
// every error says what it means, and work goes on soon after the return.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { scene, until } = require('./scene')

describe('a killed server', { concurrency: true }, () => {
  it('that kept its data holds what was acknowledged, and nothing twice', async t => {
    const set = scene(t)
    // The append-only file is written before replies are sent, so it survives SIGKILL.
    const server = await set.server({ args: ['--appendonly', 'yes', '--appendfsync', 'no'] })
    const witness = watch(set, set.client(server, { commandOptions: { timeout: 2000 } }))
    const oracle = set.oracle(witness)
    await oracle.healed()
    for (let round = 0; round < 3; round++) {
      const failed = oracle.failed
      await killUnderLoad(server, oracle)
      await server.restart()
      const took = await oracle.healed()
      assert.ok(took < RECOVERY, `recovered after ${took} ms`)
      assert.ok(oracle.failed > failed, 'the kill met nothing in flight')
    }
    await oracle.stop()
    await oracle.verify()
    assertTelling(witness)
  })

  it('that comes back empty is used at once, and nothing runs twice', async t => {
    const set = scene(t)
    const server = await set.server()
    const witness = watch(set, set.pool(server, { commandOptions: { timeout: 2000 } }))
    const oracle = set.oracle(witness)
    await oracle.healed()
    await killUnderLoad(server, oracle)
    // Down for a while: commands that were never written wait for it, or say that it is down.
    await until(() => witness.client.stats().connectFailures > 2, 'attempts that are refused')
    await server.restart()
    const took = await oracle.healed()
    assert.ok(took < RECOVERY, `recovered after ${took} ms`)
    await oracle.stop()
    await oracle.verify(witness.client, { emptied: true })
    assertTelling(witness)
  })

  it('costs reads and unwritten writes nothing when it is back within their deadline', async t => {
    const set = scene(t)
    const server = await set.server({ args: ['--appendonly', 'yes', '--appendfsync', 'no'] })
    const client = set.client(server)
    await client.set('key', 'value')
    server.pause()
    const reads = Array.from({ length: 50 }, () => client.get('key'))
    await flushed()
    await server.kill()
    const writes = Array.from({ length: 50 }, () => client.incr('n'))
    await server.start()
    assert.deepStrictEqual(await Promise.all(reads), Array(50).fill('value'))
    // Issued after the loss or, if that was not seen yet, never written: each ran once.
    const outcomes = await Promise.allSettled(writes)
    const done = outcomes.filter(({ status }) => status === 'fulfilled').length
    for (const { reason } of outcomes) if (reason) assert.strictEqual(reason.applied, 'unknown')
    const n = Number(await client.get('n'))
    assert.ok(n >= done && n <= 50, `${n} increments, ${done} acknowledged`)
  })
})

/** Kills the server while writes are on the wire. */
async function killUnderLoad (server, oracle) {
  const { completed } = oracle
  await until(() => oracle.completed > completed + 500, 'the load to run')
  for (;;) {
    // Stopped first, so that what is sent now has no reply when the end comes.
    server.pause()
    await flushed()
    // The workers like to march in step: they may all be at a read, which would go on unharmed.
    if (oracle.workers.some(({ waiting }) => waiting?.startsWith('INCR'))) break
    server.resume()
    await flushed()
  }
  await server.kill()
}

/** A few turns of the event loop: what was issued is on the wire. */
async function flushed () {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

/** A client for the oracle that keeps its errors. */
function watch (set, client) {
  const errors = []
  const keep = promise => {
    promise.catch(error => { errors.push(error); set.note(error) })
    return promise
  }
  return {
    client,
    errors,
    incr: key => keep(client.incr(key)),
    echo: text => keep(client.echo(text)),
    set: (key, value) => keep(client.set(key, value)),
    get: key => keep(client.get(key))
  }
}

/** Every error says whether the command may have run, and that trying again makes sense. */
function assertTelling ({ errors }) {
  assert.ok(errors.length > 0)
  for (const error of errors) {
    // LOADING: while some were refused the server came up, and later ones have run.
    assert.match(String(error.code), /^(CONNECTION_LOST|TIMEOUT|LOADING)$/)
    assert.match(String(error.applied), /^(no|unknown)$/)
    assert.strictEqual(error.retryable, true)
    if (error.code === 'CONNECTION_LOST') assert.ok(error.cause, 'no cause')
  }
}

// Promised are 2.5 s; the oracle's 64 workers need some more on a busy machine.
const RECOVERY = 5000
