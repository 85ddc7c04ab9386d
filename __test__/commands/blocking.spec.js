'use strict'

// A command that waits on the server tells for how long, and never goes to a lane; one that is not
// told to wait goes there like any other. Checked without a server: the bridge is a recorder.

const assert = require('node:assert')
const { describe, test } = require('node:test')

const { Arguments } = require('../../lib/arguments')
const { addCommands } = require('../../lib/methods/from-rows')
const { commands } = require('../../lib/commands')
const { flagsOf, BLOCKING } = require('../../lib/commands/flags')
const calls = require('./calls')
const { encode } = require('./encode')

const rows = new Map(commands.map(row => [row.name, row]))

/** method -> arguments -> how long the server may wait (ms, 0 for ever), or undefined */
const WAITS = [
  ['blPop', ['k', 0], 0],
  ['blPop', ['k', 2], 2000],
  ['blPop', ['k', 0.01], 10],
  ['blPop', ['k', 0.0001], 1],
  ['brPop', ['k', '1.5'], 1500],
  ['brPopLPush', ['a', 'b', 1], 1000],
  ['blMove', ['a', 'b', 'LEFT', 'RIGHT', 3], 3000],
  ['blMoveM', ['a', 'b', 'LEFT', 'RIGHT', 3, { COUNT: 2, ORDER: 'OBO' }], 3000],
  ['blmPop', [4, 'k', 'LEFT'], 4000],
  ['bzPopMin', ['k', 5], 5000],
  ['bzPopMax', [['k', 'l'], 5.5], 5500],
  ['bzmPop', [0, 'k', 'MIN'], 0],
  ['xRead', [{ key: 'k', id: '0' }], undefined],
  ['xRead', [{ key: 'k', id: '0' }, { COUNT: 5 }], undefined],
  ['xRead', [{ key: 'k', id: '0' }, { BLOCK: 250 }], 250],
  ['xReadGroup', ['g', 'c', { key: 'k', id: '>' }], undefined],
  ['xReadGroup', ['g', 'c', { key: 'k', id: '>' }, { BLOCK: 0 }], 0],
  ['wait', [1, 100], 100],
  ['wait', [1, '100'], 100],
  ['wait', [1, 100n], 100],
  ['waitAof', [1, 0, 0], 0]
]

describe('how long the server may wait', () => {
  const w = new Arguments()
  for (const [method, args, expected] of WAITS) {
    const shown = JSON.stringify(args, (name, v) => typeof v === 'bigint' ? `${v}n` : v)
    test(`${method} ${shown}: ${expected}`, () => {
      w.reset()
      rows.get(method).args(w, ...args)
      assert.strictEqual(w.waits, expected)
    })
  }

  test('is forgotten with the command', () => {
    w.wait(5)
    w.reset()
    assert.strictEqual(w.waits, undefined)
  })
})

test('the rows that may wait are those of the commands that the server calls blocking', () => {
  for (const row of commands) {
    const flags = flagsOf(row.command[0], row.command[1])
    // BLMOVEM is newer than the table.
    const expected = (flags & BLOCKING) !== 0 || row.name === 'blMoveM'
    assert.strictEqual(row.blocks, expected, row.name)
  }
})

test('no other command tells to wait', () => {
  const w = new Arguments()
  for (const row of commands) {
    if (row.blocks) continue
    for (const args of calls[row.name]) {
      w.reset()
      row.args?.(w, ...args)
      assert.strictEqual(w.waits, undefined, row.name)
    }
  }
})

describe('the way of a command', () => {
  test('that waits is a connection of its own, with all there is to know', async () => {
    const { client, sent } = recorder({ mode: 2, timeout: 5000 })
    assert.strictEqual(await client.blPop(['k', 'l'], 1.5), 'sent')
    const [[way, job]] = sent
    assert.strictEqual(way, 'sendBlocking')
    assert.deepStrictEqual({ ...job, row: job.row.method }, {
      text: '*4\r\n$5\r\nBLPOP\r\n$1\r\nk\r\n$1\r\nl\r\n$3\r\n1.5\r\n',
      chunks: null,
      mode: 2,
      row: 'blPop',
      context: undefined,
      waits: 1500,
      signal: undefined
    })
  })

  test('that does not is a lane', async () => {
    const { client, sent } = recorder({ mode: 0, timeout: 5000 })
    await client.xRead({ key: 'k', id: '0' })
    const [[way, encoded, mode, timeout]] = sent
    assert.strictEqual(way, 'send')
    assert.ok(encoded.startsWith('*4\r\n$5\r\nXREAD\r\n'))
    assert.notStrictEqual(mode, 0, 'its shape')
    assert.strictEqual(timeout, 5000)
  })

  test('keeps the signal, the type mapping, the prefix and large values', async () => {
    const { signal } = new AbortController()
    const typeMapping = { 36: Buffer }
    const { client, sent } = recorder({ mode: 2, timeout: 0, signal, typeMapping }, 'p:')
    const key = 'x'.repeat(20000)
    await client.BRPOP(['k', key], 0)
    const [[, job]] = sent
    assert.strictEqual(job.signal, signal)
    assert.deepStrictEqual(job.context, { typeMapping, preserved: undefined })
    const bytes = job.chunks.join('') + job.text
    assert.strictEqual(bytes, encode(rows.get('brPop'), [['k', key], 0], 'p:').latin1Slice())
  })

  test('takes a callback', async () => {
    const { client } = recorder({ mode: 0 })
    const reply = await new Promise((resolve, reject) => {
      client.blPop('k', 0, (error, reply) => error ? reject(error) : resolve(reply))
    })
    assert.strictEqual(reply, 'sent')
  })

  test('ends before it begins when an argument is wrong', async () => {
    const { client, sent } = recorder({ mode: 0 })
    await assert.rejects(client.blPop('k', -1), /^TypeError: blPop: argument "timeout" must be 0/)
    await assert.rejects(client.wait(1), /^TypeError: wait: argument "timeout" must be an integer/)
    assert.deepStrictEqual(sent, [])
  })
})

/** A client that only records what would be sent, and how. */
function recorder (options, prefix) {
  const sent = []
  const record = way => (...args) => {
    sent.push([way, ...args])
    return Promise.resolve('sent')
  }
  class Client {
    _command = options
    _keyPrefix = prefix
    _bridge = {
      send: record('send'), sendLarge: record('sendLarge'), sendBlocking: record('sendBlocking')
    }
  }
  addCommands(Client.prototype, commands)
  return { client: new Client(), sent }
}
