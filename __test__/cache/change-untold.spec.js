'use strict'

// Each command whose replies are cached: the server tells when a key of it is written to. A command
// of which a server does not, or not for each of its keys, must not be in the table.

const assert = require('node:assert')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { RESP_TYPES } = require('../..')
const { commands } = require('../../lib/commands')
const { CACHEABLE } = require('../../lib/commands/cacheable')
const { NAMESPACES, rowsOf } = require('../../lib/modules')
const { startScene } = require('./scene')

/** A folder with the `.so` files of server modules, for JSON. */
const MODULES = process.env.OXIDIS_TEST_MODULES

const AROUND = [{ longitude: 1, latitude: 1 }, 500, 'km']

/** Type -> how a key of it is made, and how it is changed. */
const TYPES = {
  string: [(c, k) => c.set(k, 'abc'), (c, k) => c.append(k, 'd')],
  hash: [(c, k) => c.hSet(k, { f: 'v', g: 'w' }), (c, k) => c.hSet(k, 'f', String(Math.random()))],
  life: [async (c, k) => {
    await c.hSet(k, { f: 'v' })
    await c.hExpire(k, 'f', 1000)
  }, (c, k) => c.hExpire(k, 'f', 2000)],
  list: [(c, k) => c.rPush(k, ['a', 'b']), (c, k) => c.rPush(k, 'c')],
  set: [(c, k) => c.sAdd(k, ['a', 'b']), (c, k) => c.sAdd(k, String(Math.random()))],
  sorted: [(c, k) => c.zAdd(k, [{ score: 1, value: 'a' }, { score: 2, value: 'b' }]),
    (c, k) => c.zIncrBy(k, 1, 'a')],
  place: [(c, k) => c.geoAdd(k, [{ longitude: 1, latitude: 1, member: 'a' },
    { longitude: 2, latitude: 2, member: 'b' }]),
  (c, k) => c.geoAdd(k, { longitude: 1 + Math.random(), latitude: 1, member: 'a' })],
  stream: [(c, k) => c.xAdd(k, '*', { a: 'b' }), (c, k) => c.xAdd(k, '*', { a: 'c' })],
  estimate: [(c, k) => c.pfAdd(k, ['a', 'b']), (c, k) => c.pfAdd(k, String(Math.random()))],
  vector: [(c, k) => c.vAdd(k, [1, 2, 3], 'a', { SETATTR: { x: 1 } }),
    (c, k) => c.vAdd(k, [3, 2, Math.random()], String(Math.random()))],
  json: [(c, k) => c.json.set(k, '$', { a: [1], s: 'x', o: { p: 1 } }),
    (c, k) => c.json.set(k, '$.a', [Math.random()])]
}

