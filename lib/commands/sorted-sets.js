'use strict'

/*
 * Rows of the sorted-set commands that name members: add, score, rank, pop, remove, scan. Ranges
 * are in sorted-set-ranges.js, set algebra in sorted-set-algebra.js. See index.js for what a row
 * is. Scores are sent as `+inf` and `-inf` at the ends, and arrive as numbers in both protocols.
 */

const { fail, isGiven } = require('../arguments')
const { key, keyCount, keyScan, suffixed, waitSeconds } = require('./forms')
const {
  double, doubles, popped, poppedFrom, poppedWithKey, ranked, scored
} = require('./replies')
const { paged } = require('./shapes')

/* Signatures that several rows share. */
const POPPED = '(key: RedisArgument): Promise<{ value: T; score: number } | null>'
const POPPED_WAITING = '(keys: RedisVariadicArgument, timeout: RedisDouble): ' +
  'Promise<{ key: T; value: T; score: number } | null>'
const COUNTED = '(key: RedisArgument, count: RedisInteger): Promise<{ value: T; score: number }[]>'
const RANKED = '(key: RedisArgument, member: RedisArgument): ' +
  'Promise<{ rank: number; score: number } | null>'

module.exports = [
  {
    name: 'bzmPop',
    blocks: true,
    args (w, timeout, keys, side, options) {
      waitSeconds(w, timeout, 'timeout')
      popSeveral(w, keys, side, options)
    },
    reply: poppedFrom,
    ts: "(timeout: RedisDouble, keys: RedisVariadicArgument, side: 'MIN' | 'MAX', " +
      'options?: ZMPopOptions): ' +
      'Promise<{ key: T; members: { value: T; score: number }[] } | null>'
  },
  { name: 'bzPopMax', blocks: true, args: keysWait, reply: poppedWithKey, ts: POPPED_WAITING },
  { name: 'bzPopMin', blocks: true, args: keysWait, reply: poppedWithKey, ts: POPPED_WAITING },
  {
    name: 'zAdd',
    args (w, key, members, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', ZADD_OPTIONS)
      if (o !== undefined) addOptions(w, o)
      scoredMembers(w, members)
    },
    reply: double,
    ts: '(key: RedisArgument, members: SortedSetMember | SortedSetMember[], ' +
      'options?: ZAddOptions): Promise<number>'
  },
  {
    name: 'zAddIncr',
    upper: 'ZADD_INCR',
    command: ['ZADD'],
    args (w, key, members, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', ZADD_INCR_OPTIONS)
      if (o !== undefined) addOptions(w, o)
      w.token('INCR')
      scoredMembers(w, members)
    },
    reply: double,
    about: 'Increments the score; null when a condition kept it from happening.',
    ts: '(key: RedisArgument, members: SortedSetMember | SortedSetMember[], ' +
      'options?: ZAddIncrOptions): Promise<number | null>'
  },
  { name: 'zCard', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'zIncrBy',
    args (w, key, increment, member) {
      w.key(key, 'key')
      w.float(increment, 'increment')
      w.arg(member, 'member')
    },
    reply: double,
    ts: '(key: RedisArgument, increment: RedisDouble, member: RedisArgument): Promise<number>'
  },
  {
    name: 'zmPop',
    args: popSeveral,
    reply: poppedFrom,
    ts: "(keys: RedisVariadicArgument, side: 'MIN' | 'MAX', options?: ZMPopOptions): " +
      'Promise<{ key: T; members: { value: T; score: number }[] } | null>'
  },
  {
    name: 'zmScore',
    args: keyMembers,
    reply: doubles,
    ts: '(key: RedisArgument, members: RedisVariadicArgument): Promise<(number | null)[]>'
  },
  { name: 'zPopMax', args: key, reply: popped, ts: POPPED },
  {
    name: 'zPopMaxCount',
    upper: 'ZPOPMAX_COUNT',
    command: ['ZPOPMAX'],
    args: keyCount,
    shape: 'flat',
    reply: scored,
    about: 'Pops up to `count` members.',
    ts: COUNTED
  },
  { name: 'zPopMin', args: key, reply: popped, ts: POPPED },
  {
    name: 'zPopMinCount',
    upper: 'ZPOPMIN_COUNT',
    command: ['ZPOPMIN'],
    args: keyCount,
    shape: 'flat',
    reply: scored,
    about: 'Pops up to `count` members.',
    ts: COUNTED
  },
  { name: 'zRandMember', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'zRandMemberCount',
    upper: 'ZRANDMEMBER_COUNT',
    command: ['ZRANDMEMBER'],
    args: keyCount,
    about: 'Returns several members; a negative count allows repeats.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[]>'
  },
  {
    name: 'zRandMemberCountWithScores',
    upper: 'ZRANDMEMBER_COUNT_WITHSCORES',
    command: ['ZRANDMEMBER'],
    args: suffixed(keyCount, 'WITHSCORES'),
    shape: 'flat',
    reply: scored,
    about: 'Returns several members with their scores; a negative count allows repeats.',
    ts: COUNTED
  },
  {
    name: 'zRank',
    args: keyMember,
    ts: '(key: RedisArgument, member: RedisArgument): Promise<number | null>'
  },
  {
    name: 'zRankWithScore',
    upper: 'ZRANK_WITHSCORE',
    command: ['ZRANK'],
    args: suffixed(keyMember, 'WITHSCORE'),
    reply: ranked,
    about: 'Returns the score beside the rank (since 7.2.0).',
    ts: RANKED
  },
  {
    name: 'zRem',
    args: keyMembers,
    ts: '(key: RedisArgument, members: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'zRevRank',
    args: keyMember,
    ts: '(key: RedisArgument, member: RedisArgument): Promise<number | null>'
  },
  {
    name: 'zRevRankWithScore',
    upper: 'ZREVRANK_WITHSCORE',
    command: ['ZREVRANK'],
    args: suffixed(keyMember, 'WITHSCORE'),
    reply: ranked,
    about: 'Returns the score beside the rank (since 7.2.0).',
    ts: RANKED
  },
  {
    name: 'zScan',
    args: keyScan,
    reply: (reply, mapping) => {
      const [cursor, members] = paged(reply)
      return { cursor, members: scored(members, mapping) }
    },
    ts: '(key: RedisArgument, cursor: RedisArgument, options?: ScanCommonOptions): ' +
      'Promise<{ cursor: T; members: { value: T; score: number }[] }>'
  },
  {
    name: 'zScore',
    args: keyMember,
    reply: double,
    ts: '(key: RedisArgument, member: RedisArgument): Promise<number | null>'
  }
]

