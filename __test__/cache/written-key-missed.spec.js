'use strict'

// Whichever command of the table writes, the client forgets each key that it writes to.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const { Arguments } = require('../../lib/arguments')
const {
  ALL, ANY, CHAIN, CONNECTION, FIRST, NOTHING, WATCH, effectOf, visitArguments
} = require('../../lib/cache/own-writes')
const { commands } = require('../../lib/commands')
const { READONLY, REPEATABLE, WRITE, flagsOf } = require('../../lib/commands/flags')
const { compile, headOf } = require('../../lib/methods/from-rows')
const { BLOCK } = require('../../lib/mode')
const calls = require('../commands/calls')

/** A writer that notes the keys, a char for each byte. */
class Noter extends Arguments {
  noted = []
  key (v, name) {
    this.noted.push(Buffer.from(v).latin1Slice())
    super.key(v, name)
  }

  manyKeys () {
    return false
  }
}

/** What a command, encoded by a row, makes a client forget. */
function forgotten (row, w) {
  const text = headOf(row, w.argc) + w.body
  const effect = effectOf(row, row.mode)
  const keys = new Set()
  if (effect === ANY || effect === FIRST) {
    visitArguments(w.chunks, text, (argument, place) => {
      if (place === 0) return true
      keys.add(argument)
      return effect === ANY
    })
  }
  return { effect, keys }
}

describe('a command that writes', () => {
  it('makes its client forget all of its keys', () => {
    let tried = 0
    for (const plain of commands) {
      const row = compile(plain)
      const flags = flagsOf(plain.command[0], plain.command[1])
      const isQuiet = (flags & (READONLY | REPEATABLE)) !== 0 && (flags & WRITE) === 0
      for (const args of calls[plain.name] ?? []) {
        const w = new Noter()
        w.reset(null, false)
        try {
          row.args?.(w, ...args)
        } catch {
          // Refused before it is sent.
          continue
        }
        const { effect, keys } = forgotten(row, w)
        if (isQuiet) {
          assert.strictEqual(effect, NOTHING, plain.name)
          continue
        }
        if (effect === ALL || effect === CONNECTION) continue
        tried++
        for (const key of w.noted) assert.ok(keys.has(key), `${plain.name}: ${inspect(args)}`)
      }
    }
    assert.ok(tried > 300, String(tried))
  })

  it('of a module, or unknown, makes it forget all arguments', () => {
    for (const command of ['JSON.SET', 'TS.MADD', 'FOO', undefined]) {
      assert.strictEqual(effectOf({ command }, 0), ANY)
    }
    assert.strictEqual(effectOf({ command: 'JSON.GET' }, 0), NOTHING)
  })

  it('of all keys, of a chain, of the connection is known as such', () => {
    for (const command of ['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'SELECT', 'AUTH', 'EXEC', 'DEBUG']) {
      assert.strictEqual(effectOf({ command }, 0), ALL, command)
    }
    assert.strictEqual(effectOf({ command: 'EXEC' }, BLOCK), CHAIN)
    assert.strictEqual(effectOf({ command: 'WATCH' }, 2 ** 17), WATCH)
    assert.strictEqual(effectOf({ command: 'WATCH' }, 0), NOTHING)
    for (const command of ['HELLO', 'CLIENT', 'CLIENT TRACKING']) {
      assert.strictEqual(effectOf({ command }, 0), CONNECTION, command)
    }
  })
})

describe('encoded commands', () => {
  const visited = (chunks, tail) => {
    const all = []
    visitArguments(chunks, tail, (argument, place) => { all.push([place, argument]) })
    return all
  }

  it('are read argument by argument, also those that are empty or look like RESP', () => {
    const value = '$1\r\nx\r\n'
    const text = `*3\r\n$3\r\nSET\r\n$0\r\n\r\n$7\r\n${value}\r\n*1\r\n$4\r\nEXEC\r\n`
    assert.deepStrictEqual(visited(null, text), [[0, 'SET'], [1, ''], [2, value], [0, 'EXEC']])
  })

  it('are read around the values that stand apart', () => {
    const large = Buffer.alloc(20_000)
    const chunks = ['*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$20000\r\n', large,
      '\r\n$1\r\nb\r\n$20000\r\n', large]
    assert.deepStrictEqual(visited(chunks, '\r\n*2\r\n$3\r\nDEL\r\n$1\r\nc\r\n'),
      [[0, 'MSET'], [1, 'a'], [3, 'b'], [0, 'DEL'], [1, 'c']])
  })

  it('are read no further than asked', () => {
    const all = []
    visitArguments(null, '*2\r\n$3\r\nDEL\r\n$1\r\na\r\n', argument => {
      all.push(argument)
      return false
    })
    assert.deepStrictEqual(all, ['DEL'])
  })
})