/** Type -> method -> a call with keys `k` and `l`, which are in one slot. */
const CALLS = {
  string: {
    bitCount: (c, k) => c.bitCount(k),
    bitFieldRo: (c, k) => c.bitFieldRo(k, [{ encoding: 'u8', offset: 0 }]),
    bitPos: (c, k) => c.bitPos(k, 1),
    exists: (c, k, l) => c.exists([k, l]),
    expireTime: (c, k) => c.expireTime(k),
    get: (c, k) => c.get(k),
    getBit: (c, k) => c.getBit(k, 1),
    getRange: (c, k) => c.getRange(k, 0, -1),
    lcs: (c, k, l) => c.lcs(k, l),
    lcsIdx: (c, k, l) => c.lcsIdx(k, l),
    lcsIdxWithMatchLen: (c, k, l) => c.lcsIdxWithMatchLen(k, l),
    lcsLen: (c, k, l) => c.lcsLen(k, l),
    mGet: (c, k, l) => c.mGet([k, l]),
    pExpireTime: (c, k) => c.pExpireTime(k),
    strLen: (c, k) => c.strLen(k),
    type: (c, k) => c.type(k)
  },
  hash: {
    hExists: (c, k) => c.hExists(k, 'f'),
    hGet: (c, k) => c.hGet(k, 'f'),
    hGetAll: (c, k) => c.hGetAll(k),
    hKeys: (c, k) => c.hKeys(k),
    hLen: (c, k) => c.hLen(k),
    hmGet: (c, k) => c.hmGet(k, ['f', 'g']),
    hStrLen: (c, k) => c.hStrLen(k, 'f'),
    hVals: (c, k) => c.hVals(k)
  },
  life: {
    hExpireTime: (c, k) => c.hExpireTime(k, 'f'),
    hpExpireTime: (c, k) => c.hpExpireTime(k, 'f')
  },
  list: {
    lIndex: (c, k) => c.lIndex(k, 0),
    lLen: (c, k) => c.lLen(k),
    lPos: (c, k) => c.lPos(k, 'a'),
    lPosCount: (c, k) => c.lPosCount(k, 'a', 1),
    lRange: (c, k) => c.lRange(k, 0, -1)
  },
  set: {
    sCard: (c, k) => c.sCard(k),
    sDiff: (c, k, l) => c.sDiff([k, l]),
    sInter: (c, k, l) => c.sInter([k, l]),
    sInterCard: (c, k, l) => c.sInterCard([k, l]),
    sIsMember: (c, k) => c.sIsMember(k, 'a'),
    sMembers: (c, k) => c.sMembers(k),
    smIsMember: (c, k) => c.smIsMember(k, ['a', 'x']),
    sUnion: (c, k, l) => c.sUnion([k, l])
  },
  sorted: {
    zCard: (c, k) => c.zCard(k),
    zCount: (c, k) => c.zCount(k, 0, 9),
    zDiff: (c, k, l) => c.zDiff([k, l]),
    zDiffWithScores: (c, k, l) => c.zDiffWithScores([k, l]),
    zInter: (c, k, l) => c.zInter([{ key: k, weight: 2 }, { key: l, weight: 1 }]),
    zInterWithScores: (c, k, l) => c.zInterWithScores([k, l]),
    zInterCard: (c, k, l) => c.zInterCard([k, l]),
    zLexCount: (c, k) => c.zLexCount(k, '-', '+'),
    zmScore: (c, k) => c.zmScore(k, ['a', 'b']),
    zRange: (c, k) => c.zRange(k, 0, -1),
    zRangeWithScores: (c, k) => c.zRangeWithScores(k, 0, -1),
    zRangeByLex: (c, k) => c.zRangeByLex(k, '-', '+'),
    zRangeByScore: (c, k) => c.zRangeByScore(k, 0, 9),
    zRangeByScoreWithScores: (c, k) => c.zRangeByScoreWithScores(k, 0, 9),
    zRank: (c, k) => c.zRank(k, 'a'),
    zRankWithScore: (c, k) => c.zRankWithScore(k, 'a'),
    zRevRank: (c, k) => c.zRevRank(k, 'a'),
    zRevRankWithScore: (c, k) => c.zRevRankWithScore(k, 'a'),
    zScore: (c, k) => c.zScore(k, 'a'),
    zUnion: (c, k, l) => c.zUnion([k, l]),
    zUnionWithScores: (c, k, l) => c.zUnionWithScores([k, l])
  },
  place: {
    geoDist: (c, k) => c.geoDist(k, 'a', 'b'),
    geoHash: (c, k) => c.geoHash(k, ['a']),
    geoPos: (c, k) => c.geoPos(k, ['a']),
    geoRadiusByMemberRo: (c, k) => c.geoRadiusByMemberRo(k, 'a', 500, 'km'),
    geoRadiusByMemberRoWith: (c, k) => c.geoRadiusByMemberRoWith(k, 'a', 500, 'km', ['WITHDIST']),
    geoRadiusRo: (c, k) => c.geoRadiusRo(k, ...AROUND),
    geoRadiusRoWith: (c, k) => c.geoRadiusRoWith(k, ...AROUND, ['WITHDIST']),
    geoSearch: (c, k) => c.geoSearch(k, 'a', { radius: 500, unit: 'km' }),
    geoSearchWith: (c, k) => c.geoSearchWith(k, 'a', { radius: 500, unit: 'km' }, ['WITHDIST'])
  },
  stream: {
    xLen: (c, k) => c.xLen(k),
    xRange: (c, k) => c.xRange(k, '-', '+'),
    xRevRange: (c, k) => c.xRevRange(k, '+', '-')
  },
  estimate: { pfCount: (c, k, l) => c.pfCount([k, l]) },
  vector: {
    vCard: (c, k) => c.vCard(k),
    vDim: (c, k) => c.vDim(k),
    vEmb: (c, k) => c.vEmb(k, 'a'),
    vEmbRaw: (c, k) => c.vEmbRaw(k, 'a'),
    vGetAttr: (c, k) => c.vGetAttr(k, 'a')
  },
  json: {
    'json.arrLen': (c, k) => c.json.arrLen(k, { path: '$.a' }),
    'json.get': (c, k) => c.json.get(k),
    'json.objKeys': (c, k) => c.json.objKeys(k, { path: '$.o' }),
    'json.objLen': (c, k) => c.json.objLen(k, { path: '$.o' }),
    'json.strLen': (c, k) => c.json.strLen(k, { path: '$.s' }),
    'json.type': (c, k) => c.json.type(k, { path: '$.a' })
  }
}

