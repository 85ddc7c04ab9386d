'use strict'

/*
 * Argument forms of the time-series commands: timestamps, samples, the options of a series and
 * those of a range. Forms know no command.
 */

const { isDate } = require('node:util').types

const { Arguments, fail, isGiven, isOptions } = require('../arguments')
const { NOTHING, flag, int, object, word } = require('./option-forms')
const {
  TIME_SERIES_AGGREGATION_TYPE, TIME_SERIES_BUCKET_TIMESTAMP, TIME_SERIES_DUPLICATE_POLICIES,
  TIME_SERIES_ENCODING, TIME_SERIES_REDUCERS
} = require('./constants')

/** A point in time: Unix ms, a Date, or text such as `*`, `-` and `+`. */
function timestamp (w, v, name) {
  if (typeof v === 'string') w.arg(v, name)
  else if (typeof v === 'number' || typeof v === 'bigint' || isDate(v)) {
    w.milliseconds(v, name)
  } else fail(name, 'an integer (Unix ms), a Date or a string', v)
}

/** The value of a sample. NaN is one: servers count them (COUNTNAN). */
function sample (w, v, name) {
  if (Number.isNaN(v)) w.token('NaN')
  else w.float(v, name)
}

/** The options of a series that `names` has, in the order of the wire. */
function series (w, o, names) {
  if (o === NOTHING) return
  for (const name of names) SERIES[name](w, o, 'options', name)
}

/** `LABELS city oslo sensor 7` */
function labels (w, o, path, name) {
  const v = o[name]
  if (!isGiven(v)) return
  if (!isOptions(v)) fail(`${path}.${name}`, 'an object', v)
  w.token(name)
  for (const label of Object.keys(v)) {
    w.arg(label, `${path}.${name}`)
    w.arg(v[label], `${path}.${name} value`)
  }
}

function ignore (w, o, path, name) {
  if (!isGiven(o[name])) return
  const v = object(w, o[name], `${path}.${name}`, IGNORE)
  w.token(name)
  w.int(v.maxTimeDiff, `${path}.${name}.maxTimeDiff`)
  w.float(v.maxValDiff, `${path}.${name}.maxValDiff`)
}

/** From, to and the options of a range, with one aggregation or none. */
function range (w, from, to, o) {
  span(w, from, to, o)
  if (isGiven(o.AGGREGATION)) aggregation(w, o, RANGE_AGGREGATION, typeOf)
  else checkAlign(o)
}

/** As `range`, with several aggregations. */
function rangeMulti (w, from, to, o) {
  span(w, from, to, o)
  aggregation(w, o, MULTI_AGGREGATION, typesOf)
}

/** As `range`, with several aggregations for each key, or none. */
function rangeOfKeys (w, from, to, o) {
  span(w, from, to, o)
  if (isGiven(o.AGGREGATION)) aggregation(w, o, MULTI_AGGREGATION, groupsOf)
  else checkAlign(o)
}

function span (w, from, to, o) {
  timestamp(w, from, 'fromTimestamp')
  timestamp(w, to, 'toTimestamp')
  if (o.LATEST) w.token('LATEST')
  if (isGiven(o.FILTER_BY_TS)) {
    if (!Array.isArray(o.FILTER_BY_TS)) fail('options.FILTER_BY_TS', 'an array', o.FILTER_BY_TS)
    w.token('FILTER_BY_TS')
    o.FILTER_BY_TS.forEach((v, i) => timestamp(w, v, `options.FILTER_BY_TS[${i}]`))
  }
  if (isGiven(o.FILTER_BY_VALUE)) {
    const v = object(w, o.FILTER_BY_VALUE, 'options.FILTER_BY_VALUE', VALUE_FILTER)
    w.token('FILTER_BY_VALUE')
    w.float(v.min, 'options.FILTER_BY_VALUE.min')
    w.float(v.max, 'options.FILTER_BY_VALUE.max')
  }
  int(w, o, 'options', 'COUNT')
}

/** Without buckets there is nothing to align, so it is not sent; but it has to be a timestamp. */
function checkAlign ({ ALIGN }) {
  if (!isGiven(ALIGN)) return
  UNSENT.reset(null, false)
  timestamp(UNSENT, ALIGN, 'options.ALIGN')
}

