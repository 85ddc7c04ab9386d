'use strict'

/*
 * Replies of the search commands. RESP2 sends positional lists, RESP3 maps with names; both become
 * one shape. A RESP3 map may come as an object, a Map or, where the caller maps MAP to Array, as a
 * flat list: a list that starts with a name is a map, for RESP2's lists start with a count or a
 * list. Names that documents bring along become own fields by definition.
 */

const { isText } = require('../arguments')
const { double, entries } = require('../commands/replies')
const shapes = require('../commands/shapes')
const { put } = require('../fields')
const { RESP_TYPES } = require('../resp-types')

/** FT.SEARCH: `{ total, documents: [{ id, score?, ..., value }], warnings }`. */
function search (reply, mapping, layout) {
  if (!isMap(reply)) return positional(reply, mapping, layout)
  const named = answer(reply)
  return {
    total: total(named),
    documents: list(named.get('results') ?? named.get('documents')).map(row => {
      const fields = names(row)
      const made = { id: fields.get('id') ?? fields.get('doc_id') }
      scored(made, fields.get('score'), mapping)
      if (present(fields.get('payload'))) put(made, 'payload', fields.get('payload'))
      if (present(fields.get('sortkey'))) put(made, 'sortKey', fields.get('sortkey'))
      put(made, 'value', document(fields.get('values'), fields.get('extra_attributes')))
      return made
    }),
    warnings: warnings(named)
  }
}

/** RESP2: the count, then for each document as many items as `layout` says. */
function positional (reply, mapping, { scores, payloads, sortKeys, content }) {
  const [count, ...rest] = shapes.tuple(reply, 1)
  const size = 1 + Number(scores) + Number(payloads) + Number(sortKeys) + Number(content)
  const documents = shapes.groupsOf(rest, size).map(([id, ...parts]) => {
    const made = { id }
    if (scores) scored(made, parts.shift(), mapping)
    const payload = payloads ? parts.shift() : undefined
    if (present(payload)) put(made, 'payload', payload)
    const sortKey = sortKeys ? parts.shift() : undefined
    if (present(sortKey)) put(made, 'sortKey', sortKey)
    put(made, 'value', content ? document(parts.shift()) : {})
    return made
  })
  return { total: shapes.number(count), documents, warnings: [] }
}

/** A score, alone or with its explanation. */
function scored (made, reply, mapping) {
  const [score, explanation] = Array.isArray(reply) ? reply : [reply]
  if (!present(score)) return
  put(made, 'score', double(score, mapping))
  if (explanation !== undefined) put(made, 'scoreExplain', explained(explanation))
}

/** A sentence, or a sentence with the explanations of its parts. */
function explained (reply) {
  if (!Array.isArray(reply)) return Buffer.isBuffer(reply) ? reply : shapes.text(reply)
  const [summary, parts] = reply
  return [explained(summary), Array.isArray(parts) ? parts.map(explained) : []]
}

/** As `search`, but documents are only their ids. */
function ids (reply, mapping, layout) {
  const { total, documents, warnings } = search(reply, mapping, layout)
  return { total, documents: documents.map(({ id }) => id), warnings }
}

/** FT.AGGREGATE: `{ total, results, warnings }`. */
function aggregate (reply, mapping) {
  if (!isMap(reply)) {
    const [count, ...rows] = shapes.tuple(reply, 1)
    const results = rows.map(row => mapped(document(row), mapping))
    return { total: shapes.number(count), results, warnings: [] }
  }
  const named = answer(reply)
  return {
    total: total(named),
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
  const [results, cursor] = shapes.tuple(reply, 2)
  return { ...aggregate(results, mapping), cursor }
}

/** FT.HYBRID: `{ totalResults, executionTime, warnings, results }`. */
function hybrid (reply) {
  const named = answer(reply)
  return {
    totalResults: total(named),
    executionTime: shapes.number(named.get('execution_time') ?? 0),
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
    return shapes.list(reply).map(item => {
      const [, term, found] = shapes.tuple(item, 3)
      const suggestions = shapes.list(found).map(one => {
        const [score, suggestion] = shapes.tuple(one, 2)
        return { score: shapes.number(score), suggestion }
      })
      return { term, suggestions }
    })
  }
  return pairs(answer(reply).get('results')).map(([term, found]) => ({
    term,
    suggestions: list(found).flatMap(one => pairs(one)).map(([suggestion, score]) => (
      { score: shapes.number(score), suggestion }
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
  return list(named.get('warning') ?? named.get('warnings')).map(shapes.text)
}

/** True for a RESP3 map in any of its forms. */
function isMap (reply) {
  if (!Array.isArray(reply)) return reply instanceof Map || shapes.isRecord(reply)
  // A count is text too where the caller maps NUMBER to String.
  return isText(reply[0]) && !/^\d+$/.test(String(reply[0]))
}

/** A map's values by their names in lower case: servers have spelled some in several ways. */
function names (reply) {
  return new Map(pairs(reply).map(([name, value]) => [name.toLowerCase(), value]))
}

/** What a search answers by names. It has results at least, or how many there are. */
function answer (reply) {
  const named = names(reply)
  if (!ANSWERS.some(name => named.has(name))) throw shapes.unlike('results', undefined)
  return named
}

function total (named) {
  return shapes.number(named.get('total_results') ?? named.get('total') ?? 0)
}

/** The entries of a map; none of what is absent, as of a document that has expired. */
function pairs (reply) {
  return present(reply) ? entries(reply) : []
}

function list (reply) {
  return present(reply) ? shapes.list(reply) : []
}

function present (reply) {
  return reply !== undefined && reply !== null
}

/** Each answer has one of these names, in every version of the server. */
const ANSWERS = ['total_results', 'total', 'results', 'documents', 'result']
/** What a row has in addition to the fields of its document. */
const ENVELOPE = new Set(['id', 'values', 'extra_attributes'])

module.exports = { search, ids, aggregate, page, hybrid, corrections, isMap, names, pairs }
