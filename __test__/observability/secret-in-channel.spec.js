'use strict'

// The channels tell names and keys, and never a password, a value or a script.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const { CHANNELS, createClient } = require('../..')
const { commands, sessionCommands } = require('../../lib/commands')
const { MODULES } = require('../../lib/modules')
const { argumentsOf, redacted } = require('../../lib/observability/redact')
const { keysOf } = require('../../scripts/generate/check')
const { startFakeServer } = require('../support/fake-server')
const { argv } = require('../commands/encode')
const calls = require('../commands/calls')
const moduleCalls = {
  ...require('../commands/modules-calls'),
  ft: require('../commands/modules-search-calls'),
  ts: require('../commands/modules-time-series-calls')
}
const { listen } = require('./listening')

const SECRET = 'canary-hunter2'

/** What is told of a command that is given as texts. */
function told (...args) {
  const bytes = args.map(arg => Buffer.from(arg).latin1Slice())
  const text = `*${bytes.length}\r\n` + bytes.map(arg => `$${arg.length}\r\n${arg}\r\n`).join('')
  return redacted(argumentsOf(null, text)).args
}

describe('what is told of a command', () => {
  for (const [what, rows, callsOf] of [
    ['commands', commands, row => calls[row.name]],
    ...Object.entries(MODULES).map(([name, rows]) =>
      [name, rows, row => moduleCalls[name]?.[row.name] ?? []])
  ]) {
    it(`has the keys of each call and nothing else but the name: ${what}`, () => {
      let compared = 0
      for (const row of rows) {
        for (const args of callsOf(row)) {
          const whole = argv(row, args)
          const { args: shown } = redacted(whole)
          assert.strictEqual(shown.length, whole.length)
          const keys = keysOf(row, args).map(key => Buffer.from(key, 'latin1').toString())
          const names = row.command.length === 1 || shown[1] === '?' ? 1 : row.command.length
          const others = shown.slice(names).filter(arg => arg !== '?')
          if (OTHERS[row.name]) {
            assert.deepStrictEqual(others, OTHERS[row.name](whole), row.name)
          } else if (HIDDEN.has(row.name)) {
            assert.deepStrictEqual(others, [], row.name)
          } else {
            assert.deepStrictEqual(others.toSorted(), keys.toSorted(), `${row.name}: ${whole}`)
          }
          assert.strictEqual(shown[0], row.command[0])
          compared++
        }
      }
      assert.ok(compared >= rows.length / 2, `${compared} calls`)
    })
  }

  for (const [args, shown] of [
    [['CONFIG', 'SET', 'requirepass', SECRET], 'CONFIG SET ? ?'],
    [['config', 'set', 'requirepass', SECRET], 'config set ? ?'],
    [['ACL', 'SETUSER', 'alice', 'on', `>${SECRET}`, '~*'], 'ACL SETUSER ? ? ? ?'],
    [['AUTH', 'alice', SECRET], 'AUTH ? ?'],
    [['HELLO', '3', 'AUTH', 'alice', SECRET], 'HELLO ? ? ? ?'],
    [['PSETEX', 'k', '1', SECRET], 'PSETEX k ? ?'],
    [['GETSET', 'k', SECRET], 'GETSET k ?'],
    [['SET', 'k', SECRET, 'EX', '1'], 'SET k ? ? ?'],
    [['EVAL', `return '${SECRET}'`, '1', 'k', SECRET], 'EVAL ? ? k ?'],
    [['MIGRATE', '127.0.0.1', '1', '', '0', '9', 'AUTH', SECRET, 'KEYS', 'a', 'b'],
      'MIGRATE ? ? ? ? ? ? ? ? a b'],
    [['MIGRATE', '127.0.0.1', '1', '', '0', '9', 'AUTH2', 'keys', SECRET, 'KEYS', 'a'],
      'MIGRATE ? ? ? ? ? ? ? ? ? a'],
    [['MIGRATE', '127.0.0.1', '1', 'k', '0', '9', 'AUTH', SECRET], 'MIGRATE ? ? k ? ? ? ?'],
    [['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '2', 'STREAMS', 's', '>'],
      'XREADGROUP GROUP g ? ? ? ? s ?'],
    [['PUBLISH', 'channel', SECRET], 'PUBLISH channel ?'],
    [['SPUBLISH', 'channel', SECRET], 'SPUBLISH channel ?'],
    [['SORT', 'k', 'BY', SECRET, 'STORE', 'd'], 'SORT k ? ? ? d'],
    [['MODULE', 'LOADEX', '/x.so', 'CONFIG', 'password', SECRET], 'MODULE LOADEX ? ? ? ?'],
    [['CONFIG', SECRET], 'CONFIG ?'],
    [['SENTINEL', 'SET', 'mymaster', 'auth-pass', SECRET], 'SENTINEL ? ? ? ?'],
    [['SOMETHING', SECRET], 'SOMETHING ?'],
    [['OTHER.SET', SECRET], 'OTHER.SET ?'],
    [['FT.SEARCH', 'index', SECRET], 'FT.SEARCH ? ?'],
    [['JSON.SET', 'k', '$', SECRET], 'JSON.SET k ? ?'],
    [[`my ${SECRET}`, 'x'], '? ?'],
    [['EVAL', 's', '-1', SECRET], 'EVAL ? ? ?'],
    [['EVAL', 's', '99999999999', SECRET], 'EVAL ? ? ?'],
    [['GET', 'ключ'], 'GET ключ'],
    [['GET'], 'GET']
  ]) {
    it(`is for ${args.join(' ').replaceAll(SECRET, '...')}: ${shown}`, () => {
      assert.strictEqual(told(...args).join(' '), shown)
    })
  }
})

describe('the messages of a client', () => {
  let server
  before(async () => {
    server = await startFakeServer()
    server.on('command', (args, reply) => {
      if (args[0] === 'MULTI') return reply.ok()
      if (args[0] === 'EXEC') return reply.send('*1\r\n+OK\r\n')
      return reply.ok()
    })
  })
  after(() => server.stop())

  it('have no secret, whatever way it is sent', async () => {
    const client = createClient({ url: server.url })
    await client.connect()
    const names = Object.values(CHANNELS).filter(name => name !== CHANNELS.COMMAND_REPLY)
    const listening = listen(names)
    const large = Buffer.alloc(32 * 1024, SECRET)
    await client.set('k', SECRET)
    await client.set('large', large)
    await client.set('large', large.toString())
    await client.sendCommand(['SET', 'k', SECRET])
    await client.sendCommand(['CONFIG', 'SET', 'requirepass', SECRET])
    await client.multi().set('k', SECRET).exec()
    await client.multi().set('k', SECRET).set('large', large).execAsPipeline()
    await client.withAbortSignal(new AbortController().signal).getSet('k', SECRET)
    await client.session(async session => {
      await session.auth({ username: 'alice', password: SECRET })
      await session.set('k', SECRET)
      await session.set('large', large)
    })
    await client.blPop(SECRET, 0).catch(() => {})
    listening.stop()
    await client.destroy()
    const started = listening.of(CHANNELS.TRACE_COMMAND, 'start')
    assert.deepStrictEqual(started.map(({ args }) => args.join(' ')), [
      'SET k ?', 'SET large ?', 'SET large ?', 'SET k ?', 'CONFIG SET ? ?', 'SET k ?',
      'SET large ?', 'GETSET k ?', 'AUTH ? ?', 'SET k ?', 'SET large ?', `BLPOP ${SECRET} ?`
    ])
    const rest = listening.events.filter(({ message }) => message.command !== 'BLPOP')
    assert.ok(!JSON.stringify(rest).includes(SECRET))
  })

  it('have no secret of commands that change a connection', () => {
    for (const row of sessionCommands) {
      const shown = told(...row.command, SECRET, SECRET)
      // The second argument is a key there.
      const hasKey = row.name === 'watch' || row.name === 'hImportSet'
      assert.ok(hasKey || !shown.includes(SECRET), row.name)
    }
  })
})

/** What is shown although it is no key: names of channels and of consumer groups. */
const OTHERS = {
  publish: ([, channel]) => [Buffer.from(channel, 'latin1').toString()],
  sPublish: ([, channel]) => [Buffer.from(channel, 'latin1').toString()],
  xReadGroup: args => {
    const at = args.indexOf('STREAMS')
    const count = (args.length - at - 1) / 2
    return [...args.slice(1, 3), ...args.slice(at + 1, at + 1 + count)]
      .map(arg => Buffer.from(arg, 'latin1').toString())
  }
}

/** It is a key, but the table has no place of it: any node can answer. */
const HIDDEN = new Set(['clusterKeySlot'])
