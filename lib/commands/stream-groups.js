'use strict'

/*
 * Rows of the commands about the consumer groups of streams; XREADGROUP is in stream-reads.js. See
 * index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { suffixed } = require('./forms')
const { maps, messages } = require('./replies')
const { list, number, tuple } = require('./shapes')

/* Signatures that several rows share. */
const CLAIM = '(key: RedisArgument, group: RedisArgument, consumer: RedisArgument, ' +
  'minIdleTime: RedisInteger, id: RedisVariadicArgument, options?: XClaimOptions)'
const AUTO_CLAIM = '(key: RedisArgument, group: RedisArgument, consumer: RedisArgument, ' +
  'minIdleTime: RedisInteger, start: RedisArgument, options?: XAutoClaimOptions)'
const CONSUMER = '(key: RedisArgument, group: RedisArgument, consumer: RedisArgument): ' +
  'Promise<number>'

module.exports = [
  {
    name: 'xAck',
    args (w, key, group, id) {
      keyGroup(w, key, group)
      w.args(id, 'id')
    },
    ts: '(key: RedisArgument, group: RedisArgument, id: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'xAckDel',
    args (w, key, group, id, policy) {
      keyGroup(w, key, group)
      if (isGiven(policy)) w.oneOf(policy, 'policy', ['KEEPREF', 'DELREF', 'ACKED'])
      w.token('IDS')
      w.argsCounted(id, 'id')
    },
    ts: '(key: RedisArgument, group: RedisArgument, id: RedisVariadicArgument, ' +
      'policy?: StreamDeletionPolicy): Promise<StreamDeletionReplyCode[]>'
  },
  {
    name: 'xAutoClaim',
    args: autoClaim,
    reply: (reply, mapping) => {
      const [nextId, claimed, deletedMessages] = tuple(reply, 2)
      return { nextId, messages: messages(claimed, mapping), deletedMessages }
    },
    ts: `${AUTO_CLAIM}: Promise<{ nextId: T; messages: (StreamMessage<T> | null)[]; ` +
      'deletedMessages: T[] }>'
  },
  {
    name: 'xAutoClaimJustId',
    upper: 'XAUTOCLAIM_JUSTID',
    command: ['XAUTOCLAIM'],
    args: suffixed(autoClaim, 'JUSTID'),
    reply: reply => {
      const [nextId, messages, deletedMessages] = tuple(reply, 2)
      return { nextId, messages: list(messages), deletedMessages }
    },
    about: 'Returns the ids without the messages.',
    ts: `${AUTO_CLAIM}: Promise<{ nextId: T; messages: T[]; deletedMessages: T[] }>`
  },
  {
    name: 'xClaim',
    args: claim,
    reply: messages,
    ts: `${CLAIM}: Promise<(StreamMessage<T> | null)[]>`
  },
  {
    name: 'xClaimJustId',
    upper: 'XCLAIM_JUSTID',
    command: ['XCLAIM'],
    args: suffixed(claim, 'JUSTID'),
    about: 'Returns the ids without the messages.',
    ts: `${CLAIM}: Promise<T[]>`
  },
  {
    name: 'xGroupCreate',
    upper: 'XGROUP_CREATE',
    command: ['XGROUP', 'CREATE'],
    args (w, key, group, id, options) {
      keyGroup(w, key, group)
      w.arg(id, 'id')
      const o = w.options(options, 'options', XGROUP_CREATE_OPTIONS)
      if (o?.MKSTREAM) w.token('MKSTREAM')
      entriesRead(w, o)
    },
    ts: '(key: RedisArgument, group: RedisArgument, id: RedisArgument, ' +
      "options?: XGroupCreateOptions): Promise<'OK'>"
  },
  {
    name: 'xGroupCreateConsumer',
    upper: 'XGROUP_CREATECONSUMER',
    command: ['XGROUP', 'CREATECONSUMER'],
    args: keyGroupConsumer,
    ts: CONSUMER
  },
  {
    name: 'xGroupDelConsumer',
    upper: 'XGROUP_DELCONSUMER',
    command: ['XGROUP', 'DELCONSUMER'],
    args: keyGroupConsumer,
    ts: CONSUMER
  },
  {
    name: 'xGroupDestroy',
    upper: 'XGROUP_DESTROY',
    command: ['XGROUP', 'DESTROY'],
    args: keyGroup,
    ts: '(key: RedisArgument, group: RedisArgument): Promise<number>'
  },
  {
    name: 'xGroupSetId',
    upper: 'XGROUP_SETID',
    command: ['XGROUP', 'SETID'],
    args (w, key, group, id, options) {
      keyGroup(w, key, group)
      w.arg(id, 'id')
      entriesRead(w, w.options(options, 'options', XGROUP_SETID_OPTIONS))
    },
    ts: '(key: RedisArgument, group: RedisArgument, id: RedisArgument, ' +
      "options?: XGroupSetIdOptions): Promise<'OK'>"
  },
  {
    name: 'xInfoConsumers',
    upper: 'XINFO_CONSUMERS',
    command: ['XINFO', 'CONSUMERS'],
    args: keyGroup,
    reply: maps,
    ts: '(key: RedisArgument, group: RedisArgument): Promise<XInfoConsumer<T>[]>'
  },
  {
    name: 'xInfoGroups',
    upper: 'XINFO_GROUPS',
    command: ['XINFO', 'GROUPS'],
    args (w, key) {
      w.key(key, 'key')
    },
    reply: maps,
    ts: '(key: RedisArgument): Promise<XInfoGroup<T>[]>'
  },
  {
    name: 'xNack',
    args (w, key, group, mode, id, options) {
      keyGroup(w, key, group)
      w.oneOf(mode, 'mode', ['SILENT', 'FAIL', 'FATAL'])
      w.token('IDS')
      w.argsCounted(id, 'id')
      const o = w.options(options, 'options', XNACK_OPTIONS)
      if (isGiven(o?.RETRYCOUNT)) {
        w.token('RETRYCOUNT')
        w.int(o.RETRYCOUNT, 'options.RETRYCOUNT')
      }
      if (o?.FORCE) w.token('FORCE')
    },
    ts: "(key: RedisArgument, group: RedisArgument, mode: 'SILENT' | 'FAIL' | 'FATAL', " +
      'id: RedisVariadicArgument, options?: XNackOptions): Promise<number>',
    docs: {
      summary: 'Gives pending messages back to their group, so that another consumer gets them.',
      complexity: 'O(N) where N is the number of messages.'
    }
  },
  {
    name: 'xPending',
    args: keyGroup,
    reply: summary,
    ts: '(key: RedisArgument, group: RedisArgument): Promise<{ pending: number; ' +
      'firstId: T | null; lastId: T | null; ' +
      'consumers: { name: T; deliveriesCounter: number }[] | null }>'
  },
  {
    name: 'xPendingRange',
    upper: 'XPENDING_RANGE',
    command: ['XPENDING'],
    args (w, key, group, start, end, count, options) {
      keyGroup(w, key, group)
      const o = w.options(options, 'options', XPENDING_RANGE_OPTIONS)
      if (isGiven(o?.IDLE)) {
        w.token('IDLE')
        w.int(o.IDLE, 'options.IDLE')
      }
      w.arg(start, 'start')
      w.arg(end, 'end')
      w.int(count, 'count')
      if (isGiven(o?.consumer)) w.arg(o.consumer, 'options.consumer')
    },
    reply: reply => list(reply).map(item => {
      const [id, consumer, millisecondsSinceLastDelivery, deliveriesCounter] = tuple(item, 4)
      return { id, consumer, millisecondsSinceLastDelivery, deliveriesCounter }
    }),
    about: 'Lists up to `count` pending messages.',
    ts: '(key: RedisArgument, group: RedisArgument, start: RedisArgument, end: RedisArgument, ' +
      'count: RedisInteger, options?: XPendingRangeOptions): Promise<{ id: T; consumer: T; ' +
      'millisecondsSinceLastDelivery: number; deliveriesCounter: number }[]>'
  }
]

