'use strict'

/*
 * Rows of PING, ECHO and of the CLIENT commands that ask or act, but leave the connection they run
 * on as it is: those that change it (SETNAME, TRACKING, NO-EVICT ...) cannot be sent over a shared
 * lane. See index.js for what a row is.
 */

const { fail, isGiven } = require('../arguments')
const { put } = require('../fields')
const { none } = require('./forms')
const { number, text, unlike } = require('./shapes')

module.exports = [
  {
    name: 'ping',
    args (w, message) {
      if (message !== undefined) w.arg(message, 'message')
    },
    ts: '(message?: RedisArgument): Promise<T>'
  },
  {
    name: 'echo',
    args (w, message) {
      w.arg(message, 'message')
    },
    ts: '(message: RedisArgument): Promise<T>'
  },
  {
    name: 'clientGetName',
    upper: 'CLIENT_GETNAME',
    command: ['CLIENT', 'GETNAME'],
    args: none,
    ts: '(): Promise<T | null>'
  },
  {
    name: 'clientGetRedir',
    upper: 'CLIENT_GETREDIR',
    command: ['CLIENT', 'GETREDIR'],
    args: none,
    ts: '(): Promise<number>'
  },
  {
    name: 'clientId',
    upper: 'CLIENT_ID',
    command: ['CLIENT', 'ID'],
    args: none,
    ts: '(): Promise<number>'
  },
  {
    name: 'clientInfo',
    upper: 'CLIENT_INFO',
    command: ['CLIENT', 'INFO'],
    args: none,
    reply: reply => clientInfo(text(reply)),
    ts: '(): Promise<ClientInfo>'
  },
  {
    name: 'clientKill',
    upper: 'CLIENT_KILL',
    command: ['CLIENT', 'KILL'],
    args (w, filters) {
      const list = Array.isArray(filters) ? filters : [filters]
      if (list.length === 0) fail('filters', 'a non-empty array', list)
      for (const filter of list) killFilter(w, filter)
    },
    ts: '(filters: ClientKillFilter | ClientKillFilter[]): Promise<number>'
  },
  {
    name: 'clientList',
    upper: 'CLIENT_LIST',
    command: ['CLIENT', 'LIST'],
    args (w, filter) {
      const o = w.options(filter, 'filter', LIST_FILTERS)
      if (o === undefined) return
      if (isGiven(o.TYPE)) {
        w.token('TYPE')
        w.oneOf(o.TYPE, 'filter.TYPE', CLIENT_TYPES)
      } else {
        w.token('ID')
        w.args(o.ID, 'filter.ID')
      }
    },
    reply: reply => text(reply).split('\n').filter(Boolean).map(clientInfo),
    ts: '(filter?: ClientListFilter): Promise<ClientInfo[]>'
  },
  {
    name: 'clientPause',
    upper: 'CLIENT_PAUSE',
    command: ['CLIENT', 'PAUSE'],
    args (w, timeout, mode) {
      w.int(timeout, 'timeout')
      if (isGiven(mode)) w.oneOf(mode, 'mode', ['WRITE', 'ALL'])
    },
    ts: "(timeout: RedisInteger, mode?: 'WRITE' | 'ALL'): Promise<'OK'>"
  },
  {
    name: 'clientTrackingInfo',
    upper: 'CLIENT_TRACKINGINFO',
    command: ['CLIENT', 'TRACKINGINFO'],
    args: none,
    shape: 'object',
    ts: '(): Promise<{ flags: T[]; redirect: number; prefixes: T[] }>'
  },
  {
    name: 'clientUnblock',
    upper: 'CLIENT_UNBLOCK',
    command: ['CLIENT', 'UNBLOCK'],
    args (w, clientId, mode) {
      w.int(clientId, 'clientId')
      if (isGiven(mode)) w.oneOf(mode, 'mode', ['TIMEOUT', 'ERROR'])
    },
    ts: "(clientId: RedisInteger, mode?: 'TIMEOUT' | 'ERROR'): Promise<number>"
  },
  {
    name: 'clientUnpause',
    upper: 'CLIENT_UNPAUSE',
    command: ['CLIENT', 'UNPAUSE'],
    args: none,
    ts: "(): Promise<'OK'>"
  }
]

function killFilter (w, filter) {
  // The server refuses the word without a value. Without the word it does the same.
  if (filter === 'SKIPME') filter = { filter, skipMe: true }
  w.oneOf(filter?.filter, 'filters: filter', Object.keys(KILL_FILTERS))
  KILL_FILTERS[filter.filter.toUpperCase()](w, filter)
}

/** One line of `CLIENT LIST`: `id=3 addr=127.0.0.1:52555 name= ...`. Values hold no blank. */
function clientInfo (line) {
  const fields = new Map()
  for (const word of line.trim().split(/\s+/)) {
    const end = word.indexOf('=')
    if (end > 0) fields.set(word.slice(0, end), word.slice(end + 1))
  }
  if (!fields.has('id')) throw unlike('the id of a connection', undefined)
  const info = {}
  for (const [name, field, always] of TEXT_FIELDS) {
    if (always || fields.has(field)) put(info, name, fields.get(field))
  }
  for (const [name, field, always] of NUMBER_FIELDS) {
    if (fields.has(field)) put(info, name, number(fields.get(field)))
    // Old servers lack the fields of newer ones. node-redis has undefined there, too.
    else if (always) put(info, name, NaN)
  }
  return info
}

const CLIENT_TYPES = ['NORMAL', 'MASTER', 'REPLICA', 'PUBSUB']
const LIST_FILTERS = new Set(['TYPE', 'ID'])

/** How the value of each filter of CLIENT KILL is written. */
const KILL_FILTERS = {
  ADDR: (w, filter) => w.arg(filter.address, 'filters: address'),
  LADDR: (w, filter) => w.arg(filter.localAddress, 'filters: localAddress'),
  ID: (w, filter) => w.int(filter.id, 'filters: id'),
  TYPE: (w, filter) => w.oneOf(filter.type, 'filters: type', CLIENT_TYPES),
  USER: (w, filter) => w.arg(filter.username, 'filters: username'),
  SKIPME: (w, filter) => w.token(filter.skipMe ? 'yes' : 'no'),
  MAXAGE: (w, filter) => w.int(filter.maxAge, 'filters: maxAge')
}

/** [name here, name on the wire, whether every server sends it] */
const TEXT_FIELDS = [
  ['addr', 'addr', true],
  ['laddr', 'laddr', false],
  ['name', 'name', true],
  ['flags', 'flags', true],
  ['events', 'events', true],
  ['cmd', 'cmd', true],
  ['user', 'user', true],
  ['libName', 'lib-name', true],
  ['libVer', 'lib-ver', true]
]

const NUMBER_FIELDS = [
  ['id', 'id', true],
  ['fd', 'fd', true],
  ['age', 'age', true],
  ['idle', 'idle', true],
  ['db', 'db', true],
  ['sub', 'sub', true],
  ['psub', 'psub', true],
  ['ssub', 'ssub', false],
  ['multi', 'multi', true],
  ['watch', 'watch', false],
  ['qbuf', 'qbuf', true],
  ['qbufFree', 'qbuf-free', true],
  ['argvMem', 'argv-mem', true],
  ['multiMem', 'multi-mem', false],
  ['rbs', 'rbs', false],
  ['rbp', 'rbp', false],
  ['obl', 'obl', true],
  ['oll', 'oll', true],
  ['omem', 'omem', true],
  ['totMem', 'tot-mem', true],
  ['redir', 'redir', false],
  ['resp', 'resp', false]
]
