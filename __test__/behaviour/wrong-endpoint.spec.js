'use strict'

// The client goes where its options and its URL say, and introduces itself there as they say.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { startServer } = require('../support/redis-server')
const { version } = require('../../package.json')

describe('a client', () => {
  let server, admin
  before(async () => {
    server = await startServer({ unixSocket: true })
    admin = createClient(server.url)
    await admin.sendCommand(['ACL', 'SETUSER', 'jo@ü', 'on', '>p:/@ss wörd', '~*', '+@all'])
    await admin.sendCommand(['ACL', 'SETUSER', 'open', 'on', 'nopass', '~*', '+@all'])
  })
  after(async () => {
    admin.destroy()
    await server.stop()
  })

  // What the server knows of the connection of a client with these options.
  const seen = async (t, options) => {
    const client = createClient(options)
    t.after(() => client.destroy())
    const line = await client.sendCommand(['CLIENT', 'INFO'])
    return Object.fromEntries(line.trim().split(' ').map(pair => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }))
  }
  const at = url => url.replace('HOST', `127.0.0.1:${server.port}`).replace('SOCKET',
    server.unixSocket)
  const encoded = `${encodeURIComponent('jo@ü')}:${encodeURIComponent('p:/@ss wörd')}`

  for (const [url, user, db, isUnix] of [
    ['redis://HOST', 'default', '0', false],
    ['valkey://HOST', 'default', '0', false],
    ['REDIS://HOST/', 'default', '0', false],
    ['redis://HOST/5', 'default', '5', false],
    [`redis://${encoded}@HOST/2`, 'jo@ü', '2', false],
    ['redis://open@HOST', 'open', '0', false],
    ['redis://open:any@HOST', 'open', '0', false],
    ['redis://HOST?ignored=1', 'default', '0', false],
    ['unix://SOCKET', 'default', '0', true],
    ['unix://SOCKET?db=3', 'default', '3', true],
    [`unix://${encoded}@SOCKET?db=4`, 'jo@ü', '4', true]
  ]) {
    it(`is told by the URL ${url}`, async t => {
      const info = await seen(t, at(url))
      assert.deepStrictEqual([info.user, info.db], [user, db])
      // Valkey puts brackets around it.
      if (isUnix) assert.ok(info.addr.replace('[', '').startsWith(server.unixSocket), info.addr)
      else assert.ok(info.addr.startsWith('127.0.0.1:'), info.addr)
    })
  }

  it('is told by the URL, which wins over the options', async t => {
    const url = at(`redis://${encoded}@HOST/2`)
    const provider = () => ({ username: 'nobody', password: 'wrong' })
    for (const others of [{ database: 7 }, { username: 'nobody' }, { password: 'wrong' },
      { socket: { port: 1 } }, { socket: { host: '127.0.0.9', port: '1', path: '/nowhere' } },
      { credentialsProvider: provider }]) {
      const info = await seen(t, { url, ...others })
      assert.deepStrictEqual([info.user, info.db], ['jo@ü', '2'], JSON.stringify(others))
    }
    const unix = await seen(t, { url: at('unix://SOCKET?db=3'), socket: { host: 'x', port: 1 } })
    assert.ok(unix.addr.replace('[', '').startsWith(server.unixSocket))
  })

  it('is told by the options where the URL says nothing', async t => {
    const { port } = server
    const login = { username: 'jo@ü', password: 'p:/@ss wörd' }
    const info = await seen(t, { url: at('redis://HOST'), database: 4, ...login })
    assert.deepStrictEqual([info.user, info.db], ['jo@ü', '4'])
    const asked = await seen(t, { url: at('redis://HOST'), credentialsProvider: () => login })
    assert.strictEqual(asked.user, 'jo@ü')
    const ported = await seen(t, { url: 'redis://127.0.0.1/1', socket: { port } })
    assert.strictEqual(ported.db, '1')
    // A login in the URL is a whole one.
    const whole = await seen(t, { url: at('redis://:any@HOST'), username: 'nobody' })
      .catch(error => error)
    assert.notStrictEqual(whole.user, 'nobody')
  })

  it('is told by a URL with a newline at its end, as a file has it', async t => {
    assert.strictEqual((await seen(t, at('redis://HOST/5\n'))).db, '5')
    assert.strictEqual((await seen(t, { url: at(' redis://HOST/6\r\n') })).db, '6')
  })

  it('duplicated goes where its own options say, and what they leave open stays', async t => {
    const client = createClient({ url: at(`redis://${encoded}@HOST/2`), socket: { family: 4 } })
    t.after(() => client.destroy())
    const seenBy = async overrides => {
      const other = client.duplicate(overrides)
      t.after(() => other.destroy())
      const { user, db } = await other.clientInfo()
      return [user, db]
    }
    assert.deepStrictEqual(await seenBy(), ['jo@ü', 2])
    assert.deepStrictEqual(await seenBy({ database: 3 }), ['jo@ü', 3])
    assert.deepStrictEqual(await seenBy({ username: 'open', password: 'x' }), ['open', 2])
    assert.deepStrictEqual(await seenBy({ socket: { noDelay: false } }), ['jo@ü', 2])
    assert.deepStrictEqual(await seenBy({ url: at('redis://open@HOST/1') }), ['open', 1])
    const moved = client.duplicate({ socket: { port: 1, reconnectStrategy: false } })
    t.after(() => moved.destroy())
    await assert.rejects(moved.get('k'))
  })

  it('is told by options', async t => {
    const { host, port } = server
    const plain = await seen(t, { socket: { host, port }, username: 'open', database: 6 })
    assert.deepStrictEqual([plain.user, plain.db], ['open', '6'])
    const unix = await seen(t, { socket: { path: server.unixSocket }, database: 1 })
    assert.ok(unix.addr.replace('[', '').startsWith(server.unixSocket))
  })

  it('finds localhost by its name, whichever address listens', async t => {
    const { port } = server
    assert.strictEqual((await seen(t, { socket: { host: 'localhost', port } })).user, 'default')
    assert.strictEqual((await seen(t, { socket: { port, family: 4 } })).user, 'default')
  })

  it('introduces itself: name, library, version, protocol', async t => {
    const info = await seen(t, { url: server.url, name: 'me:1' })
    assert.deepStrictEqual([info.name, info.resp], ['me:1', '3'])
    assert.strictEqual((await seen(t, { url: server.url, RESP: 2 })).resp, '2')
    assert.strictEqual((await seen(t, { url: server.url, RESP: 2, name: 'two' })).name, 'two')
    const text = await admin.info('server')
    const [, major, minor] = /redis_version:(\d+)\.(\d+)/.exec(text)
    if (Number(major) * 100 + Number(minor) < 702) {
      t.diagnostic(`the server (${major}.${minor}) keeps no library name: not compared`)
      return
    }
    assert.deepStrictEqual([info['lib-name'], info['lib-ver']], ['oxidis', version])
    const tagged = await seen(t, { url: server.url, clientInfoTag: 'tag' })
    assert.strictEqual(tagged['lib-name'], 'oxidis(tag)')
    const silent = await seen(t, { url: server.url, disableClientInfo: true })
    assert.strictEqual(silent['lib-name'], '')
  })

  it('does not live in a database that the server does not have', async t => {
    const client = createClient({ url: server.url, database: 999 })
    t.after(() => client.destroy())
    const started = performance.now()
    await assert.rejects(client.connect(), { name: 'ConnectionError', code: 'SELECT' })
    await assert.rejects(client.get('k'), { code: 'SELECT' })
    assert.ok(performance.now() - started < 4000)
  })

  it('fails at once when its login is refused, and gets in when it is right again', async t => {
    const options = { url: server.url, username: 'late', password: 'pw' }
    const client = createClient(options)
    t.after(() => client.destroy())
    const started = performance.now()
    await assert.rejects(client.connect(), { name: 'ConnectionError', code: 'AUTH' })
    await assert.rejects(client.get('k'), { code: 'AUTH', applied: 'no' })
    assert.ok(performance.now() - started < 4000)
    await admin.sendCommand(['ACL', 'SETUSER', 'late', 'on', '>pw', '~*', '+@all'])
    for (;;) {
      const result = await client.get('k').catch(error => error)
      if (result === null) break
      assert.strictEqual(result.code, 'AUTH')
      await new Promise(resolve => { setTimeout(resolve, 20) })
    }
  })
})
