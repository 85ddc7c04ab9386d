'use strict'

/*
 * Replies that tell about the server's side of a search: FT.PROFILE and FT.INFO.
 */

const { double, map } = require('../commands/replies')
const { RESP_TYPES } = require('../resp-types')
const { list, tuple } = require('../commands/shapes')
const { aggregate, isMap, names, pairs, search } = require('./search-replies')

/** FT.PROFILE SEARCH: `{ results, profile }`. */
function profiledSearch (reply, mapping, layout) {
  return profiled(reply, results => search(results, mapping, layout))
}

/** FT.PROFILE AGGREGATE. */
function profiledAggregate (reply, mapping) {
  return profiled(reply, results => aggregate(results, mapping))
}

/** RESP2 sends the results and the profile, RESP3 names them; before 8.0 it mixed them. */
function profiled (reply, convert) {
  if (!isMap(reply)) {
    const [results, profile] = tuple(reply, 2)
    return { results: convert(results), profile }
  }
  const named = names(reply)
  const results = named.get('results')
  return {
    results: convert(named.has('total_results') || !isMap(results) ? reply : results),
    profile: flattened(named.get('profile'))
  }
}

/** A profile as RESP2 sends it: maps as flat lists, but before 8.0 the outermost as pairs. */
function flattened (profile) {
  const entries = isMap(profile) ? pairs(profile) : []
  if (!entries.some(([name]) => name === 'Total profile time')) return flat(profile)
  return entries.map(([name, value]) => (
    [name, flat(Array.isArray(value) && value.length === 1 && isMap(value[0]) ? value[0] : value)]
  ))
}

function flat (value) {
  if (Array.isArray(value)) return value.map(flat)
  if (!isMap(value)) return value
  return pairs(value).flatMap(([name, inner]) => [name, flat(inner)])
}

/** FT.INFO. RESP2 sends doubles as text and maps as flat lists, also inside. */
function info (reply, mapping) {
  return map(reply, mapping, (name, value) => {
    if (DOUBLES.has(name)) return double(value, mapping)
    if (INNER.has(name)) return inner(value, mapping)
    if (name === 'attributes') return list(value).map(attribute => inner(attribute, mapping))
    return value
  })
}

/** A map inside. An attribute's flat list may end with a word that stands alone. */
function inner (reply, mapping) {
  if (!Array.isArray(reply)) return reply
  if (mapping?.[RESP_TYPES.MAP] === Array) {
    return reply.map((item, i) => i % 2 === 0 ? item : number(reply[i - 1], item, mapping))
  }
  const pairs = reply.length % 2 === 0 ? reply : [...reply, undefined]
  return map(pairs, mapping, (name, value) => number(name, value, mapping))
}

function number (name, value, mapping) {
  return GC_DOUBLES.has(String(name)) ? double(value, mapping) : value
}

const DOUBLES = new Set(['inverted_sz_mb', 'vector_index_sz_mb', 'offset_vectors_sz_mb',
  'doc_table_size_mb', 'sortable_values_size_mb', 'key_table_size_mb', 'text_overhead_sz_mb',
  'tag_overhead_sz_mb', 'total_index_memory_sz_mb', 'geoshapes_sz_mb', 'records_per_doc_avg',
  'bytes_per_record_avg', 'offsets_per_term_avg', 'offset_bits_per_record_avg',
  'total_indexing_time', 'percent_indexed'])

const GC_DOUBLES = new Set(['bytes_collected', 'total_ms_run', 'total_cycles',
  'average_cycle_time_ms', 'last_run_time_ms', 'gc_numeric_trees_missed', 'gc_blocks_denied'])

const INNER = new Set(['index_definition', 'gc_stats', 'cursor_stats', 'dialect_stats',
  'Index Errors'])

module.exports = { profiledSearch, profiledAggregate, info }