const { BLOB_STRING, DOUBLE, MAP, NUMBER, SET } = RESP_TYPES
const MAPPINGS = [{ [BLOB_STRING]: Buffer }, { [MAP]: Map, [SET]: Set, [DOUBLE]: String },
  { [MAP]: Array, [NUMBER]: BigInt, [BLOB_STRING]: Buffer }]

/** They have no method, and what `sendCommand` sends is not cached. */
const WITHOUT_METHOD =
  ['SUBSTR', 'VISMEMBER', 'ZREVRANGE', 'ZREVRANGEBYLEX', 'ZREVRANGEBYSCORE']

describe('a write to a key that was read', () => {
  let scene
  before(async () => {
    const args = MODULES === undefined ? [] : ['--loadmodule', path.join(MODULES, 'rejson.so')]
    scene = await startScene({}, {}, { args })
  })
  after(() => scene.stop())

  it('is tried for each method whose replies are cached', () => {
    const modules = NAMESPACES.flatMap(rowsOf)
    const rows = [...commands, ...modules].filter(row =>
      CACHEABLE.has(row.command[0]) || CACHEABLE.has(row.command.join(' ')))
    const names = rows.map(row => row.namespace === undefined ? row.name
      : `${row.namespace}.${row.name}`)
    const tried = Object.values(CALLS).flatMap(Object.keys)
    assert.deepStrictEqual(tried.sort(), names.sort())
    const found = new Set(rows.map(row => row.command[0]))
    assert.deepStrictEqual([...CACHEABLE].filter(name => !found.has(name)), WITHOUT_METHOD)
  })

  for (const [type, calls] of Object.entries(CALLS)) {
    const [make, change] = TYPES[type]
    for (const [method, call] of Object.entries(calls)) {
      it(`is told after ${method}`, async t => {
        const { client, other, cache } = scene
        await scene.reset()
        const [k, l] = [`{${type}}:${method}:1`, `{${type}}:${method}:2`]
        try {
          await make(other, k)
        } catch (error) {
          if (!/unknown command/.test(error.message)) throw error
          return t.skip(`this server has no keys of the type ${type}`)
        }
        await make(other, l)
        try {
          await call(client, k, l)
        } catch (error) {
          if (!/wrong number of arguments/.test(error.message)) throw error
          return t.skip('this server knows the command without this option')
        }
        const [{ keys }] = client._bridge.table.index.values()
        for (const key of [keys].flat()) {
          await scene.told(key, () => change(other, key))
          assert.strictEqual(cache.size(), 0)
          const expected = await call(other, k, l)
          assert.deepStrictEqual(await call(client, k, l), expected)
          assert.deepStrictEqual(await call(client, k, l), expected)
          assert.strictEqual(cache.size(), 1)
        }
        for (const mapping of MAPPINGS) {
          const expected = await call(other.withTypeMapping(mapping), k, l)
          const view = client.withTypeMapping(mapping)
          for (let n = 0; n < 2; n++) assert.deepStrictEqual(await call(view, k, l), expected)
        }
        assert.ok(cache.stats().hitCount >= MAPPINGS.length)
        const takesTwo = call.length === 3
        assert.deepStrictEqual([keys].flat(), takesTwo ? [k, l] : [k])
        await scene.told(k, () => other.del(k))
        assert.deepStrictEqual(await call(client, k, l).catch(error => error.code),
          await call(other, k, l).catch(error => error.code))
      })
    }
  }
})
