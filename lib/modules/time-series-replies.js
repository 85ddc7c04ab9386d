'use strict'

/*
 * Replies of the time-series commands. RESP2 sends values as text and several series as a list of
 * triples; RESP3 sends doubles and a map. A RESP3 map may come as an object, a Map or, where the
 * caller maps MAP to Array, as a flat list: that starts with a name, RESP2's list with a triple.
 */

const { double, entries, map } = require('../commands/replies')

/** `{ timestamp, value }` */
function sample ([timestamp, value], mapping) {
  return { timestamp, value: double(value, mapping) }
}

/** A series' last sample; null when it has none. */
function lastSample (reply, mapping) {
  return reply.length === 0 ? null : sample(reply, mapping)
}

function samples (reply, mapping) {
  return reply.map(item => sample(item, mapping))
}

/** As `samples`; null, for a wait that ended without any, is an empty list. */
function awaited (reply, mapping) {
  return reply === null ? [] : samples(reply, mapping)
}

/** Samples of several aggregations: `{ timestamp, values }`. */
function multiSamples (reply, mapping) {
  return reply.map(([timestamp, ...values]) => (
    { timestamp, values: values.map(value => double(value, mapping)) }
  ))
}

/** Samples of several keys by their timestamps: null where a key has none. */
function rows (reply, mapping) {
  return reply.map(([timestamp, values]) => (
    { timestamp, values: values.map(value => double(value, mapping)) }
  ))
}

/**
 * Several series by their keys, each made by `make(parts, mapping)`: labels first, samples last,
 * and in RESP3 what the samples were made of in between.
 */
function bySeries (make) {
  return (reply, mapping) => {
    const isTriples = Array.isArray(reply) && Array.isArray(reply[0])
    const named = isTriples ? reply.map(([key, ...parts]) => [String(key), parts]) : entries(reply)
    const flat = named.flatMap(([key, parts]) => [key, make(parts, mapping)])
    return map(flat, mapping)
  }
}

const mGet = bySeries((parts, mapping) => ({ sample: sample(last(parts), mapping) }))

const mGetLabels = bySeries((parts, mapping) => ({
  labels: labels(parts[0], mapping),
  sample: sample(last(parts), mapping)
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
  const own = parts[0].slice(0, -2)
  return {
    labels: labels(own, mapping),
    sources: split(last(last(parts[0]))),
    samples: samples(last(parts), mapping)
  }
})

/** Labels by their names. RESP2 sends pairs. */
function labels (reply, mapping) {
  return map(reply, mapping)
}

/** `a,b,c` as text or bytes. */
function split (list) {
  if (typeof list === 'string') return list.split(',')
  const parts = []
  let start = 0
  for (let end; (end = list.indexOf(',', start)) !== -1; start = end + 1) {
    parts.push(list.subarray(start, end))
  }
  return [...parts, list.subarray(start)]
}

/** TS.INFO: what a series is made of. */
function info (reply, mapping) {
  const made = {}
  for (const [name, value] of entries(reply)) {
    if (FACTS.has(name)) made[name] = value
    else if (name === 'ignoreMaxValDiff') made[name] = double(value, mapping)
    else if (name === 'labels') made[name] = entries(value).map(labelOf)
    else if (name === 'rules') made[name] = rules(value)
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
    : entries(reply).map(([key, parts]) => [key, ...parts])
  return listed.map(([key, timeBucket, aggregationType]) => ({ key, timeBucket, aggregationType }))
}

/** TS.INFO DEBUG: the chunks as well. */
function infoDebug (reply, mapping) {
  const made = info(reply, mapping)
  const named = new Map(entries(reply))
  made.keySelfName = named.get('keySelfName')
  made.chunks = (named.get('Chunks') ?? named.get('chunks') ?? []).map(chunk => {
    const facts = new Map(entries(chunk))
    return {
      startTimestamp: facts.get('startTimestamp'),
      endTimestamp: facts.get('endTimestamp'),
      samples: facts.get('samples'),
      size: facts.get('size'),
      bytesPerSample: String(facts.get('bytesPerSample'))
    }
  })
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
