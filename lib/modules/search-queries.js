'use strict'

/*
 * Rows of the search commands that run a query, or tell how one would be run. See
 * lib/commands/index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { each, int, object, optional } = require('./option-forms')
const { aggregate, aggregateWithCursor, profileAggregate } = require('./search-aggregate')
const { hybrid } = require('./search-hybrid')
const { dialect, params, profileSearch, search, searchNoContent } = require('./search-options')
const { profiledAggregate, profiledSearch } = require('./search-profiles')
const replies = require('./search-replies')

const QUERY = 'O(N) where N is the number of results, for simple queries.'

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'FT.AGGREGATE': doc('Runs a query and computes with its results, step by step.', 'O(1)', '1.1.0'),
  'FT.CURSOR DEL': doc('Ends an aggregation that is read page by page.', 'O(1)', '1.1.0'),
  'FT.CURSOR READ': doc('Reads the next page of an aggregation.', 'O(1)', '1.1.0'),
  'FT.EXPLAIN': doc('Returns the plan of a query, as text.', 'O(1)'),
  'FT.EXPLAINCLI': doc('Returns the plan of a query, line by line.', 'O(1)'),
  'FT.HYBRID': doc('Searches by text and by vector, and returns one list of results.',
    'O(N+M) where N and M are the results of the two searches.', '8.4.0'),
  'FT.PROFILE': doc('Runs a query and tells where the time went.', 'O(N)', '2.2.0'),
  'FT.SEARCH': doc('Returns the documents that match a query.', QUERY),
  'FT.SPELLCHECK': doc('Proposes corrections for the terms of a query.', 'O(1)', '1.4.0')
}

const rows = [
  {
    name: 'aggregate',
    command: ['FT.AGGREGATE'],
    args: aggregate,
    reply: replies.aggregate,
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtAggregateOptions): ' +
      'Promise<FtAggregateReply<T>>'
  },
  {
    name: 'aggregateWithCursor',
    upper: 'AGGREGATE_WITHCURSOR',
    command: ['FT.AGGREGATE'],
    args: aggregateWithCursor,
    reply: replies.page,
    about: 'Returns the first page and the cursor of the next, for `cursorRead`; 0 after the last.',
    ts: '(index: RedisArgument, query: RedisArgument, ' +
      'options?: FtAggregateWithCursorOptions): Promise<FtAggregateWithCursorReply<T>>'
  },
  {
    name: 'cursorDel',
    upper: 'CURSOR_DEL',
    command: ['FT.CURSOR', 'DEL'],
    args (w, index, cursor) {
      w.arg(index, 'index')
      w.int(cursor, 'cursor')
    },
    ts: "(index: RedisArgument, cursor: RedisInteger): Promise<'OK'>"
  },
  {
    name: 'cursorRead',
    upper: 'CURSOR_READ',
    command: ['FT.CURSOR', 'READ'],
    args (w, index, cursor, options) {
      w.arg(index, 'index')
      w.int(cursor, 'cursor')
      int(w, optional(w, options, 'options', CURSOR_OPTIONS), 'options', 'COUNT')
    },
    reply: replies.page,
    ts: '(index: RedisArgument, cursor: RedisInteger, options?: FtCursorReadOptions): ' +
      'Promise<FtAggregateWithCursorReply<T>>'
  },
  {
    name: 'explain',
    command: ['FT.EXPLAIN'],
    args (w, index, query, options) {
      const o = optional(w, options, 'options', EXPLAIN_OPTIONS)
      w.arg(index, 'index')
      w.arg(query, 'query')
      params(w, o)
      dialect(w, o)
    },
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtExplainOptions): Promise<T>'
  },
  {
    name: 'explainCli',
    command: ['FT.EXPLAINCLI'],
    args (w, index, query, options) {
      w.arg(index, 'index')
      w.arg(query, 'query')
      dialect(w, optional(w, options, 'options', DIALECT_OPTIONS))
    },
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtExplainCliOptions): Promise<T[]>'
  },
  {
    name: 'hybrid',
    command: ['FT.HYBRID'],
    args: hybrid,
    reply: replies.hybrid,
    ts: '(index: RedisArgument, options: FtHybridOptions): Promise<FtHybridReply<T>>'
  },
  {
    name: 'profileAggregate',
    command: ['FT.PROFILE'],
    args: profileAggregate,
    reply: profiledAggregate,
    about: 'Profiles an aggregation.',
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtProfileAggregateOptions): ' +
      'Promise<FtProfileReply<FtAggregateReply<T>>>'
  },
  {
    name: 'profileSearch',
    command: ['FT.PROFILE'],
    args: profileSearch,
    reply: profiledSearch,
    about: 'Profiles a search.',
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtProfileSearchOptions): ' +
      'Promise<FtProfileReply<FtSearchReply<T>>>'
  },
  {
    name: 'search',
    command: ['FT.SEARCH'],
    args: search,
    reply: replies.search,
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtSearchOptions): ' +
      'Promise<FtSearchReply<T>>'
  },
  {
    name: 'searchNoContent',
    upper: 'SEARCH_NOCONTENT',
    command: ['FT.SEARCH'],
    args: searchNoContent,
    reply: replies.ids,
    about: 'Returns the ids of the documents only.',
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtSearchOptions): ' +
      'Promise<FtSearchNoContentReply<T>>'
  },
  {
    name: 'spellCheck',
    command: ['FT.SPELLCHECK'],
    args: spellCheck,
    reply: replies.corrections,
    ts: '(index: RedisArgument, query: RedisArgument, options?: FtSpellCheckOptions): ' +
      'Promise<FtSpellCheckReply<T>[]>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

/** (index, query, options) */
function spellCheck (w, index, query, options) {
  const o = optional(w, options, 'options', SPELLCHECK_OPTIONS)
  w.arg(index, 'index')
  w.arg(query, 'query')
  if (isGiven(o.DISTANCE)) int(w, o, 'options', 'DISTANCE')
  if (isGiven(o.TERMS)) {
    each(o.TERMS, 'options.TERMS', (v, name) => {
      const { mode, dictionary } = object(w, v, name, TERMS)
      w.token('TERMS')
      w.oneOf(mode, `${name}.mode`, ['INCLUDE', 'EXCLUDE'])
      w.arg(dictionary, `${name}.dictionary`)
    })
  }
  dialect(w, o)
}

const CURSOR_OPTIONS = new Set(['COUNT'])
const DIALECT_OPTIONS = new Set(['DIALECT'])
const EXPLAIN_OPTIONS = new Set(['PARAMS', 'DIALECT'])
const SPELLCHECK_OPTIONS = new Set(['DISTANCE', 'TERMS', 'DIALECT'])
const TERMS = new Set(['mode', 'dictionary'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command.join(' ')] }))
