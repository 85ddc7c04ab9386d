'use strict'

// A session ends with its release: what comes afterwards is told so, and touches neither the
// connection nor the pool's numbers.

const assert = require('node:assert')
const { it } = require('node:test')

const { ClientClosedError } = require('../..')
const { allReturned, failure, overEveryWire } = require('./session-scene')

overEveryWire('a session', scene => {
  it('refuses every use after its release', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    const view = session.withTypeMapping({ 36: Buffer })
    assert.strictEqual(session.isOpen, true)
    await session.release()
    assert.strictEqual(session.isOpen, false)
    assert.strictEqual(view.isOpen, false)
    const { commands } = client.stats()
    const late = [session.get('k'), session.set('k', 'x'.repeat(1e5)), session.blPop('k', 0),
      session.watch('k'), session.sendCommand(['GET', 'k']), view.get('k'),
      session.withAbortSignal(new AbortController().signal).get('k')]
    if (typeof session.multi === 'function') late.push(session.multi().get('k').exec())
    for (const promise of late) {
      const error = await failure(promise)
      assert.ok(error instanceof ClientClosedError)
      assert.deepStrictEqual([error.code, error.applied, error.message],
        ['SESSION_RELEASED', 'no', 'the session was released: acquire another one'])
    }
    assert.strictEqual(client.stats().commands, commands)
  })

  it('is over when the function that it was for has ended', async t => {
    const client = scene.client(t)
    let kept
    assert.strictEqual(await client.session(async session => {
      kept = session
      return session.echo('result')
    }), 'result')
    assert.strictEqual((await failure(kept.get('k'))).code, 'SESSION_RELEASED')
    const mine = new RangeError('mine')
    assert.strictEqual(await failure(client.session(() => { throw mine })), mine)
    await assert.rejects(client.session('no function'),
      /^TypeError: session: argument "run" must be a function/)
    await allReturned(client)
  })

  it('cannot be released twice', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    await session.release()
    const before = client.stats().pool
    const error = await failure(session.release())
    assert.ok(error instanceof TypeError)
    assert.strictEqual(error.message, 'release: the session was released before')
    await session[Symbol.asyncDispose]()
    assert.deepStrictEqual(client.stats().pool, before)
    const [one, other] = [await client.acquire(), await client.acquire()]
    assert.notStrictEqual(await one.sendCommand(['CLIENT', 'ID']),
      await other.sendCommand(['CLIENT', 'ID']), 'one connection has two callers')
    await Promise.all([one.release(), other.release()])
  })

  it('is not released while commands are pending', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    const pending = [session.echo('a'), session.echo('b')]
    const error = await failure(session.release())
    assert.ok(error instanceof TypeError)
    assert.match(error.message, /^release: 2 commands of the session are pending/)
    assert.deepStrictEqual(await Promise.all(pending), ['a', 'b'])
    assert.strictEqual(await session.echo('c'), 'c')
    await session.release()
    await allReturned(client)
  })

  it('lets its commands finish when it is disposed of', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    const pending = Array.from({ length: 100 }, (_, i) => session.echo(String(i)))
    await session[Symbol.asyncDispose]()
    assert.strictEqual((await Promise.all(pending)).length, 100)
    await allReturned(client)
  })

  it('tells that its connection was lost, and can be released all the same', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    const id = await session.sendCommand(['CLIENT', 'ID'])
    const pending = failure(session.sendCommand(['BLPOP', 'nothing', '0']))
    await new Promise(setImmediate)
    await client.sendCommand(['CLIENT', 'KILL', 'ID', String(id)])
    const lost = await pending
    assert.deepStrictEqual([lost.name, lost.code, lost.applied, lost.retryable],
      ['SocketClosedUnexpectedlyError', 'CONNECTION_LOST', 'unknown', true])
    assert.strictEqual(session.isOpen, false)
    const late = await failure(session.get('k'))
    assert.deepStrictEqual([late.kind, late.applied], ['SESSION_LOST', 'no'])
    await session.release()
    await allReturned(client)
    assert.strictEqual(await client.session(next => next.echo('works')), 'works')
  })

  it('ends with its client', async t => {
    const client = scene.client(t)
    const session = await client.acquire()
    await client.close()
    assert.strictEqual(session.isOpen, false)
    assert.deepStrictEqual((await failure(session.get('k'))).code, 'CLOSED')
    await session.release()
    assert.strictEqual((await failure(client.acquire())).code, 'CLOSED')
    assert.strictEqual((await failure(client.session(() => {}))).code, 'CLOSED')
    await client.connect()
    assert.strictEqual(await client.session(next => next.echo('works')), 'works')
  })

  it('is waited for by close(), if it belongs to a function', async t => {
    const client = scene.client(t)
    // Called before close(), begun after it.
    const result = client.session(async session => {
      await session.echo('one')
      await new Promise(resolve => { setTimeout(resolve, 20) })
      return session.echo('two')
    })
    await client.close()
    assert.strictEqual(await result, 'two')
  })
})
