'use strict'

/*
 * Replies of the time-series commands. RESP2 sends values as text and several series as a list of
 * triples; RESP3 sends doubles and a map. A RESP3 map may come as an object, a Map or, where the
 * caller maps MAP to Array, as a flat list: that starts with a name, RESP2's list with a triple.
 */

const { double, doubles, entries, map } = require('../commands/replies')
const { list, text, tuple } = require('../commands/shapes')
const { put } = require('../fields')

/** `{ timestamp, value }` */
function sample (reply, mapping) {
  const [timestamp, value] = tuple(reply, 2)
  return { timestamp, value: double(value, mapping) }
}

/** A series' last sample; null when it has none. */
function lastSample (reply, mapping) {
  return list(reply).length === 0 ? null : sample(reply, mapping)
}

function samples (reply, mapping) {
  return list(reply).map(item => sample(item, mapping))
}

/** As `samples`; null, for a wait that ended without any, is an empty list. */
function awaited (reply, mapping) {
  return reply === null ? [] : samples(reply, mapping)
}

/** Samples of several aggregations: `{ timestamp, values }`. */
function multiSamples (reply, mapping) {
  return list(reply).map(item => {
    const [timestamp, ...values] = tuple(item, 2)
    return { timestamp, values: doubles(values, mapping) }
  })
}

/** Samples of several keys by their timestamps: null where a key has none. */
function rows (reply, mapping) {
  return list(reply).map(item => {
    const [timestamp, values] = tuple(item, 2)
    return { timestamp, values: doubles(values, mapping) }
  })
}

/**
 * Several series by their keys, each made by `make(parts, mapping)`: labels first, samples last,
 * and in RESP3 what the samples were made of in between.
 */
function bySeries (make) {
  return (reply, mapping) => {
    const isTriples = Array.isArray(reply) && Array.isArray(reply[0])
    const named = isTriples ? reply.map(keyed) : entries(reply)
    const flat = named.flatMap(([key, parts]) => [key, make(tuple(parts, 2), mapping)])
    return map(flat, mapping)
  }
}

function keyed (reply) {
  const [key, ...parts] = tuple(reply, 1)
  return [text(key), parts]
}

const mGet = bySeries((parts, mapping) => ({ sample: lastSample(last(parts), mapping) }))

const mGetLabels = bySeries((parts, mapping) => ({
  labels: labels(parts[0], mapping),
  sample: lastSample(last(parts), mapping)
}))

const mRange = bySeries((parts, mapping) => samples(last(parts), mapping))

const mRangeMulti = bySeries((parts, mapping) => multiSamples(last(parts), mapping))

const mRangeLabels = bySeries((parts, mapping) => ({
  labels: labels(parts[0], mapping),
  samples: samples(last(parts), mapping)
}))

const mRangeLabelsMulti = bySeries((parts, mapping) => ({
  labels: labels(parts[0], mapping),
  samples: multiSamples(last(parts), mapping)
}))

const mRangeGroups = bySeries((parts, mapping) => ({ samples: samples(last(parts), mapping) }))

/** Groups with their labels and the keys that they are made of. RESP2 puts these in labels. */
const mRangeGroupsLabels = bySeries((parts, mapping) => {
  if (parts.length > 2) {
    return {
      labels: labels(parts[0], mapping),
      sources: new Map(entries(parts[2])).get('sources'),
      samples: samples(last(parts), mapping)
    }
  }
  // The last two are `__reducer__` and `__source__`.
  const all = tuple(parts[0], 2)
  return {
    labels: labels(all.slice(0, -2), mapping),
    sources: split(last(tuple(last(all), 2))),
    samples: samples(last(parts), mapping)
  }
})

/** Labels by their names. RESP2 sends pairs. */
function labels (reply, mapping) {
  return map(reply, mapping)
}

/** `a,b,c` as text or bytes. */
function split (names) {
  if (!Buffer.isBuffer(names)) return text(names).split(',')
  const parts = []
  let start = 0
  for (let end; (end = names.indexOf(',', start)) !== -1; start = end + 1) {
    parts.push(names.subarray(start, end))
  }
  return [...parts, names.subarray(start)]
}

/** TS.INFO: what a series is made of. */
function info (reply, mapping) {
  const made = {}
  for (const [name, value] of entries(reply)) {
    if (FACTS.has(name)) put(made, name, value)
    else if (name === 'ignoreMaxValDiff') put(made, name, double(value, mapping))
    else if (name === 'labels') put(made, name, entries(value).map(labelOf))
    else if (name === 'rules') put(made, name, rules(value))
  }
  return made
}

function labelOf ([name, value]) {
  return { name, value }
}

/** RESP2 sends lists that begin with the key, RESP3 a map of keys. */
function rules (reply) {
  const listed = Array.isArray(reply) && Array.isArray(reply[0])
    ? reply
    : entries(reply).map(([key, parts]) => [key, ...list(parts)])
  return listed.map(rule => {
    const [key, timeBucket, aggregationType] = tuple(rule, 3)
    return { key, timeBucket, aggregationType }
  })
}

/** TS.INFO DEBUG: the chunks as well. */
function infoDebug (reply, mapping) {
  const made = info(reply, mapping)
  const named = new Map(entries(reply))
  put(made, 'keySelfName', named.get('keySelfName'))
  put(made, 'chunks', list(named.get('Chunks') ?? named.get('chunks') ?? []).map(chunk => {
    const facts = new Map(entries(chunk))
    return {
      startTimestamp: facts.get('startTimestamp'),
      endTimestamp: facts.get('endTimestamp'),
      samples: facts.get('samples'),
      size: facts.get('size'),
      bytesPerSample: text(facts.get('bytesPerSample'))
    }
  }))
  return made
}

function last (list) {
  return list[list.length - 1]
}

const FACTS = new Set(['totalSamples', 'memoryUsage', 'firstTimestamp', 'lastTimestamp',
  'retentionTime', 'chunkCount', 'chunkSize', 'chunkType', 'duplicatePolicy', 'sourceKey',
  'ignoreMaxTimeDiff'])

module.exports = {
  lastSample,
  samples,
  awaited,
  multiSamples,
  rows,
  mGet,
  mGetLabels,
  mRange,
  mRangeMulti,
  mRangeLabels,
  mRangeLabelsMulti,
  mRangeGroups,
  mRangeGroupsLabels,
  info,
  infoDebug
}
