'use strict'

/*
 * Options of queries: those of FT.SEARCH, and the parameters and the dialect that all queries
 * share. The layout that FT.SEARCH was asked for is kept for its reply, which in RESP2 does not
 * say what its items are.
 */

const { fail, isGiven, isOptions, isText } = require('../arguments')
const { NOTHING, counted, each, int, object, optional, text } = require('./option-forms')

/** (index, query, options) of FT.SEARCH. */
function search (w, index, query, options) {
  w.arg(index, 'index')
  w.arg(query, 'query')
  searchOptions(w, optional(w, options, 'options', SEARCH_OPTIONS))
}

/** (index, query, options) of FT.PROFILE SEARCH. */
function profileSearch (w, index, query, options) {
  const o = optional(w, options, 'options', PROFILE_OPTIONS)
  w.arg(index, 'index')
  w.token('SEARCH')
  if (o.LIMITED) w.token('LIMITED')
  w.token('QUERY')
  w.arg(query, 'query')
  searchOptions(w, o)
}

/** As `search`, for the ids only. */
function searchNoContent (w, index, query, options) {
  search(w, index, query, options)
  w.token('NOCONTENT')
  w.preserved.content = false
}

function searchOptions (w, o) {
  if (o !== NOTHING) given(w, o)
  params(w, o)
  dialect(w, o)
  w.preserved = layout(o)
}

function given (w, o) {
  if (o.VERBATIM) w.token('VERBATIM')
  if (o.NOSTOPWORDS) w.token('NOSTOPWORDS')
  // The server explains scores only if it returns them as well.
  if (o.WITHSCORES || o.EXPLAINSCORE) w.token('WITHSCORES')
  if (o.EXPLAINSCORE) w.token('EXPLAINSCORE')
  if (o.WITHPAYLOADS) w.token('WITHPAYLOADS')
  if (o.WITHSORTKEYS) w.token('WITHSORTKEYS')
  if (isGiven(o.FILTER)) each(o.FILTER, 'options.FILTER', (v, name) => numericFilter(w, v, name))
  if (isGiven(o.GEOFILTER)) {
    each(o.GEOFILTER, 'options.GEOFILTER', (v, name) => geoFilter(w, v, name))
  }
  counted(w, o, 'options', 'INKEYS')
  counted(w, o, 'options', 'INFIELDS')
  counted(w, o, 'options', 'RETURN')
  if (isGiven(o.SUMMARIZE)) summarize(w, o.SUMMARIZE)
  if (isGiven(o.HIGHLIGHT)) highlight(w, o.HIGHLIGHT)
  int(w, o, 'options', 'SLOP')
  int(w, o, 'options', 'TIMEOUT')
  if (o.INORDER) w.token('INORDER')
  for (const name of ['LANGUAGE', 'EXPANDER', 'SCORER']) text(w, o, 'options', name)
  text(w, o, 'options', 'PAYLOAD')
  if (isGiven(o.SORTBY)) {
    w.token('SORTBY')
    sortKey(w, o.SORTBY, 'options.SORTBY')
  }
  limit(w, o, 'from', 'size')
}

/** What a RESP2 reply has for each id. */
function layout (o) {
  return {
    scores: Boolean(o.WITHSCORES || o.EXPLAINSCORE),
    payloads: Boolean(o.WITHPAYLOADS),
    sortKeys: Boolean(o.WITHSORTKEYS),
    content: !(Array.isArray(o.RETURN) && o.RETURN.length === 0)
  }
}

function numericFilter (w, v, name) {
  const o = object(w, v, name, NUMERIC_FILTER)
  w.token('FILTER')
  w.arg(o.field, `${name}.field`)
  w.bound(o.min, `${name}.min`)
  w.bound(o.max, `${name}.max`)
}

function geoFilter (w, v, name) {
  const o = object(w, v, name, GEO_FILTER)
  w.token('GEOFILTER')
  w.arg(o.field, `${name}.field`)
  w.float(o.lon, `${name}.lon`)
  w.float(o.lat, `${name}.lat`)
  w.float(o.radius, `${name}.radius`)
  w.oneOf(o.unit, `${name}.unit`, ['m', 'km', 'mi', 'ft'])
}

