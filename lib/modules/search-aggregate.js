'use strict'

/*
 * The pipeline of FT.AGGREGATE: what to load, and the steps in the order that they are run. The
 * reducers of a group are shared with FT.HYBRID.
 */

const { fail, isGiven, isText } = require('../arguments')
const { FT_AGGREGATE_GROUP_BY_REDUCERS, FT_AGGREGATE_STEPS } = require('./constants')
const { count, each, formOf, int, object, optional } = require('./option-forms')
const { dialect, params, sortKey } = require('./search-options')

/** (index, query, options) of FT.AGGREGATE. */
function aggregate (w, index, query, options) {
  pipeline(w, index, query, optional(w, options, 'options', AGGREGATE_OPTIONS))
}

/** As `aggregate`, but the results are read page by page. */
function aggregateWithCursor (w, index, query, options) {
  const o = optional(w, options, 'options', CURSOR_OPTIONS)
  pipeline(w, index, query, o)
  w.token('WITHCURSOR')
  int(w, o, 'options', 'COUNT')
  int(w, o, 'options', 'MAXIDLE')
}

/** (index, query, options) of FT.PROFILE AGGREGATE. */
function profileAggregate (w, index, query, options) {
  const o = optional(w, options, 'options', PROFILE_OPTIONS)
  w.arg(index, 'index')
  w.token('AGGREGATE')
  if (o.LIMITED) w.token('LIMITED')
  w.token('QUERY')
  w.arg(query, 'query')
  steps(w, o)
}

function pipeline (w, index, query, o) {
  w.arg(index, 'index')
  w.arg(query, 'query')
  steps(w, o)
}

function steps (w, o) {
  if (o.VERBATIM) w.token('VERBATIM')
  if (o.ADDSCORES) w.token('ADDSCORES')
  if (isGiven(o.LOAD)) load(w, o.LOAD)
  int(w, o, 'options', 'TIMEOUT')
  if (isGiven(o.STEPS)) {
    if (!Array.isArray(o.STEPS)) fail('options.STEPS', 'an array of steps', o.STEPS)
    each(o.STEPS, 'options.STEPS', (v, name) => step(w, v, name))
  }
  params(w, o)
  dialect(w, o)
}

/** `LOAD *` or `LOAD 4 @a @b AS c`: the words of an alias are counted. */
function load (w, v) {
  w.token('LOAD')
  if (v === '*') return w.token('*')
  const fields = Array.isArray(v) ? v : [v]
  w.int(fields.reduce((sum, field) => sum + (!isText(field) && field?.AS ? 3 : 1), 0),
    'options.LOAD')
  each(v, 'options.LOAD', (field, name) => {
    if (isText(field)) return w.arg(field, name)
    const o = object(w, field, name, LOAD_FIELD)
    w.arg(o.identifier, `${name}.identifier`)
    as(w, o, name)
  })
}

function step (w, v, name) {
  const form = formOf(STEPS, v)
  if (form === undefined) {
    throw new TypeError(`argument "${name}.type" must be one of ` +
      Object.values(FT_AGGREGATE_STEPS).join(', '))
  }
  const o = object(w, v, name, form.known)
  w.token(o.type)
  form.write(w, o, name)
}

function groupBy (w, o, name) {
  if (isGiven(o.properties)) count(w, o.properties, `${name}.properties`)
  else w.int(0, `${name}.properties`)
  each(o.REDUCE, `${name}.REDUCE`, (v, path) => reduce(w, v, path))
}

/** The server reads MAX behind the counted keys; node-redis counts it in, which is an error. */
function sortBy (w, o, name) {
  const keys = Array.isArray(o.BY) ? o.BY : [o.BY]
  w.int(wordsOf(keys), `${name}.BY`)
  each(o.BY, `${name}.BY`, (v, path) => sortKey(w, v, path))
  if (isGiven(o.MAX)) int(w, o, name, 'MAX')
}

function apply (w, o, name) {
  w.arg(o.expression, `${name}.expression`)
  w.token('AS')
  w.arg(o.AS, `${name}.AS`)
}

function limit (w, o, name) {
  w.int(o.from, `${name}.from`)
  w.int(o.size, `${name}.size`)
}

function filter (w, o, name) {
  w.arg(o.expression, `${name}.expression`)
}

/** `REDUCE SUM 1 @price AS total` */
function reduce (w, v, name) {
  const form = formOf(REDUCERS, v)
  if (form === undefined) {
    throw new TypeError(`argument "${name}.type" must be one of ` +
      Object.values(FT_AGGREGATE_GROUP_BY_REDUCERS).join(', '))
  }
  const o = object(w, v, name, form.known)
  w.token('REDUCE')
  w.token(o.type)
  form.write(w, o, name)
  as(w, o, name)
}

function as (w, o, name) {
  if (!isGiven(o.AS)) return
  w.token('AS')
  w.arg(o.AS, `${name}.AS`)
}

