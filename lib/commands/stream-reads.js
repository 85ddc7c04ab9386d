'use strict'

/*
 * Rows of the commands that read entries of streams. See index.js for what a row is. XREAD and
 * XREADGROUP wait on the server only when they are told to BLOCK.
 */

const { isUtf8 } = require('node:buffer')
const { isUint8Array } = require('node:util').types

const { fail, isGiven } = require('../arguments')
const { waitMilliseconds } = require('./forms')
const { messages, paired } = require('./replies')
const { entriesOf, text } = require('./shapes')

/* A signature that two rows share. */
const RANGE = '(key: RedisArgument, start: RedisArgument, end: RedisArgument, ' +
  'options?: XRangeOptions): Promise<StreamMessage<T>[]>'

module.exports = [
  { name: 'xRange', args: range, reply: messages, ts: RANGE },
  {
    name: 'xRead',
    blocks: true,
    args (w, streams, options) {
      const o = w.options(options, 'options', XREAD_OPTIONS)
      if (o !== undefined) limits(w, o)
      positions(w, streams)
    },
    shape: 'list',
    reply: byStream,
    ts: '(streams: XReadStream | XReadStream[], options?: XReadOptions): ' +
      'Promise<StreamMessages<T>[] | null>'
  },
  {
    name: 'xReadGroup',
    blocks: true,
    args (w, group, consumer, streams, options) {
      w.token('GROUP')
      w.arg(group, 'group')
      w.arg(consumer, 'consumer')
      const o = w.options(options, 'options', XREADGROUP_OPTIONS)
      if (o !== undefined) limits(w, o)
      if (isGiven(o?.CLAIM)) {
        w.token('CLAIM')
        w.int(o.CLAIM, 'options.CLAIM')
      }
      if (o?.NOACK) w.token('NOACK')
      positions(w, streams)
    },
    shape: 'list',
    reply: byStream,
    ts: '(group: RedisArgument, consumer: RedisArgument, streams: XReadStream | XReadStream[], ' +
      'options?: XReadGroupOptions): Promise<StreamMessages<T>[] | null>'
  },
  { name: 'xRevRange', args: range, reply: messages, ts: RANGE }
]

/** (key, start, end, options) */
function range (w, key, start, end, options) {
  w.key(key, 'key')
  w.arg(start, 'start')
  w.arg(end, 'end')
  const o = w.options(options, 'options', XRANGE_OPTIONS)
  if (!isGiven(o?.COUNT)) return
  w.token('COUNT')
  w.int(o.COUNT, 'options.COUNT')
}

/** How much to read, and how long to wait for it. */
function limits (w, o) {
  for (const limit of LIMITS) {
    if (!isGiven(o[limit])) continue
    w.token(limit)
    w.int(o[limit], `options.${limit}`)
  }
  if (isGiven(o.BLOCK)) {
    w.token('BLOCK')
    waitMilliseconds(w, o.BLOCK, 'options.BLOCK')
  }
}

/** `STREAMS key ... id ...` of one `{ key, id }` or a non-empty array of them. */
function positions (w, streams) {
  const list = Array.isArray(streams) ? streams : [streams]
  if (list.length === 0) fail('streams', 'a non-empty array', list)
  w.token('STREAMS')
  for (const stream of list) {
    if (stream === null || typeof stream !== 'object') {
      fail('streams', 'a { key, id } or an array of them', stream)
    }
    w.key(stream.key, 'streams: key')
  }
  for (const stream of list) w.arg(stream.id, 'streams: id')
}

/**
 * The streams that had entries, in the order that was asked for; null when none had. RESP2 sends
 * pairs, and RESP3 a map, whose keys are strings as those of all maps are.
 */
function byStream (reply, mapping) {
  if (reply === null) return null
  const make = (name, list) => ({ name, messages: messages(list, mapping) })
  const ofMap = (name, list) => make(nameOf(name), list)
  if (!Array.isArray(reply)) return entriesOf(reply).map(([name, list]) => ofMap(name, list))
  return paired(reply, Array.isArray(reply[0]) ? make : ofMap)
}

/** A key of a map is a string. Bytes that are no UTF-8 stay a Buffer, which alone can hold them. */
function nameOf (name) {
  return isUint8Array(name) && isUtf8(name) ? text(name) : name
}

const LIMITS = ['COUNT', 'MAXCOUNT', 'MAXSIZE']
const XRANGE_OPTIONS = new Set(['COUNT'])
const XREAD_OPTIONS = new Set([...LIMITS, 'BLOCK'])
const XREADGROUP_OPTIONS = new Set([...XREAD_OPTIONS, 'CLAIM', 'NOACK'])
