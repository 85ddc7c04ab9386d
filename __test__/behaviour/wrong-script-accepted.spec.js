'use strict'

// A script, function or module that cannot work is a TypeError of createClient that names the
// definition and the field; a wrong argument is one of the method, and nothing is sent.

const assert = require('node:assert')
const { describe, it } = require('node:test')
const { inspect } = require('node:util')

const { createClient, createClientPool, defineScript } = require('../..')

const parseCommand = () => {}
const script = { SCRIPT: 'return 1', NUMBER_OF_KEYS: 0, parseCommand }
const broken = fields => ({ scripts: { broken: { ...script, ...fields } } })
const thenable = value => Object.fromEntries(['then'].map(name => [name, value]))
const brokenFunction = fields => ({ functions: { library: { fn: { parseCommand, ...fields } } } })

describe('a definition that is refused', () => {
  const cases = [
    [{ scripts: { broken: null } }, 'scripts.broken'],
    [{ scripts: { broken: 'return 1' } }, 'scripts.broken'],
    [broken({ SCRIPT: undefined }), 'scripts.broken.SCRIPT'],
    [broken({ SCRIPT: 5 }), 'scripts.broken.SCRIPT'],
    [broken({ NUMBER_OF_KEYS: '1' }), 'scripts.broken.NUMBER_OF_KEYS'],
    [broken({ NUMBER_OF_KEYS: -1 }), 'scripts.broken.NUMBER_OF_KEYS'],
    [broken({ NUMBER_OF_KEYS: 0.5 }), 'scripts.broken.NUMBER_OF_KEYS'],
    [broken({ IS_READ_ONLY: 1 }), 'scripts.broken.IS_READ_ONLY'],
    [broken({ parseCommand: undefined }), 'scripts.broken.parseCommand'],
    [broken({ transformReply: null }), 'scripts.broken.transformReply'],
    [broken({ transformReply: 'text' }), 'scripts.broken.transformReply'],
    [broken({ transformReply: { 2: 5 } }), 'scripts.broken.transformReply'],
    [{ functions: { library: null } }, 'functions.library'],
    [{ functions: { library: { fn: 5 } } }, 'functions.library.fn'],
    [brokenFunction({ NUMBER_OF_KEYS: NaN }), 'functions.library.fn.NUMBER_OF_KEYS'],
    [brokenFunction({ parseCommand: 'x' }), 'functions.library.fn.parseCommand'],

    [{ modules: { broken: null } }, 'modules.broken'],
    [{ modules: { broken: { COMMAND: 5 } } }, 'modules.broken.COMMAND'],
    [{ modules: { broken: { COMMAND: {} } } }, 'modules.broken.COMMAND.parseCommand'],
    [{ modules: { broken: { COMMAND: { parseCommand, transformReply: 'x' } } } },
      'modules.broken.COMMAND.transformReply'],
    [{ modules: { get: { COMMAND: { parseCommand } } } }, 'modules.get'],
    [{ modules: { on: { COMMAND: { parseCommand } } } }, 'modules.on'],
    [{ modules: { exec: { COMMAND: { parseCommand } } } }, 'modules.exec'],
    [{ modules: { _own: { COMMAND: { parseCommand } } } }, 'modules._own'],
    [{ modules: thenable({ COMMAND: { parseCommand } }) }, 'modules.then'],
    [{ modules: { one: { COMMAND: { parseCommand } } }, scripts: { one: script } }, 'scripts.one'],

    [{ scripts: { get: script } }, 'scripts.get'],
    [{ scripts: { HGETALL: script } }, 'scripts.HGETALL'],
    [{ scripts: { connect: script } }, 'scripts.connect'],
    [{ scripts: { emit: script } }, 'scripts.emit'],
    [{ scripts: { _bridge: script } }, 'scripts._bridge'],
    [{ functions: { _own: { fn: { parseCommand } } } }, 'functions._own'],
    [{ scripts: { constructor: script } }, 'scripts.constructor'],
    [{ scripts: { ['__proto__']: script } }, 'scripts.__proto__'],
    [{ scripts: thenable(script) }, 'scripts.then'],
    [{ functions: { stats: { fn: { parseCommand } } } }, 'functions.stats'],
    [{ functions: thenable({ fn: { parseCommand } }) }, 'functions.then'],
    [{ scripts: { one: script }, functions: { one: { fn: { parseCommand } } } }, 'functions.one']
  ]
  for (const [options, name] of cases) {
    it(`${inspect(options, { depth: 3, breakLength: Infinity })} names ${name}`, () => {
      for (const create of [createClient, createClientPool]) {
        assert.throws(() => create(options), error => {
          assert.ok(error instanceof TypeError, inspect(error))
          assert.ok(error.message.includes(`"${name}"`), error.message)
          return true
        })
      }
    })
  }

  it('is refused by defineScript if it has no text', () => {
    assert.throws(() => defineScript({ parseCommand }), /defineScript: field "SCRIPT" must be/)
    assert.throws(() => defineScript(), /defineScript: field "SCRIPT" must be/)
  })

  it('is refused if it has the name of a method of multi()', t => {
    if (typeof createClient().multi !== 'function') return t.skip('there is no multi() yet')
    assert.throws(() => createClient({ scripts: { execTyped: script } }), /"scripts.execTyped"/)
  })
})

