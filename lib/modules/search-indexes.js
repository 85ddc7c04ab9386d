'use strict'

/*
 * Rows of the search commands about indexes, and about the dictionaries and synonyms that queries
 * are read with. See lib/commands/index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { none } = require('../commands/forms')
const { map, object } = require('../commands/replies')
const { counted, flag, float, int, optional, text, word } = require('./option-forms')
const { info } = require('./search-profiles')
const { schema } = require('./search-schema')

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'FT._LIST': doc('Returns the names of all indexes.', 'O(1)', '2.0.0'),
  'FT.ALIASADD': doc('Gives an index a further name.', 'O(1)'),
  'FT.ALIASDEL': doc('Removes a further name from its index.', 'O(1)'),
  'FT.ALIASLIST': doc('Returns the further names of an index.', undefined, '8.10.0'),
  'FT.ALIASUPDATE': doc('Gives an index a further name, taking it from another.', 'O(1)'),
  'FT.ALTER': doc('Adds fields to the schema of an index.', 'O(N) where N is the number of keys.'),
  'FT.CONFIG GET': doc('Returns options of the search module; since 8.0 CONFIG GET has them.',
    'O(1)'),
  'FT.CONFIG SET': doc('Sets an option of the search module; since 8.0 CONFIG SET does.', 'O(1)'),
  'FT.CREATE': doc('Creates an index of hashes or JSON documents.',
    'O(K) at creation where K is the number of fields; O(N) to scan N keys.'),
  'FT.DICTADD': doc('Adds terms to a dictionary.', 'O(1)', '1.4.0'),
  'FT.DICTDEL': doc('Removes terms from a dictionary.', 'O(1)', '1.4.0'),
  'FT.DICTDUMP': doc('Returns the terms of a dictionary.', 'O(N) where N is its size.', '1.4.0'),
  'FT.DROPINDEX': doc('Deletes an index, and its documents too where asked to.',
    'O(1), or O(N) where the N documents go as well.', '2.0.0'),
  'FT.INFO': doc('Tells about an index: its schema, size, memory and indexing.', 'O(1)'),
  'FT.SYNDUMP': doc('Returns the synonyms of an index: terms with their groups.', 'O(1)', '1.2.0'),
  'FT.SYNUPDATE': doc('Adds terms to a group of synonyms.', 'O(1)', '1.2.0'),
  'FT.TAGVALS': doc('Returns the values of a tag field.', 'O(N) where N is their number.')
}

const rows = [
  { name: '_list', command: ['FT._LIST'], args: none, ts: '(): Promise<T[]>' },
  {
    name: 'aliasAdd',
    command: ['FT.ALIASADD'],
    args: aliasIndex,
    ts: "(alias: RedisArgument, index: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'aliasDel',
    command: ['FT.ALIASDEL'],
    args (w, alias) {
      w.arg(alias, 'alias')
    },
    ts: "(alias: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'aliasList',
    command: ['FT.ALIASLIST'],
    args: index,
    ts: '(index: RedisArgument): Promise<T[]>'
  },
  {
    name: 'aliasUpdate',
    command: ['FT.ALIASUPDATE'],
    args: aliasIndex,
    ts: "(alias: RedisArgument, index: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'alter',
    command: ['FT.ALTER'],
    args (w, index, fields) {
      w.arg(index, 'index')
      w.token('SCHEMA')
      w.token('ADD')
      schema(w, fields, 'schema')
    },
    ts: "(index: RedisArgument, schema: FtSchema): Promise<'OK'>"
  },
  {
    name: 'configGet',
    upper: 'CONFIG_GET',
    command: ['FT.CONFIG', 'GET'],
    args (w, option) {
      w.arg(option, 'option')
    },
    reply: reply => object(reply),
    ts: '(option: RedisArgument): Promise<Record<string, T | null>>'
  },
  {
    name: 'configSet',
    upper: 'CONFIG_SET',
    command: ['FT.CONFIG', 'SET'],
    args (w, property, value) {
      w.arg(property, 'property')
      w.arg(value, 'value')
    },
    ts: "(property: RedisArgument, value: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'create',
    command: ['FT.CREATE'],
    args: create,
    ts: '(index: RedisArgument, schema: FtSchema, options?: FtCreateOptions): ' +
      "Promise<'OK'>"
  },
  {
    name: 'dictAdd',
    command: ['FT.DICTADD'],
    args: dictionaryTerms,
    ts: '(dictionary: RedisArgument, term: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'dictDel',
    command: ['FT.DICTDEL'],
    args: dictionaryTerms,
    ts: '(dictionary: RedisArgument, term: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'dictDump',
    command: ['FT.DICTDUMP'],
    args (w, dictionary) {
      w.arg(dictionary, 'dictionary')
    },
    ts: '(dictionary: RedisArgument): Promise<T[]>'
  },
  {
    name: 'dropIndex',
    command: ['FT.DROPINDEX'],
    args (w, index, options) {
      w.arg(index, 'index')
      flag(w, optional(w, options, 'options', DROP_OPTIONS), 'DD')
    },
    ts: "(index: RedisArgument, options?: FtDropIndexOptions): Promise<'OK'>"
  },
  {
    name: 'info',
    command: ['FT.INFO'],
    args: index,
    reply: info,
    ts: '(index: RedisArgument): Promise<FtInfoReply<T>>'
  },
  {
    name: 'synDump',
    command: ['FT.SYNDUMP'],
    args: index,
    reply: (reply, mapping) => map(reply, mapping),
    ts: '(index: RedisArgument): Promise<Record<string, T[]>>'
  },
  {
    name: 'synUpdate',
    command: ['FT.SYNUPDATE'],
    args (w, index, groupId, terms, options) {
      w.arg(index, 'index')
      w.arg(groupId, 'groupId')
      flag(w, optional(w, options, 'options', SYNONYM_OPTIONS), 'SKIPINITIALSCAN')
      w.args(terms, 'terms')
    },
    ts: '(index: RedisArgument, groupId: RedisArgument, terms: RedisVariadicArgument, ' +
      "options?: FtSynUpdateOptions): Promise<'OK'>"
  },
  {
    name: 'tagVals',
    command: ['FT.TAGVALS'],
    args (w, index, fieldName) {
      w.arg(index, 'index')
      w.arg(fieldName, 'fieldName')
    },
    ts: '(index: RedisArgument, fieldName: RedisArgument): Promise<T[]>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

function index (w, index) {
  w.arg(index, 'index')
}

function aliasIndex (w, alias, index) {
  w.arg(alias, 'alias')
  w.arg(index, 'index')
}

function dictionaryTerms (w, dictionary, term) {
  w.arg(dictionary, 'dictionary')
  w.args(term, 'term')
}

/** (index, schema, options) */
function create (w, index, fields, options) {
  w.arg(index, 'index')
  const o = optional(w, options, 'options', CREATE_OPTIONS)
  word(w, o, 'options', 'ON', ['HASH', 'JSON'])
  counted(w, o, 'options', 'PREFIX')
  for (const name of ['FILTER', 'LANGUAGE', 'LANGUAGE_FIELD']) text(w, o, 'options', name)
  float(w, o, 'options', 'SCORE')
  text(w, o, 'options', 'SCORE_FIELD')
  if (o.MAXTEXTFIELDS) w.token('MAXTEXTFIELDS')
  if (isGiven(o.TEMPORARY)) int(w, o, 'options', 'TEMPORARY')
  if (o.NOOFFSETS) w.token('NOOFFSETS')
  if (o.NOHL) w.token('NOHL')
  if (o.NOFIELDS) w.token('NOFIELDS')
  if (o.NOFREQS) w.token('NOFREQS')
  if (o.SKIPINITIALSCAN) w.token('SKIPINITIALSCAN')
  counted(w, o, 'options', 'STOPWORDS')
  w.token('SCHEMA')
  schema(w, fields, 'schema')
}

const CREATE_OPTIONS = new Set(['ON', 'PREFIX', 'FILTER', 'LANGUAGE', 'LANGUAGE_FIELD', 'SCORE',
  'SCORE_FIELD', 'MAXTEXTFIELDS', 'TEMPORARY', 'NOOFFSETS', 'NOHL', 'NOFIELDS', 'NOFREQS',
  'SKIPINITIALSCAN', 'STOPWORDS'])
const DROP_OPTIONS = new Set(['DD'])
const SYNONYM_OPTIONS = new Set(['SKIPINITIALSCAN'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command.join(' ')] }))