function keyMember (w, key, member) {
  w.key(key, 'key')
  w.arg(member, 'member')
}

function keyMembers (w, key, members) {
  w.key(key, 'key')
  w.args(members, 'members')
}

/** (keys, side, options) */
function popSeveral (w, keys, side, options) {
  w.keysCounted(keys, 'keys')
  w.oneOf(side, 'side', ['MIN', 'MAX'])
  const o = w.options(options, 'options', ZMPOP_OPTIONS)
  if (!isGiven(o?.COUNT)) return
  w.token('COUNT')
  w.int(o.COUNT, 'options.COUNT')
}

/** (keys, timeout) */
function keysWait (w, keys, timeout) {
  w.keys(keys, 'keys')
  waitSeconds(w, timeout, 'timeout')
}

function addOptions (w, o) {
  if (isGiven(o.condition)) w.oneOf(o.condition, 'options.condition', ['NX', 'XX'])
  else if (o.NX) w.token('NX')
  else if (o.XX) w.token('XX')

  if (isGiven(o.comparison)) w.oneOf(o.comparison, 'options.comparison', ['LT', 'GT'])
  else if (o.LT) w.token('LT')
  else if (o.GT) w.token('GT')

  if (o.CH) w.token('CH')
}

/** `score member ...` of one `{ score, value }` or a non-empty array of them. */
function scoredMembers (w, members) {
  const list = Array.isArray(members) ? members : [members]
  if (list.length === 0) fail('members', 'a non-empty array', list)
  for (const member of list) {
    if (member === null || typeof member !== 'object') {
      fail('members', 'a { score, value } or an array of them', member)
    }
    w.float(member.score, 'members: score')
    w.arg(member.value, 'members: value')
  }
}

const ZADD_INCR_OPTIONS = new Set(['condition', 'comparison', 'CH'])
const ZADD_OPTIONS = new Set([...ZADD_INCR_OPTIONS, 'NX', 'XX', 'LT', 'GT'])
const ZMPOP_OPTIONS = new Set(['COUNT'])
