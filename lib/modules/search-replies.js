'use strict'

/*
 * Replies of the search commands. RESP2 sends positional lists, RESP3 maps with names; both become
 * one shape. A RESP3 map may come as an object, a Map or, where the caller maps MAP to Array, as a
 * flat list: a list that starts with a name is a map, for RESP2's lists start with a count or a
 * list. Names that documents bring along become own fields by definition.
 */

const { isText } = require('../arguments')
const { double, entries, put } = require('../commands/replies')
const { RESP_TYPES } = require('../resp-types')

/** FT.SEARCH: `{ total, documents: [{ id, score?, ..., value }], warnings }`. */
function search (reply, mapping, layout) {
  if (!isMap(reply)) return positional(reply, mapping, layout)
  const named = names(reply)
  return {
    total: Number(named.get('total_results') ?? named.get('total') ?? 0),
    documents: list(named.get('results') ?? named.get('documents')).map(row => {
      const fields = names(row)
      const made = { id: fields.get('id') ?? fields.get('doc_id') }
      scored(made, fields.get('score'), mapping)
      if (present(fields.get('payload'))) made.payload = fields.get('payload')
      if (present(fields.get('sortkey'))) made.sortKey = fields.get('sortkey')
      made.value = document(fields.get('values'), fields.get('extra_attributes'))
      return made
    }),
    warnings: warnings(named)
  }
}

/** RESP2: the count, then for each document as many items as `layout` says. */
function positional (reply, mapping, { scores, payloads, sortKeys, content }) {
  const documents = []
  for (let i = 1; i < reply.length;) {
    const made = { id: reply[i++] }
    if (scores) scored(made, reply[i++], mapping)
    const payload = payloads ? reply[i++] : undefined
    if (present(payload)) made.payload = payload
    const sortKey = sortKeys ? reply[i++] : undefined
    if (present(sortKey)) made.sortKey = sortKey
    made.value = content ? document(reply[i++]) : {}
    documents.push(made)
  }
  return { total: Number(reply[0]), documents, warnings: [] }
}

/** A score, alone or with its explanation. */
function scored (made, reply, mapping) {
  const [score, explanation] = Array.isArray(reply) ? reply : [reply]
  if (!present(score)) return
  made.score = double(score, mapping)
  if (explanation !== undefined) made.scoreExplain = explained(explanation)
}

/** A sentence, or a sentence with the explanations of its parts. */
function explained (reply) {
  if (!Array.isArray(reply)) return Buffer.isBuffer(reply) ? reply : String(reply)
  const [summary, parts] = reply
  return [explained(summary), Array.isArray(parts) ? parts.map(explained) : []]
}

/** As `search`, but documents are ids. */
function ids (reply, mapping, layout) {
  const { total, documents, warnings } = search(reply, mapping, layout)
  return { total, documents: documents.map(({ id }) => id), warnings }
}

/** FT.AGGREGATE: `{ total, results, warnings }`. */
function aggregate (reply, mapping) {
  if (!isMap(reply)) {
    const results = reply.slice(1).map(row => mapped(document(row), mapping))
    return { total: Number(reply[0]), results, warnings: [] }
  }
  const named = names(reply)
  return {
    total: Number(named.get('total_results') ?? named.get('total') ?? 0),
    results: list(named.get('results')).map(row => mapped(flattened(row), mapping)),
    warnings: warnings(named)
  }
}

/** A page of an aggregation: the same with the cursor of the next page, 0 after the last. */
function page (reply, mapping) {
  if (isMap(reply)) {
    const named = names(reply)
    const result = named.get('result') ?? named.get('results')
    const whole = isMap(result) ? result : reply
    return { ...aggregate(whole, mapping), cursor: named.get('cursor') ?? 0 }
  }
  return { ...aggregate(reply[0], mapping), cursor: reply[1] }
}

/** FT.HYBRID: `{ totalResults, executionTime, warnings, results }`. */
function hybrid (reply) {
  const named = names(reply)
  return {
    totalResults: Number(named.get('total_results') ?? 0),
    executionTime: Number(named.get('execution_time') ?? 0),
    warnings: warnings(named),
    results: list(named.get('results')).map(row => {
      const id = names(row).get('id')
      return present(id) ? { id, ...flattened(row) } : flattened(row)
    })
  }
}

/** FT.SPELLCHECK: `[{ term, suggestions: [{ score, suggestion }] }]`. */
function corrections (reply) {
  if (!isMap(reply)) {
    return reply.map(([, term, found]) => ({
      term,
      suggestions: found.map(([score, suggestion]) => ({ score: Number(score), suggestion }))
    }))
  }
  return pairs(names(reply).get('results')).map(([term, found]) => ({
    term,
    suggestions: list(found).flatMap(one => pairs(one)).map(([suggestion, score]) => (
      { score: Number(score), suggestion }
    ))
  }))
}

/** The fields of a document. A JSON document comes whole, as the text of its root. */
function document (...sources) {
  const made = {}
  for (const source of sources) {
    for (const [name, value] of pairs(source)) {
      const root = name === '$' ? parsed(value) : undefined
      if (root === undefined) put(made, name, value)
      else for (const field of Object.keys(root)) put(made, field, root[field])
    }
  }
  return made
}

/** The object or array that `json` is the text of; undefined if it is not one. */
function parsed (json) {
  if (!isText(json)) return undefined
  try {
    const root = JSON.parse(String(json))
    return root !== null && typeof root === 'object' ? root : undefined
  } catch {
    return undefined
  }
}

/** A row of results as one object: its fields, then what stands beside them. */
function flattened (row) {
  const fields = names(row)
  const made = document(fields.get('values'), fields.get('extra_attributes'))
  for (const [name, value] of pairs(row)) {
    if (!ENVELOPE.has(name.toLowerCase()) && !Object.hasOwn(made, name)) put(made, name, value)
  }
  return made
}

/** What the type mapping makes of an object. */
function mapped (made, mapping) {
  switch (mapping?.[RESP_TYPES.MAP]) {
    case Array: return Object.entries(made).flat()
    case Map: return new Map(Object.entries(made))
    default: return made
  }
}

function warnings (named) {
  return list(named.get('warning') ?? named.get('warnings')).map(String)
}

/** True for a RESP3 map in any of its forms. */
function isMap (reply) {
  if (!Array.isArray(reply)) return isNamed(reply)
  // A count is text too where the caller maps NUMBER to String.
  return isText(reply[0]) && !/^\d+$/.test(String(reply[0]))
}

/** A map's values by their names in lower case: servers have spelled some in several ways. */
function names (reply) {
  return new Map(pairs(reply).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The entries of a map; none of what is not a map, as of a document that has expired. */
function pairs (reply) {
  return Array.isArray(reply) || isNamed(reply) ? entries(reply) : []
}

function isNamed (reply) {
  return reply !== null && typeof reply === 'object' && !isText(reply) && !(reply instanceof Set)
}

function list (reply) {
  return Array.isArray(reply) ? reply : reply instanceof Set ? [...reply] : []
}

function present (reply) {
  return reply !== undefined && reply !== null
}

/** What a row holds beside the fields of its document. */
const ENVELOPE = new Set(['id', 'values', 'extra_attributes'])

module.exports = { search, ids, aggregate, page, hybrid, corrections, isMap, names, pairs }