/** `ALIGN - AGGREGATION AVG 1000 BUCKETTIMESTAMP ~ EMPTY` */
function aggregation (w, o, known, types) {
  const v = object(w, o.AGGREGATION, AGGREGATION, known)
  if (isGiven(o.ALIGN)) {
    w.token('ALIGN')
    timestamp(w, o.ALIGN, 'options.ALIGN')
  }
  w.token('AGGREGATION')
  types(w, v)
  timestamp(w, v.timeBucket, `${AGGREGATION}.timeBucket`)
  word(w, v, AGGREGATION, 'BUCKETTIMESTAMP', BUCKET_TIMESTAMPS)
  flag(w, v, 'EMPTY')
}

function typeOf (w, v) {
  aggregationType(w, v.type, `${AGGREGATION}.type`)
}

function typesOf (w, v) {
  joined(w, v.types, `${AGGREGATION}.types`)
}

function groupsOf (w, { types }) {
  const name = `${AGGREGATION}.types`
  if (!Array.isArray(types) || types.length === 0) fail(name, 'a non-empty array of arrays', types)
  types.forEach((group, i) => joined(w, group, `${name}[${i}]`))
}

function aggregationType (w, v, name) {
  w.oneOf(v, name, AGGREGATION_TYPES)
}

/** `AVG,MAX`: one argument. */
function joined (w, types, name) {
  if (!Array.isArray(types) || types.length === 0) fail(name, 'a non-empty array', types)
  for (const type of types) {
    if (typeof type !== 'string' || !AGGREGATION_TYPES.includes(type.toUpperCase())) {
      throw new TypeError(`argument "${name}" must be of ${AGGREGATION_TYPES.join(', ')}`)
    }
  }
  w.token(types.join(','))
}

/** `FILTER city=oslo ...` */
function filter (w, v) {
  w.token('FILTER')
  w.args(v, 'filter')
}

/** `SELECTED_LABELS city ...` */
function selected (w, v) {
  w.token('SELECTED_LABELS')
  w.args(v, 'selectedLabels')
}

/** `GROUPBY city REDUCE MAX` */
function groupBy (w, v) {
  const { label, REDUCE } = object(w, v, 'groupBy', GROUP_BY)
  w.token('GROUPBY')
  w.arg(label, 'groupBy.label')
  w.token('REDUCE')
  w.oneOf(REDUCE, 'groupBy.REDUCE', REDUCERS)
}

/** Checks the types of arguments that are not sent. */
const UNSENT = new Arguments()

const AGGREGATION = 'options.AGGREGATION'
const AGGREGATION_TYPES = Object.values(TIME_SERIES_AGGREGATION_TYPE)
/** The server knows the signs by names as well. */
const BUCKET_TIMESTAMPS = [...Object.values(TIME_SERIES_BUCKET_TIMESTAMP), 'LOW', 'MID', 'HIGH']
const ENCODINGS = Object.values(TIME_SERIES_ENCODING)
const REDUCERS = Object.values(TIME_SERIES_REDUCERS)
const POLICIES = Object.values(TIME_SERIES_DUPLICATE_POLICIES)

/** Options of a series, each with how it is written. */
const SERIES = {
  RETENTION: int,
  ENCODING: (w, o, path, name) => word(w, o, path, name, ENCODINGS),
  UNCOMPRESSED: (w, o, path, name) => flag(w, o, name),
  CHUNK_SIZE: int,
  DUPLICATE_POLICY: (w, o, path, name) => word(w, o, path, name, POLICIES),
  ON_DUPLICATE: (w, o, path, name) => word(w, o, path, name, POLICIES),
  LABELS: labels,
  IGNORE: ignore
}

const IGNORE = new Set(['maxTimeDiff', 'maxValDiff'])
const VALUE_FILTER = new Set(['min', 'max'])
const GROUP_BY = new Set(['label', 'REDUCE'])
const BUCKET = ['timeBucket', 'BUCKETTIMESTAMP', 'EMPTY']
const RANGE_AGGREGATION = new Set(['type', ...BUCKET])
const MULTI_AGGREGATION = new Set(['types', ...BUCKET])

/** The options of a range. */
const RANGE_OPTIONS = ['LATEST', 'FILTER_BY_TS', 'FILTER_BY_VALUE', 'COUNT', 'ALIGN', 'AGGREGATION']

module.exports = {
  RANGE_OPTIONS,
  timestamp,
  sample,
  series,
  range,
  rangeMulti,
  rangeOfKeys,
  aggregationType,
  filter,
  selected,
  groupBy
}
