'use strict'

/*
 * The arguments of FT.HYBRID: a text search and a vector search whose results become one list.
 */

const { fail, isGiven } = require('../arguments')
const { count, counted, each, float, formOf, int, object, text } = require('./option-forms')
const { reduce } = require('./search-aggregate')
const { limit, params } = require('./search-options')

/** (index, options) */
function hybrid (w, index, options) {
  w.arg(index, 'index')
  const o = object(w, options, 'options', OPTIONS)
  search(w, object(w, o.SEARCH, 'options.SEARCH', SEARCH))
  similar(w, object(w, o.VSIM, 'options.VSIM', VSIM))
  if (isGiven(o.COMBINE)) combine(w, object(w, o.COMBINE, 'options.COMBINE', COMBINE))
  if (o.LOAD === '*') {
    w.token('LOAD')
    w.token('*')
  } else if (isGiven(o.LOAD)) {
    counted(w, o, 'options', 'LOAD')
  }
  if (isGiven(o.GROUPBY)) groupBy(w, object(w, o.GROUPBY, 'options.GROUPBY', GROUPBY))
  if (isGiven(o.APPLY)) each(o.APPLY, 'options.APPLY', (v, name) => apply(w, v, name))
  if (isGiven(o.SORTBY)) sortBy(w, object(w, o.SORTBY, 'options.SORTBY', SORTBY))
  if (o.NOSORT) w.token('NOSORT')
  text(w, o, 'options', 'FILTER')
  limit(w, o, 'offset', 'count')
  params(w, o)
  int(w, o, 'options', 'TIMEOUT')
}

function search (w, o) {
  w.token('SEARCH')
  w.arg(o.query, 'options.SEARCH.query')
  text(w, o, 'options.SEARCH', 'SCORER')
  text(w, o, 'options.SEARCH', 'YIELD_SCORE_AS')
}

function similar (w, o) {
  w.token('VSIM')
  w.arg(o.field, 'options.VSIM.field')
  w.arg(o.vector, 'options.VSIM.vector')
  if (isGiven(o.method)) method(w, o.method, 'options.VSIM.method', VECTOR_METHODS)
  text(w, o, 'options.VSIM', 'FILTER')
  text(w, o, 'options.VSIM', 'YIELD_SCORE_AS')
}

/** The score's name is counted with the method's parameters, and comes after them. */
function combine (w, o) {
  method(w, o.method, 'options.COMBINE.method', COMBINE_METHODS, isGiven(o.YIELD_SCORE_AS) ? 2 : 0)
  text(w, o, 'options.COMBINE', 'YIELD_SCORE_AS')
}

/** `KNN 4 K 10 EF_RUNTIME 20` */
function method (w, v, name, methods, counted = 0) {
  const form = formOf(methods, v)
  if (form === undefined) {
    throw new TypeError(`argument "${name}.type" must be one of ${Object.keys(methods).join(', ')}`)
  }
  const { needs, parameters, before } = form
  const o = object(w, v, name, form.known)
  if (needs !== undefined && !isGiven(o[needs])) fail(`${name}.${needs}`, 'a number', o[needs])
  let given = 0
  for (const parameter of parameters) if (isGiven(o[parameter.name])) given++
  if (before !== undefined) w.token(before)
  w.token(o.type)
  w.int(2 * given + counted, name)
  for (const parameter of parameters) parameter.write(w, o, name, parameter.name)
}

function groupBy (w, o) {
  w.token('GROUPBY')
  count(w, o.fields, 'options.GROUPBY.fields')
  if (isGiven(o.REDUCE)) each(o.REDUCE, 'options.GROUPBY.REDUCE', (v, name) => reduce(w, v, name))
}

function apply (w, v, name) {
  const o = object(w, v, name, APPLY)
  w.token('APPLY')
  w.arg(o.expression, `${name}.expression`)
  text(w, o, name, 'AS')
}

function sortBy (w, o) {
  if (!Array.isArray(o.fields)) fail('options.SORTBY.fields', 'an array', o.fields)
  w.token('SORTBY')
  const words = o.fields.reduce((sum, field) => sum + (isGiven(field?.direction) ? 2 : 1), 0)
  w.int(words, 'options.SORTBY')
  each(o.fields, 'options.SORTBY.fields', (v, name) => {
    const { field, direction } = object(w, v, name, SORT_FIELD)
    w.arg(field, `${name}.field`)
    if (isGiven(direction)) w.oneOf(direction, `${name}.direction`, ['ASC', 'DESC'])
  })
}

const OPTIONS = new Set(['SEARCH', 'VSIM', 'COMBINE', 'LOAD', 'GROUPBY', 'APPLY', 'SORTBY',
  'NOSORT', 'FILTER', 'LIMIT', 'PARAMS', 'TIMEOUT'])
const SEARCH = new Set(['query', 'SCORER', 'YIELD_SCORE_AS'])
const VSIM = new Set(['field', 'vector', 'method', 'FILTER', 'YIELD_SCORE_AS'])
const COMBINE = new Set(['method', 'YIELD_SCORE_AS'])
const GROUPBY = new Set(['fields', 'REDUCE'])
const APPLY = new Set(['expression', 'AS'])
const SORTBY = new Set(['fields'])
const SORT_FIELD = new Set(['field', 'direction'])

/** Method -> its parameters in the order of the wire, and the one that it cannot do without. */
const VECTOR_METHODS = {
  __proto__: null,
  KNN: form({ K: int, EF_RUNTIME: int }, { needs: 'K' }),
  RANGE: form({ RADIUS: float, EPSILON: float }, { needs: 'RADIUS' })
}

const COMBINE_METHODS = {
  __proto__: null,
  RRF: form({ WINDOW: int, CONSTANT: float }, { before: 'COMBINE' }),
  LINEAR: form({ ALPHA: float, BETA: float, WINDOW: int }, { before: 'COMBINE' })
}

function form (writers, { needs, before }) {
  const parameters = Object.entries(writers).map(([name, write]) => ({ name, write }))
  return { needs, before, parameters, known: new Set(['type', ...Object.keys(writers)]) }
}

module.exports = { hybrid }