function summarize (w, v) {
  w.token('SUMMARIZE')
  if (v === true) return
  const o = object(w, v, 'options.SUMMARIZE', SUMMARIZE_OPTIONS)
  counted(w, o, 'options.SUMMARIZE', 'FIELDS')
  int(w, o, 'options.SUMMARIZE', 'FRAGS')
  int(w, o, 'options.SUMMARIZE', 'LEN')
  text(w, o, 'options.SUMMARIZE', 'SEPARATOR')
}

function highlight (w, v) {
  w.token('HIGHLIGHT')
  if (v === true) return
  const o = object(w, v, 'options.HIGHLIGHT', HIGHLIGHT_OPTIONS)
  counted(w, o, 'options.HIGHLIGHT', 'FIELDS')
  if (isGiven(o.TAGS)) {
    w.token('TAGS')
    w.arg(o.TAGS.open, 'options.HIGHLIGHT.TAGS.open')
    w.arg(o.TAGS.close, 'options.HIGHLIGHT.TAGS.close')
  }
}

/** `@price` or `@price DESC`; returns how many arguments that were. */
function sortKey (w, v, name) {
  if (isText(v)) {
    w.arg(v, name)
    return 1
  }
  const o = object(w, v, name, SORT_KEY)
  w.arg(o.BY, `${name}.BY`)
  if (!isGiven(o.DIRECTION)) return 1
  w.oneOf(o.DIRECTION, `${name}.DIRECTION`, ['ASC', 'DESC'])
  return 2
}

/** `LIMIT 0 10`; the two numbers have other names in other commands. */
function limit (w, o, offset, size) {
  if (!isGiven(o.LIMIT)) return
  w.token('LIMIT')
  w.int(o.LIMIT[offset], `options.LIMIT.${offset}`)
  w.int(o.LIMIT[size], `options.LIMIT.${size}`)
}

/** `PARAMS 4 name value name value` */
function params (w, o) {
  if (!isGiven(o.PARAMS)) return
  if (!isOptions(o.PARAMS)) fail('options.PARAMS', 'an object', o.PARAMS)
  const names = Object.keys(o.PARAMS)
  // The server refuses a list of none.
  if (names.length === 0) return
  w.token('PARAMS')
  w.int(2 * names.length, 'options.PARAMS')
  for (const name of names) {
    w.arg(name, 'options.PARAMS')
    w.value(o.PARAMS[name], 'options.PARAMS value')
  }
}

/** `DIALECT 2` unless the caller wants another. */
function dialect (w, o) {
  w.token('DIALECT')
  w.int(isGiven(o.DIALECT) ? o.DIALECT : DEFAULT_DIALECT, 'options.DIALECT')
}

/** The dialect that has parameters and vectors. node-redis sends it as well. */
const DEFAULT_DIALECT = 2

const SEARCH = ['VERBATIM', 'NOSTOPWORDS', 'WITHSCORES', 'EXPLAINSCORE', 'WITHPAYLOADS',
  'WITHSORTKEYS', 'FILTER', 'GEOFILTER', 'INKEYS', 'INFIELDS', 'RETURN', 'SUMMARIZE', 'HIGHLIGHT',
  'SLOP', 'TIMEOUT', 'INORDER', 'LANGUAGE', 'EXPANDER', 'SCORER', 'PAYLOAD', 'SORTBY', 'LIMIT',
  'PARAMS', 'DIALECT']
const SEARCH_OPTIONS = new Set(SEARCH)
const PROFILE_OPTIONS = new Set(['LIMITED', ...SEARCH])
const NUMERIC_FILTER = new Set(['field', 'min', 'max'])
const GEO_FILTER = new Set(['field', 'lon', 'lat', 'radius', 'unit'])
const SUMMARIZE_OPTIONS = new Set(['FIELDS', 'FRAGS', 'LEN', 'SEPARATOR'])
const HIGHLIGHT_OPTIONS = new Set(['FIELDS', 'TAGS'])
const SORT_KEY = new Set(['BY', 'DIRECTION'])

module.exports = {
  search, searchNoContent, profileSearch, sortKey, limit, params, dialect
}