function keyGroup (w, key, group) {
  w.key(key, 'key')
  w.arg(group, 'group')
}

function keyGroupConsumer (w, key, group, consumer) {
  keyGroup(w, key, group)
  w.arg(consumer, 'consumer')
}

function entriesRead (w, o) {
  if (!isGiven(o?.ENTRIESREAD)) return
  w.token('ENTRIESREAD')
  w.int(o.ENTRIESREAD, 'options.ENTRIESREAD')
}

/** (key, group, consumer, minIdleTime, id, options) */
function claim (w, key, group, consumer, minIdleTime, id, options) {
  keyGroupConsumer(w, key, group, consumer)
  w.int(minIdleTime, 'minIdleTime')
  w.args(id, 'id')
  const o = w.options(options, 'options', XCLAIM_OPTIONS)
  if (o === undefined) return
  if (isGiven(o.IDLE)) {
    w.token('IDLE')
    w.int(o.IDLE, 'options.IDLE')
  }
  if (isGiven(o.TIME)) {
    w.token('TIME')
    w.milliseconds(o.TIME, 'options.TIME')
  }
  if (isGiven(o.RETRYCOUNT)) {
    w.token('RETRYCOUNT')
    w.int(o.RETRYCOUNT, 'options.RETRYCOUNT')
  }
  if (o.FORCE) w.token('FORCE')
  if (isGiven(o.LASTID)) {
    w.token('LASTID')
    w.arg(o.LASTID, 'options.LASTID')
  }
}

/** (key, group, consumer, minIdleTime, start, options) */
function autoClaim (w, key, group, consumer, minIdleTime, start, options) {
  keyGroupConsumer(w, key, group, consumer)
  w.int(minIdleTime, 'minIdleTime')
  w.arg(start, 'start')
  const o = w.options(options, 'options', XAUTOCLAIM_OPTIONS)
  if (!isGiven(o?.COUNT)) return
  w.token('COUNT')
  w.int(o.COUNT, 'options.COUNT')
}

/** What is pending in a group. The server sends null for an empty list of consumers. */
function summary (reply) {
  const [pending, firstId, lastId, consumers] = tuple(reply, 4)
  return {
    pending,
    firstId,
    lastId,
    consumers: consumers === null ? null : list(consumers).map(item => {
      const [name, count] = tuple(item, 2)
      return { name, deliveriesCounter: number(count) }
    })
  }
}

const XAUTOCLAIM_OPTIONS = new Set(['COUNT'])
const XCLAIM_OPTIONS = new Set(['IDLE', 'TIME', 'RETRYCOUNT', 'FORCE', 'LASTID'])
const XGROUP_CREATE_OPTIONS = new Set(['MKSTREAM', 'ENTRIESREAD'])
const XGROUP_SETID_OPTIONS = new Set(['ENTRIESREAD'])
const XNACK_OPTIONS = new Set(['RETRYCOUNT', 'FORCE'])
const XPENDING_RANGE_OPTIONS = new Set(['IDLE', 'consumer'])
