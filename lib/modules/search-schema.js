'use strict'

/*
 * The schema of an index, as FT.CREATE and FT.ALTER take it: an object of fields, each a type or
 * an object with the type and its options. A field may be a list of these, which indexes it
 * several times under several names.
 */

const { fail } = require('../arguments')
const { anyText, flags, float, formOf, int, object, text } = require('./option-forms')
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

/** What any field that can be sorted by may end with. */
function sortable (w, o) {
  if (o.SORTABLE) {
    w.token('SORTABLE')
    if (o.SORTABLE === 'UNF') w.token('UNF')
  }
  flags(w, o, 'NOINDEX')
}

function plain (w, o) {
  flags(w, o, 'INDEXMISSING')
  sortable(w, o)
}

function textField (w, o, path) {
  flags(w, o, 'INDEXMISSING', 'NOSTEM')
  float(w, o, path, 'WEIGHT')
  text(w, o, path, 'PHONETIC')
  flags(w, o, 'WITHSUFFIXTRIE', 'INDEXEMPTY')
  sortable(w, o)
}

function tagField (w, o, path) {
  flags(w, o, 'INDEXMISSING')
  text(w, o, path, 'SEPARATOR')
  flags(w, o, 'CASESENSITIVE', 'WITHSUFFIXTRIE', 'INDEXEMPTY')
  sortable(w, o)
}

function shapeField (w, o, path) {
  if (o.COORD_SYSTEM !== undefined) {
    w.token('COORD_SYSTEM')
    w.oneOf(o.COORD_SYSTEM, `${path}.COORD_SYSTEM`, ['SPHERICAL', 'FLAT'])
  }
  flags(w, o, 'INDEXMISSING')
}

/** `HNSW 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2`: the attributes are counted. */
function vectorField (w, o, path) {
  w.oneOf(o.ALGORITHM, `${path}.ALGORITHM`, Object.values(SCHEMA_VECTOR_FIELD_ALGORITHM))
  const attributes = ALGORITHM_ATTRIBUTES[o.ALGORITHM.toUpperCase()]
  // Each attribute is its name and its value; three are always there.
  const given = attributes.filter(([name]) => o[name] !== undefined && o[name] !== null)
  const initial = o.INITIAL_CAP === undefined ? 0 : 1
  w.int(2 * (3 + initial + given.length), path)
  w.token('TYPE')
  w.oneOf(o.TYPE, `${path}.TYPE`, VECTOR_TYPES)
  w.token('DIM')
  w.int(o.DIM, `${path}.DIM`)
  w.token('DISTANCE_METRIC')
  w.oneOf(o.DISTANCE_METRIC, `${path}.DISTANCE_METRIC`, ['L2', 'IP', 'COSINE'])
  int(w, o, path, 'INITIAL_CAP')
  for (const [name, write] of given) write(w, o, path, name)
  flags(w, o, 'INDEXMISSING')
}

function yesNo (w, o, path, name) {
  w.token(name)
  w.token(o[name] ? 'TRUE' : 'FALSE')
}

const TYPES = Object.values(SCHEMA_FIELD_TYPE)
const VECTOR_TYPES = ['FLOAT32', 'FLOAT64', 'BFLOAT16', 'FLOAT16', 'INT8', 'UINT8']

/** Algorithm -> its own attributes, each with how it is written. */
const ALGORITHM_ATTRIBUTES = {
  FLAT: [['BLOCK_SIZE', int]],
  HNSW: [['M', int], ['EF_CONSTRUCTION', int], ['EF_RUNTIME', int], ['RERANK', yesNo]],
  'SVS-VAMANA': [['COMPRESSION', anyText], ['CONSTRUCTION_WINDOW_SIZE', int],
    ['GRAPH_MAX_DEGREE', int], ['SEARCH_WINDOW_SIZE', int], ['EPSILON', float],
    ['TRAINING_THRESHOLD', int], ['REDUCE', int]]
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
      ...Object.values(ALGORITHM_ATTRIBUTES).flat().map(([name]) => name))
  },
  GEOSHAPE: { write: shapeField, known: known('COORD_SYSTEM') }
}

module.exports = { schema }
