'use strict'

// What something has put on `Object.prototype`, a setter or a value that cannot be written, keeps
// no field from an object that is made of a reply, and hears of none.

const assert = require('node:assert')
const { after, afterEach, before, describe, it } = require('node:test')

const { createClient } = require('../..')
const { commands } = require('../../lib/commands')
const { put } = require('../../lib/fields')
const { MODULES } = require('../../lib/modules')
const { startFakeServer } = require('../support/fake-server')

/** What may stand on `Object.prototype` under a name. */
const OBSTACLES = {
  'a setter': { get () { return 'taken' }, set () { heard.push('set') } },
  'a setter without a getter': { set () { heard.push('set') } },
  'a setter that throws': { set () { throw new Error('set') } },
  'a getter alone': { get () { return 'taken' } },
  'a value that cannot be written': { value: 'taken', writable: false }
}

/** Transforms that add fields one by one: method, what the server sends, what it was asked for. */
const TRANSFORMED = [
  ['clientInfo', 'id=3 addr=a name=n resp=3'],
  ['geoSearchWith', [['m', '1.5', 7, ['1', '2']]], ['WITHDIST', 'WITHHASH', 'WITHCOORD']],
  ['hotkeysGet', [['tracking-active', 1, 'by-net-bytes', ['k', 5]]]],
  ['commandInfo', [['get', 2, [], 1, 1, 1, [], [], [['begin_search', ['type', 'index', 'spec',
    ['index', 1]], 'find_keys', ['type', 'range', 'spec', ['lastkey', 0, 'keystep', 1, 'limit',
    0]]]], []]]],
  ['role', ['master', 5, [['127.0.0.1', '1', '5']]]],
  ['xRange', [['1-1', ['role', 'v'], 5, 6]]],
  ['xInfoStream', ['length', 1, 'first-entry', ['1-1', ['f', 'v']]]],
  ['memoryStats', ['peak.allocated', 1, 'db.0', ['overhead', 5], 'fragmentation', '1.5']],
  ['vEmbRaw', ['q8', 'raw', '1.5', '2.5']],
  ['ft.search', [1, 'doc', '0.5', 'payload', '$k', ['role', 'x']],
    { scores: true, payloads: true, sortKeys: true, content: true }],
  ['ft.aggregate', [1, ['role', 'x']]],
  ['ts.info', ['totalSamples', 1, 'ignoreMaxValDiff', '0', 'labels', [['a', 'b']], 'rules', []]],
  ['ts.infoDebug', ['totalSamples', 1, 'keySelfName', 'k', 'Chunks', [['startTimestamp', 1,
    'endTimestamp', 2, 'samples', 1, 'size', 5, 'bytesPerSample', '1.5']]]]
]

/** More fields than V8 keeps in the fast form of an object. */
const LARGE = [...Array.from({ length: 30 }, (_, i) => [`field${i}`, `value${i}`]),
  ['role', 'primary'], ['__proto__', 'kept'], ['toString', 'too']]

const heard = []
const taken = []
afterEach(() => {
  clear()
  assert.deepStrictEqual(heard.splice(0), [])
})

function clear () {
  for (const name of taken.splice(0)) delete Object.prototype[name]
}

/** Puts an obstacle under each of `names` for the rest of the test. */
function obstruct (obstacle, names) {
  for (const name of names) {
    if (Object.hasOwn(Object.prototype, name)) continue
    // eslint-disable-next-line no-extend-native
    Object.defineProperty(Object.prototype, name,
      { __proto__: null, ...obstacle, configurable: true })
    taken.push(name)
  }
}

for (const [name, obstacle] of Object.entries(OBSTACLES)) {
  describe(`with ${name} on Object.prototype`, () => {
    let server, client
    before(async () => {
      server = await startFakeServer()
      server.on('command', ([name, key], reply) => {
        if (key === 'large') return reply.map(LARGE)
        if (name === 'HGETALL') return reply.map([['role', 'primary'], ['other', 'x']])
        if (name === 'CLIENT') return reply.bulk('id=3 addr=a name=n')
        if (name === 'EXEC') return reply.array([['role', 'primary']])
        if (name === 'MULTI') return reply.ok()
        reply.error('WRONGTYPE no')
      })
      client = createClient({ url: server.url })
      await client.hGetAll('k')
    })
    after(async () => {
      client.destroy()
      await server.stop()
    })

    it('hGetAll keeps the field', async () => {
      obstruct(obstacle, ['role'])
      const hash = await client.hGetAll('k')
      assert.deepStrictEqual(Object.entries(hash), [['role', 'primary'], ['other', 'x']])
    })

    it('hGetAll keeps the field among many', async () => {
      obstruct(obstacle, ['role'])
      const hash = await client.hGetAll('large')
      assert.deepStrictEqual(Object.entries(hash), LARGE)
      assert.strictEqual(Object.getPrototypeOf(hash), Object.prototype)
    })

    it('a transaction keeps the field', async () => {
      const sent = client.multi().hGetAll('k').exec()
      obstruct(obstacle, ['role'])
      const [hash] = await sent
      assert.deepStrictEqual(Object.entries(hash), [['role', 'primary']])
    })

    it('an error keeps what it says', async () => {
      const sent = client.incr('k')
      obstruct(obstacle, ['code', 'retryable', 'command', 'applied'])
      const error = await sent.then(assert.fail, error => error)
      assert.deepStrictEqual([error.code, error.retryable, error.command],
        ['WRONGTYPE', false, 'INCR'])
    })

    for (const [method, sent, preserved] of TRANSFORMED) {
      it(`${method} keeps every field`, () => {
        const row = rowOf(method)
        const expected = row.reply(sent, undefined, preserved)
        const names = namesIn(expected)
        assert.ok(names.length > 0)
        obstruct(obstacle, names)
        let made
        try {
          made = row.reply(sent, undefined, preserved)
        } finally {
          clear()
        }
        assert.deepStrictEqual(made, expected)
      })
    }
  })
}

it('a field is an ordinary one, whatever its name', () => {
  for (const name of ['__proto__', 'toString', 'constructor', 'plain', '0', '']) {
    const made = {}
    put(made, name, 5)
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(made, name),
      { value: 5, writable: true, enumerable: true, configurable: true })
    assert.strictEqual(Object.getPrototypeOf(made), Object.prototype)
  }
})

function rowOf (method) {
  const [namespace, name] = method.includes('.') ? method.split('.') : [undefined, method]
  const table = namespace === undefined ? commands : MODULES[namespace]
  return table.find(row => row.name === name)
}

/** The names of all fields within `made`. */
function namesIn (made) {
  if (made instanceof Set || made === null || typeof made !== 'object') return []
  if (Array.isArray(made)) return made.flatMap(namesIn)
  return Object.keys(made).flatMap(name => [name, ...namesIn(made[name])])
}
