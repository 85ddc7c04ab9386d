'use strict'

// Whoever may not log in, or may not run what the options need, learns why.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { diagnose } = require('../../lib/doctor')
const { openControl } = require('../support/control-connection')
const { skipBefore7, startServer } = require('../support/redis-server')
const { SECRET, finding, scripted, statusOf } = require('./scene')

describe('a login', () => {
  let server
  before(async () => { server = await startServer({ requirepass: SECRET }) })
  after(() => server.stop())

  it('with a wrong password is told, without the password', async () => {
    const password = `${SECRET}-wrong`
    const { socket } = at(server)
    const { text, report } = await finding({ socket, password }, 'WRONG_PASSWORD')
    assert.match(text, /user default/)
    assert.strictEqual(report.status, 2)
  })

  it('of a user that is not there is told', async () => {
    const found = await finding({ ...at(server), username: 'alice', password: SECRET },
      'WRONG_PASSWORD')
    assert.match(found.text, /user alice/)
  })

  it('that is missing is told', async () => {
    await finding(at(server), 'PASSWORD_MISSING')
  })

  it('that is right is told to be right', async () => {
    const report = await diagnose(server.url)
    assert.ok(report.status < 2)
    assert.ok(report.findings.some(({ text }) => text === 'logged in as default'))
    assert.ok(!JSON.stringify(report).includes(SECRET))
  })

  it('that nobody asks for is told', async t => {
    const open = await startServer()
    t.after(() => open.stop())
    await finding({ ...at(open), password: SECRET }, 'PASSWORD_UNNEEDED')
  })

  it('of a provider is asked for', async () => {
    const provider = { credentials: async () => ({ password: SECRET }) }
    const report = await diagnose({ ...at(server), credentialsProvider: provider })
    assert.ok(report.status < 2, JSON.stringify(report))
    const refuse = async () => { throw new Error(SECRET) }
    await finding({ ...at(server), credentialsProvider: refuse }, 'PROVIDER_FAILED')
  })

  it('that comes in a stream is not asked for', async t => {
    const open = await scripted(t)
    const credentialsProvider = {
      subscribe: async listener => {
        listener.onNext({ username: 'default', password: 'x' })
        return [{}, { dispose () {} }]
      }
    }
    await finding({ ...at(open), credentialsProvider }, 'LOGIN_STREAMED')
  })
})

describe('a server that lets nobody in', () => {
  for (const [code, error] of [
    ['NO_MORE_CLIENTS', 'ERR max number of clients reached'],
    ['PROTECTED_MODE', 'DENIED Redis is running in protected mode because ...'],
    ['PING_REFUSED', 'ERR unknown command \'PING\'']
  ]) {
    it(`is told: ${code}`, async t => {
      const server = await scripted(t, { PING: `-${error}\r\n` })
      assert.strictEqual((await finding(server.url, code)).report.status, 2)
    })
  }

  for (const [code, error] of [
    ['PRIMARY_LOST', 'MASTERDOWN Link with MASTER is down'],
    ['SCRIPT_RUNNING', 'BUSY Redis is busy running a script'],
    ['NO_PING', 'NOPERM this user has no permissions to run the \'ping\' command']
  ]) {
    it(`for now is told: ${code}`, async t => {
      const server = await scripted(t, { PING: `-${error}\r\n` })
      await finding(server.url, code)
    })
  }

  it('because it has as many clients as it takes is told by a real one', async t => {
    const server = await startServer({ args: ['--maxclients', '1'] })
    t.after(() => server.stop())
    const control = await openControl(server)
    t.after(() => control.close())
    await finding(server.url, 'NO_MORE_CLIENTS')
  })
})

describe('a user', { skip: skipBefore7() }, () => {
  let server, control
  before(async () => {
    server = await startServer()
    control = await openControl(server)
  })
  after(async () => {
    control.close()
    await server.stop()
  })

  const user = async (...rules) => {
    await control.command('ACL', 'SETUSER', 'alice', 'reset', 'on', `>${SECRET}`, ...rules)
    return { ...at(server), username: 'alice', password: SECRET }
  }

  it('that may not select the database of the options is told', async () => {
    const options = await user('+@all', '-select', '~*')
    const { remedy } = await finding({ ...options, database: 1 }, 'NOT_ALLOWED')
    assert.match(remedy, /\+select/)
    const report = await diagnose(options)
    assert.ok(!report.findings.some(({ code }) => code === 'NOT_ALLOWED'))
  })

  it('that may not name the connection is told', async () => {
    const options = await user('+@all', '-client|setname', '~*')
    const { remedy } = await finding({ ...options, name: 'shop' }, 'NOT_ALLOWED')
    assert.match(remedy, /\+client\|setname/)
  })

  it('that may not tell its library is told', async t => {
    // Servers know that command from 7.2 on.
    const other = await scripted(t, {
      'CLIENT SETINFO': '-NOPERM User alice has no permissions to run the command\r\n'
    })
    const { report } = await finding(other.url, 'NO_SETINFO')
    assert.strictEqual(statusOf(report), 0)
  })

  it('that may read some keys only is told', async () => {
    await finding(await user('+@all', '~shop:*'), 'KEYS_LIMITED')
  })

  it('whose database is not there is told', async () => {
    await finding({ ...await user('+@all', '~*'), database: 99 }, 'NO_DATABASE')
  })
})

function at ({ host, port }) {
  return { socket: { host, port } }
}