function none (w, o, name) {
  w.int(0, name)
}

function property (w, o, name) {
  w.int(1, name)
  w.arg(o.property, `${name}.property`)
}

function quantile (w, o, name) {
  w.int(2, name)
  w.arg(o.property, `${name}.property`)
  w.float(o.quantile, `${name}.quantile`)
}

function sample (w, o, name) {
  w.int(2, name)
  w.arg(o.property, `${name}.property`)
  w.int(o.sampleSize, `${name}.sampleSize`)
}

function firstValue (w, o, name) {
  const by = !isGiven(o.BY) || isText(o.BY) ? o.BY : object(w, o.BY, `${name}.BY`, FIRST_BY)
  const isIn = isGiven(o.BY)
  w.int(!isIn ? 1 : isText(by) || !isGiven(by.direction) ? 3 : 4, name)
  w.arg(o.property, `${name}.property`)
  if (!isIn) return
  w.token('BY')
  if (isText(by)) return w.arg(by, `${name}.BY`)
  w.arg(by.property, `${name}.BY.property`)
  if (isGiven(by.direction)) w.oneOf(by.direction, `${name}.BY.direction`, ['ASC', 'DESC'])
}

/** How many words the keys to sort by become: a name, and maybe a direction. */
function wordsOf (keys) {
  return keys.reduce((sum, key) => sum + (!isText(key) && isGiven(key?.DIRECTION) ? 2 : 1), 0)
}

/** `COLLECT 9 FIELDS 2 @a @b DISTINCT SORTBY 2 @a DESC ...`: all of it is counted, in front. */
function collect (w, o, name) {
  const fields = Array.isArray(o.FIELDS) ? o.FIELDS : [o.FIELDS]
  const keys = !isGiven(o.SORTBY) ? [] : Array.isArray(o.SORTBY) ? o.SORTBY : [o.SORTBY]
  const sorted = wordsOf(keys)
  const isAll = o.FIELDS === '*'
  w.int((isAll ? 2 : 2 + fields.length) + (o.DISTINCT ? 1 : 0) +
    (isGiven(o.SORTBY) ? 2 + sorted : 0) + (isGiven(o.LIMIT) ? 3 : 0), name)
  w.token('FIELDS')
  if (isAll) w.token('*')
  else count(w, o.FIELDS, `${name}.FIELDS`)
  if (o.DISTINCT) w.token('DISTINCT')
  if (isGiven(o.SORTBY)) {
    w.token('SORTBY')
    w.int(sorted, `${name}.SORTBY`)
    each(o.SORTBY, `${name}.SORTBY`, (v, path) => sortKey(w, v, path))
  }
  if (isGiven(o.LIMIT)) {
    w.token('LIMIT')
    limit(w, object(w, o.LIMIT, `${name}.LIMIT`, SPAN), `${name}.LIMIT`)
  }
}

const AGGREGATE = ['VERBATIM', 'ADDSCORES', 'LOAD', 'TIMEOUT', 'STEPS', 'PARAMS', 'DIALECT']
const AGGREGATE_OPTIONS = new Set(AGGREGATE)
const CURSOR_OPTIONS = new Set([...AGGREGATE, 'COUNT', 'MAXIDLE'])
const PROFILE_OPTIONS = new Set(['LIMITED', ...AGGREGATE])
const LOAD_FIELD = new Set(['identifier', 'AS'])
const FIRST_BY = new Set(['property', 'direction'])
const SPAN = new Set(['from', 'size'])

const known = (...names) => new Set(['type', ...names])

const STEPS = {
  __proto__: null,
  GROUPBY: { write: groupBy, known: known('properties', 'REDUCE') },
  SORTBY: { write: sortBy, known: known('BY', 'MAX') },
  APPLY: { write: apply, known: known('expression', 'AS') },
  LIMIT: { write: limit, known: known('from', 'size') },
  FILTER: { write: filter, known: known('expression') }
}

const PROPERTY = { write: property, known: known('AS', 'property') }

const REDUCERS = {
  __proto__: null,
  COUNT: { write: none, known: known('AS') },
  COUNT_DISTINCT: PROPERTY,
  COUNT_DISTINCTISH: PROPERTY,
  SUM: PROPERTY,
  MIN: PROPERTY,
  MAX: PROPERTY,
  AVG: PROPERTY,
  STDDEV: PROPERTY,
  TOLIST: PROPERTY,
  QUANTILE: { write: quantile, known: known('AS', 'property', 'quantile') },
  FIRST_VALUE: { write: firstValue, known: known('AS', 'property', 'BY') },
  RANDOM_SAMPLE: { write: sample, known: known('AS', 'property', 'sampleSize') },
  COLLECT: { write: collect, known: known('AS', 'FIELDS', 'DISTINCT', 'SORTBY', 'LIMIT') }
}

module.exports = { aggregate, aggregateWithCursor, profileAggregate, reduce }