describe('a definition', () => {
  it('is left as it is, and may be frozen', () => {
    const options = Object.freeze({
      scripts: Object.freeze({ one: Object.freeze({ ...script }) }),
      functions: Object.freeze({ library: Object.freeze({ fn: Object.freeze({ parseCommand }) }) })
    })
    createClient(options).duplicate().destroy()
    assert.deepStrictEqual(Object.keys(options.scripts.one), Object.keys(script))
  })

  it('may have any other name, also for a function of a library', () => {
    const names = ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'get']
    const members = names.map(name => [name, { parseCommand }])
    const client = createClient({
      scripts: { 'two words': script, prototype: script },
      functions: { library: Object.fromEntries(members) }
    })
    assert.deepStrictEqual(Object.keys(client.library).sort(), [...names].sort())
    assert.strictEqual(typeof client['two words'], 'function')
    assert.strictEqual(client.library, client.library)
    client.destroy()
  })

  it('belongs to its client only', () => {
    createClient({ scripts: { one: script } }).destroy()
    assert.strictEqual('one' in createClient(), false)
  })
})

describe('a wrong argument', () => {
  const client = createClient({
    scripts: {
      run: { ...script, parseCommand: (parser, method, ...args) => parser[method](...args) },
      thrower: { ...script, parseCommand () { throw new RangeError('own') } }
    }
  })

  const cases = [
    ['push', 5], ['push', 'x', null], ['push', undefined], ['push', {}], ['push', ['x']],
    ['pushKey', 5], ['pushKey', ['k']], ['pushKey', 5, false], ['pushKeys', [1]],
    ['pushKeys', undefined], ['pushKeysLength', [null]], ['pushVariadic', [['x']]],
    ['pushVariadic', 5], ['pushVariadicWithLength', [1n]], ['pushVariadicNumber', ['1']],
    ['pushVariadicNumber', NaN], ['pushVariadicNumber', undefined]
  ]
  for (const [method, ...args] of cases) {
    it(`${method}(${args.map(arg => inspect(arg)).join(', ')}) names the script`, async () => {
      const named = new RegExp(`^run: argument "parser.push\\w*" must be`)
      await assert.rejects(client.run(method, ...args), { name: 'TypeError', message: named })
      assert.strictEqual(client.stats().commands, 0)
    })
  }

  it('may be refused by the definition itself', async () => {
    await assert.rejects(client.thrower(), { name: 'RangeError', message: 'own' })
    assert.strictEqual(client.stats().commands, 0)
  })
})
