'use strict'

/*
 * Rows of the commands about suggestions for what a user has begun to type. See
 * lib/commands/index.js for what a row is.
 */

const { suffixed } = require('../commands/forms')
const { double } = require('../commands/replies')
const { groupsOf } = require('../commands/shapes')
const { int, optional, text } = require('./option-forms')

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'FT.SUGADD': doc('Adds a suggestion to a dictionary, or changes its score.', 'O(1)'),
  'FT.SUGDEL': doc('Removes a suggestion from a dictionary.', 'O(1)'),
  'FT.SUGGET': doc('Returns the best suggestions that begin with a prefix, or null.', 'O(1)'),
  'FT.SUGLEN': doc('Returns the number of suggestions of a dictionary.', 'O(1)')
}

const withScores = suffixed(get, 'WITHSCORES')

const rows = [
  {
    name: 'sugAdd',
    command: ['FT.SUGADD'],
    args (w, key, string, score, options) {
      w.key(key, 'key')
      w.arg(string, 'string')
      w.float(score, 'score')
      const o = optional(w, options, 'options', ADD_OPTIONS)
      if (o.INCR) w.token('INCR')
      text(w, o, 'options', 'PAYLOAD')
    },
    ts: '(key: RedisArgument, string: RedisArgument, score: RedisDouble, ' +
      'options?: FtSugAddOptions): Promise<number>'
  },
  {
    name: 'sugDel',
    command: ['FT.SUGDEL'],
    args (w, key, string) {
      w.key(key, 'key')
      w.arg(string, 'string')
    },
    ts: '(key: RedisArgument, string: RedisArgument): Promise<number>'
  },
  {
    name: 'sugGet',
    command: ['FT.SUGGET'],
    args: get,
    ts: '(key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions): ' +
      'Promise<T[] | null>'
  },
  {
    name: 'sugGetWithPayloads',
    upper: 'SUGGET_WITHPAYLOADS',
    command: ['FT.SUGGET'],
    args: suffixed(get, 'WITHPAYLOADS'),
    reply: reply => several(reply, 2, ([suggestion, payload]) => ({ suggestion, payload })),
    about: 'Returns their payloads as well.',
    ts: '(key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions): ' +
      'Promise<{ suggestion: T; payload: T | null }[] | null>'
  },
  {
    name: 'sugGetWithScores',
    upper: 'SUGGET_WITHSCORES',
    command: ['FT.SUGGET'],
    args: withScores,
    reply: (reply, mapping) => several(reply, 2, ([suggestion, score]) => (
      { suggestion, score: double(score, mapping) }
    )),
    about: 'Returns their scores as well.',
    ts: '(key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions): ' +
      'Promise<{ suggestion: T; score: number }[] | null>'
  },
  {
    name: 'sugGetWithScoresWithPayloads',
    upper: 'SUGGET_WITHSCORES_WITHPAYLOADS',
    command: ['FT.SUGGET'],
    args: suffixed(withScores, 'WITHPAYLOADS'),
    reply: (reply, mapping) => several(reply, 3, ([suggestion, score, payload]) => (
      { suggestion, score: double(score, mapping), payload }
    )),
    about: 'Returns their scores and payloads as well.',
    ts: '(key: RedisArgument, prefix: RedisArgument, options?: FtSugGetOptions): ' +
      'Promise<{ suggestion: T; score: number; payload: T | null }[] | null>'
  },
  {
    name: 'sugLen',
    command: ['FT.SUGLEN'],
    args (w, key) {
      w.key(key, 'key')
    },
    ts: '(key: RedisArgument): Promise<number>'
  }
]

function doc (summary, complexity) {
  return { summary, complexity, since: '1.0.0' }
}

/** (key, prefix, options) */
function get (w, key, prefix, options) {
  w.key(key, 'key')
  w.arg(prefix, 'prefix')
  const o = optional(w, options, 'options', GET_OPTIONS)
  if (o.FUZZY) w.token('FUZZY')
  int(w, o, 'options', 'MAX')
}

/** Both protocols send `size` items for each suggestion, or null for none. */
function several (reply, size, make) {
  return reply === null ? null : groupsOf(reply, size).map(make)
}

const ADD_OPTIONS = new Set(['INCR', 'PAYLOAD'])
const GET_OPTIONS = new Set(['FUZZY', 'MAX'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command.join(' ')] }))
