'use strict'

// Whatever a caller does to a session, the next caller gets a connection in its initial state, and
// no connection is lost to the pool.

const assert = require('node:assert')
const { it } = require('node:test')

const { allReturned, failure, overEveryWire } = require('./session-scene')

overEveryWire('the next caller of a session', scene => {
  // All sessions come from one connection, unless it had to be closed.
  const one = { pool: { max: 1, acquireTimeout: 5000 } }

  // Does `spoil` in a session; the next one must work, in the same connection or another.
  async function next (t, spoil, isSame) {
    const client = scene.client(t, one)
    const first = await client.session(session => session.sendCommand(['CLIENT', 'ID']))
    await spoil(client)
    await client.session(async session => {
      const id = await session.sendCommand(['CLIENT', 'ID'])
      assert.strictEqual(id === first, isSame, isSame ? 'a new connection' : 'the same connection')
      assert.strictEqual(await session.set('mine', 'x'), 'OK')
      assert.strictEqual(await session.get('mine'), 'x')
      const info = String(await session.sendCommand(['CLIENT', 'INFO']))
      // Valkey 9.1 says multi=0 once there was a transaction; in one, the flags have an x.
      assert.match(info, / flags=[^x ]+ .*db=0 sub=0 psub=0 .*multi=(-1|0) /)
      assert.match(info, / flags=N /)
      assert.match(info, / name= /)
      // A key that somebody else watches would make this EXEC fail.
      await client.set('watched', String(Math.random()))
      await session.sendCommand(['MULTI'])
      await session.sendCommand(['PING'])
      assert.deepStrictEqual(await session.sendCommand(['EXEC']), ['PONG'])
    })
    await allReturned(client)
    const { total, max } = client.stats().pool
    assert.deepStrictEqual({ total, max }, { total: 2, max: 1 })
  }

  const kept = {
    'after ordinary commands': session => session.incr('n'),
    'after an exception': () => { throw new RangeError('mine') },
    'after an error reply': session => session.sendCommand(['NONSENSE']),
    'after WATCH': session => session.watch(['watched', 'other']),
    'after WATCH and an exception': async session => {
      await session.watch('watched')
      throw new RangeError('mine')
    },
    'after MULTI': async session => {
      await session.sendCommand(['MULTI'])
      await session.sendCommand(['SET', 'mine', 'y'])
    },
    'after MULTI with a refused command': async session => {
      await session.watch('watched')
      await session.sendCommand(['MULTI'])
      await session.sendCommand(['NONSENSE'])
    },
    'after EXECABORT': async session => {
      await session.sendCommand(['MULTI'])
      await failure(session.sendCommand(['NONSENSE']))
      await failure(session.sendCommand(['EXEC']))
    },
    'after WATCH and an EXEC without MULTI': async session => {
      await session.watch('watched')
      await session.sendCommand(['EXEC'])
    },
    'after SELECT': session => session.select(3),
    'after SELECT within a transaction': async session => {
      await session.sendCommand(['MULTI'])
      await session.sendCommand(['SELECT', '5'])
      await session.sendCommand(['EXEC'])
    },
    'after SELECT, WATCH and an exception': async session => {
      await session.select(3)
      await session.watch('watched')
      throw new RangeError('mine')
    },
    'after commands that nobody awaits': session => { session.incr('n'); session.watch('watched') },
    'after a blocking command that ended': session => session.blPop('nothing', 0.01)
  }
  for (const [name, run] of Object.entries(kept)) {
    it(`${name}: the connection is kept`, t =>
      next(t, client => client.session(run).catch(() => {}), true))
  }

  const closed = {
    'after CLIENT SETNAME': session => session.sendCommand(['CLIENT', 'SETNAME', 'x']),
    'after CLIENT NO-EVICT': session => session.sendCommand(['CLIENT', 'NO-EVICT', 'ON']),
    'after CLIENT TRACKING': session => session.sendCommand(['client', 'tracking', 'on', 'bcast']),
    'after RESET': session => session.sendCommand(['RESET']),
    'after HELLO': session => session.sendCommand(['HELLO', '2']),
    'after DISCARD with an argument within MULTI': async session => {
      await session.sendCommand(['MULTI'])
      await session.sendCommand(['DISCARD', 'x'])
    },
    'after a blocking command that nobody awaits': session => {
      session.blPop('nothing', 0).catch(() => {})
    },
    'after an aborted blocking command': async session => {
      const controller = new AbortController()
      const popped = session.withAbortSignal(controller.signal).blPop('nothing', 0)
      setImmediate(() => controller.abort())
      await popped
    },
    'after a command that timed out': session => (
      session.withCommandOptions({ timeout: 20 }).sendCommand(['DEBUG', 'SLEEP', '1'])
    )
  }
  for (const [name, run] of Object.entries(closed)) {
    it(`${name}: it is closed`, t =>
      next(t, client => client.session(run).catch(() => {}), false))
  }

  it('finds no trace of what a transaction left open by dispose', t => next(t, async client => {
    const session = await client.acquire()
    await session.sendCommand(['MULTI'])
    await session[Symbol.asyncDispose]()
  }, true))

  it('cannot be given a connection that answers nothing', async t => {
    const client = scene.client(t)
    await client.session(async session => {
      for (const args of [['CLIENT', 'REPLY', 'OFF'], ['client', Buffer.from('reply'), 'skip']]) {
        const error = await failure(session.sendCommand(args))
        assert.ok(error instanceof TypeError)
        assert.match(error.message, /^sendCommand: CLIENT REPLY would leave commands without a/)
      }
      for (const name of ['SUBSCRIBE', 'pSubscribe', 'ssubscribe', 'MONITOR', 'PSYNC']) {
        assert.match((await failure(session.sendCommand([name, 'x']))).message, /use client\.|repl/)
      }
      assert.match((await failure(session.sendCommand(['QUIT']))).message, /release the session/)
      assert.strictEqual(await session.ping(), 'PONG')
    })
  })

  it('does not meet replies of the one before', async t => {
    const client = scene.client(t, one)
    for (let round = 0; round < 50; round++) {
      const text = `round ${round}`
      // Left alone in every state: not handed over, on the way, answered.
      await client.session(session => { session.echo('left').catch(() => {}) })
      await client.session(async session => {
        session.echo('left').catch(() => {})
        await new Promise(setImmediate)
      })
      const held = await client.acquire()
      assert.strictEqual(await held.echo(text), text)
      await held.release()
    }
    await allReturned(client)
  })

  it('finds the transaction of the one before finished', async t => {
    const client = scene.client(t, one)
    if (typeof client.multi !== 'function') return
    const first = await client.session(async session => {
      await session.watch('watched')
      assert.deepStrictEqual(await session.multi().set('mine', '1').get('mine').exec(), ['OK', '1'])
      await session.watch('watched')
      await client.set('watched', 'changed')
      const error = await failure(session.multi().set('mine', '2').exec())
      assert.strictEqual(error.name, 'WatchError')
      assert.strictEqual(await session.get('mine'), '1')
      return session.sendCommand(['CLIENT', 'ID'])
    })
    assert.strictEqual(
      await client.session(session => session.sendCommand(['CLIENT', 'ID'])), first)
  })
})
