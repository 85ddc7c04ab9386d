'use strict'

// An element that the server pops reaches a caller, or the caller is told that it may be lost. A
// caller that has given up leaves no BLPOP behind, and no BLPOP is sent twice.

const assert = require('node:assert')
const { it } = require('node:test')

const { runScript } = require('./child-script')
const { allReturned, blocked, failure, overEveryWire } = require('./session-scene')

overEveryWire('an element', scene => {
  it('stays when the caller left before it came', async t => {
    const client = scene.client(t, { pool: { max: 20 } })
    for (const leave of ['abort', 'destroy', 'kill', 'session', 'release']) {
      const other = scene.client(t)
      const controller = new AbortController()
      const popper = leave === 'abort' ? other.withAbortSignal(controller.signal) : other
      let over
      if (leave === 'session') {
        over = other.session(session => {
          session.blPop('q', 0).catch(() => {})
          return blocked(client, 1)
        })
      } else if (leave === 'release') {
        const session = await other.acquire()
        over = failure(session.blPop('q', 0))
        await blocked(client, 1)
        assert.match((await failure(session.release())).message, /1 commands of the session are/)
        await session[Symbol.asyncDispose]()
      } else {
        over = failure(popper.blPop('q', 0))
        await blocked(client, 1)
        if (leave === 'abort') controller.abort()
        if (leave === 'destroy') other.destroy()
        if (leave === 'kill') {
          const [victim] = (await client.clientList()).filter(({ cmd }) => cmd === 'blpop')
          await client.sendCommand(['CLIENT', 'KILL', 'ID', String(victim.id)])
        }
      }
      await over
      await blocked(client, 0)
      await client.rPush('q', leave)
      assert.strictEqual(await client.lPop('q'), leave)
    }
  })

  it('is popped by one, though connections die all the time', async t => {
    const client = scene.client(t)
    const admin = scene.client(t)
    const popped = []
    const unknown = []
    let isOver = false
    const work = Array.from({ length: 5 }, async () => {
      while (!isOver) {
        try {
          const reply = await client.blPop('q', 0.2)
          if (reply !== null) popped.push(reply.element)
        } catch (error) {
          if (error.applied === 'unknown') unknown.push(error)
          else assert.strictEqual(error.applied, 'no', error.message)
        }
      }
    })
    for (let i = 0; i < 200; i++) {
      await admin.rPush('q', String(i))
      if (i % 20 === 0) {
        const all = await admin.clientList()
        const victim = all.find(({ cmd }) => cmd === 'blpop')
        if (victim) await admin.sendCommand(['CLIENT', 'KILL', 'ID', String(victim.id)])
      }
    }
    isOver = true
    await Promise.all(work)
    const left = await admin.lRange('q', 0, -1)
    const seen = [...popped, ...left]
    assert.strictEqual(new Set(seen).size, seen.length, 'twice')
    assert.ok(200 - seen.length <= unknown.length, `${200 - seen.length} lost without a word`)
    await admin.del('q')
    await allReturned(client)
  })

  it('stays when the process ended', async t => {
    const client = scene.client(t)
    await runScript(`
      const client = oxidis.createClient(JSON.parse(process.argv[1]))
      const other = client.duplicate()
      client.blPop('q', 0)
      const look = async () => {
        if ((await other.info('clients')).includes('blocked_clients:1')) process.exit()
        setImmediate(look)
      }
      look()`, { args: [JSON.stringify(scene.options)] })
    await blocked(client, 0)
    await client.rPush('q', 'x')
    assert.strictEqual(await client.lPop('q'), 'x')
  })
})
