'use strict'

/*
 * Rows of the set commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { key, keys, keyCount, keyScan, destinationKeys } = require('./forms')
const { paged } = require('./shapes')

module.exports = [
  {
    name: 'sAdd',
    args: keyMembers,
    ts: '(key: RedisArgument, members: RedisVariadicArgument): Promise<number>'
  },
  { name: 'sCard', args: key, ts: '(key: RedisArgument): Promise<number>' },
  { name: 'sDiff', args: keys, ts: '(keys: RedisVariadicArgument): Promise<T[]>' },
  {
    name: 'sDiffCard',
    args: cardinality,
    ts: '(keys: RedisVariadicArgument, options?: SDiffCardOptions): Promise<number>',
    docs: {
      summary: 'Returns the number of members of the difference of several sets.',
      complexity: 'O(N) where N is the number of members of all sets.'
    }
  },
  {
    name: 'sDiffStore',
    args: destinationKeys,
    ts: '(destination: RedisArgument, keys: RedisVariadicArgument): Promise<number>'
  },
  { name: 'sInter', args: keys, ts: '(keys: RedisVariadicArgument): Promise<T[]>' },
  {
    name: 'sInterCard',
    args (w, keys, options) {
      cardinality(w, keys, typeof options === 'number' ? { LIMIT: options } : options)
    },
    ts: '(keys: RedisVariadicArgument, options?: SInterCardOptions | number): Promise<number>'
  },
  {
    name: 'sInterStore',
    args: destinationKeys,
    ts: '(destination: RedisArgument, keys: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'sIsMember',
    args (w, key, member) {
      w.key(key, 'key')
      w.arg(member, 'member')
    },
    ts: '(key: RedisArgument, member: RedisArgument): Promise<number>'
  },
  { name: 'sMembers', args: key, ts: '(key: RedisArgument): Promise<T[]>' },
  {
    name: 'smIsMember',
    args: keyMembers,
    ts: '(key: RedisArgument, members: RedisVariadicArgument): Promise<number[]>'
  },
  {
    name: 'sMove',
    args (w, source, destination, member) {
      w.key(source, 'source')
      w.key(destination, 'destination')
      w.arg(member, 'member')
    },
    ts: '(source: RedisArgument, destination: RedisArgument, member: RedisArgument): ' +
      'Promise<number>'
  },
  { name: 'sPop', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'sPopCount',
    upper: 'SPOP_COUNT',
    command: ['SPOP'],
    args: keyCount,
    about: 'Pops up to `count` members.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[]>'
  },
  { name: 'sRandMember', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'sRandMemberCount',
    upper: 'SRANDMEMBER_COUNT',
    command: ['SRANDMEMBER'],
    args: keyCount,
    about: 'Returns several members; a negative count allows repeats.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[]>'
  },
  {
    name: 'sRem',
    args: keyMembers,
    ts: '(key: RedisArgument, members: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'sScan',
    args: keyScan,
    reply: reply => {
      const [cursor, members] = paged(reply)
      return { cursor, members }
    },
    ts: '(key: RedisArgument, cursor: RedisArgument, options?: ScanCommonOptions): ' +
      'Promise<{ cursor: T; members: T[] }>'
  },
  { name: 'sUnion', args: keys, ts: '(keys: RedisVariadicArgument): Promise<T[]>' },
  {
    name: 'sUnionCard',
    args (w, keys, options) {
      w.keysCounted(keys, 'keys')
      const o = w.options(options, 'options', UNION_OPTIONS)
      if (o === undefined) return
      if (o.APPROX) w.token('APPROX')
      memberLimit(w, o)
    },
    ts: '(keys: RedisVariadicArgument, options?: SUnionCardOptions): Promise<number>',
    docs: {
      summary: 'Returns the number of members of the union of several sets.',
      complexity: 'O(N) where N is the number of members of all sets.'
    }
  },
  {
    name: 'sUnionStore',
    args: destinationKeys,
    ts: '(destination: RedisArgument, keys: RedisVariadicArgument): Promise<number>'
  }
]

function keyMembers (w, key, members) {
  w.key(key, 'key')
  w.args(members, 'members')
}

function cardinality (w, keys, options) {
  w.keysCounted(keys, 'keys')
  const o = w.options(options, 'options', CARDINALITY_OPTIONS)
  if (o !== undefined) memberLimit(w, o)
}

function memberLimit (w, o) {
  if (!isGiven(o.LIMIT)) return
  w.token('LIMIT')
  w.int(o.LIMIT, 'options.LIMIT')
}

const CARDINALITY_OPTIONS = new Set(['LIMIT'])
const UNION_OPTIONS = new Set(['APPROX', 'LIMIT'])
