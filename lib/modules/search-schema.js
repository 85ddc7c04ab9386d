'use strict'

/*
 * The schema of an index, as FT.CREATE and FT.ALTER take it: an object of fields, each a type or
 * an object with the type and its options. A field may be a list of these, which indexes it
 * several times under several names.
 */

const { fail, isGiven } = require('../arguments')
const { float, formOf, int, object, text } = require('./option-forms')
const { SCHEMA_FIELD_TYPE, SCHEMA_VECTOR_FIELD_ALGORITHM } = require('./constants')

/** `title TEXT SORTABLE price NUMERIC ...` */
function schema (w, v, name) {
  if (v === null || typeof v !== 'object' || Array.isArray(v)) fail(name, 'an object of fields', v)
  const fields = Object.keys(v)
  if (fields.length === 0) throw new TypeError(`argument "${name}" must have at least one field`)
  for (const field of fields) {
    const definitions = Array.isArray(v[field]) ? v[field] : [v[field]]
    for (const definition of definitions) {
      w.arg(field, name)
      define(w, definition, name)
    }
  }
}

/** One field. Its own name is the caller's data, so errors speak of the schema's field. */
function define (w, v, name) {
  if (typeof v === 'string') return w.oneOf(v, `${name} field type`, TYPES)
  const path = `${name} field`
  if (v === null || typeof v !== 'object') fail(path, 'a type or an object with a type', v)
  const form = formOf(FORMS, v)
  if (form === undefined) {
    throw new TypeError(`argument "${path}.type" must be one of ${TYPES.join(', ')}`)
  }
  const o = object(w, v, path, form.known)
  text(w, o, path, 'AS')
  w.token(o.type)
  form.write(w, o, path)
}

/** Whether a value is given, where `false` is one: it is sent as a word. */
function isSet (v) {
  return v !== undefined && v !== null
}

/** What any field that can be sorted by may end with. */
function sortable (w, o, path) {
  if (isGiven(o.SORTABLE)) {
    w.token('SORTABLE')
    if (o.SORTABLE !== true) w.oneOf(o.SORTABLE, `${path}.SORTABLE`, ['UNF'])
  }
  if (o.NOINDEX) w.token('NOINDEX')
}

function plain (w, o, path) {
  if (o.INDEXMISSING) w.token('INDEXMISSING')
  sortable(w, o, path)
}

function textField (w, o, path) {
  if (o.INDEXMISSING) w.token('INDEXMISSING')
  if (o.NOSTEM) w.token('NOSTEM')
  float(w, o, path, 'WEIGHT')
  text(w, o, path, 'PHONETIC')
  if (o.WITHSUFFIXTRIE) w.token('WITHSUFFIXTRIE')
  if (o.INDEXEMPTY) w.token('INDEXEMPTY')
  sortable(w, o, path)
}

function tagField (w, o, path) {
  if (o.INDEXMISSING) w.token('INDEXMISSING')
  text(w, o, path, 'SEPARATOR')
  if (o.CASESENSITIVE) w.token('CASESENSITIVE')
  if (o.WITHSUFFIXTRIE) w.token('WITHSUFFIXTRIE')
  if (o.INDEXEMPTY) w.token('INDEXEMPTY')
  sortable(w, o, path)
}

function shapeField (w, o, path) {
  // Servers know no word for it: the coordinate system alone follows the type.
  if (isGiven(o.COORD_SYSTEM)) {
    w.oneOf(o.COORD_SYSTEM, `${path}.COORD_SYSTEM`, ['SPHERICAL', 'FLAT'])
  }
  if (o.INDEXMISSING) w.token('INDEXMISSING')
}

/** `HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2`: the attributes are counted. */
function vectorField (w, o, path) {
  w.oneOf(o.ALGORITHM, `${path}.ALGORITHM`, ALGORITHMS)
  const attributes = ALGORITHM_ATTRIBUTES[o.ALGORITHM] ??
    ALGORITHM_ATTRIBUTES[o.ALGORITHM.toUpperCase()]
  // Each attribute is its name and its value; three are always there.
  const given = attributes.filter(({ name, write }) => (
    write === yesNo ? isSet(o[name]) : isGiven(o[name])))
  w.int(2 * (3 + (isGiven(o.INITIAL_CAP) ? 1 : 0) + given.length), path)
  w.token('TYPE')
  w.oneOf(o.TYPE, `${path}.TYPE`, VECTOR_TYPES)
  w.token('DIM')
  w.int(o.DIM, `${path}.DIM`)
  w.token('DISTANCE_METRIC')
  w.oneOf(o.DISTANCE_METRIC, `${path}.DISTANCE_METRIC`, DISTANCE_METRICS)
  int(w, o, path, 'INITIAL_CAP')
  for (const { name, write } of given) write(w, o, path, name)
  if (o.INDEXMISSING) w.token('INDEXMISSING')
}

function yesNo (w, o, path, name) {
  w.token(name)
  w.token(o[name] ? 'TRUE' : 'FALSE')
}

const ALGORITHMS = Object.values(SCHEMA_VECTOR_FIELD_ALGORITHM)
const DISTANCE_METRICS = ['L2', 'IP', 'COSINE']
const TYPES = Object.values(SCHEMA_FIELD_TYPE)
const VECTOR_TYPES = ['FLOAT32', 'FLOAT64', 'BFLOAT16', 'FLOAT16', 'INT8', 'UINT8']

/** Algorithm -> its own attributes, each with how it is written. */
const ALGORITHM_ATTRIBUTES = {
  __proto__: null,
  FLAT: [{ name: 'BLOCK_SIZE', write: int }],
  HNSW: [
    { name: 'M', write: int },
    { name: 'EF_CONSTRUCTION', write: int },
    { name: 'EF_RUNTIME', write: int },
    { name: 'RERANK', write: yesNo }
  ],
  'SVS-VAMANA': [
    { name: 'COMPRESSION', write: text },
    { name: 'CONSTRUCTION_WINDOW_SIZE', write: int },
    { name: 'GRAPH_MAX_DEGREE', write: int },
    { name: 'SEARCH_WINDOW_SIZE', write: int },
    { name: 'EPSILON', write: float },
    { name: 'TRAINING_THRESHOLD', write: int },
    { name: 'REDUCE', write: int }
  ]
}

const known = (...names) => new Set(['type', 'AS', 'INDEXMISSING', ...names])

const PLAIN = { write: plain, known: known('SORTABLE', 'NOINDEX') }

const FORMS = {
  __proto__: null,
  TEXT: {
    write: textField,
    known: known('SORTABLE', 'NOINDEX', 'NOSTEM', 'WEIGHT', 'PHONETIC', 'WITHSUFFIXTRIE',
      'INDEXEMPTY')
  },
  NUMERIC: PLAIN,
  GEO: PLAIN,
  TAG: {
    write: tagField,
    known: known('SORTABLE', 'NOINDEX', 'SEPARATOR', 'CASESENSITIVE', 'WITHSUFFIXTRIE',
      'INDEXEMPTY')
  },
  VECTOR: {
    write: vectorField,
    known: known('ALGORITHM', 'TYPE', 'DIM', 'DISTANCE_METRIC', 'INITIAL_CAP',
      ...Object.values(ALGORITHM_ATTRIBUTES).flat().map(({ name }) => name))
  },
  GEOSHAPE: { write: shapeField, known: known('COORD_SYSTEM') }
}

module.exports = { schema }
