'use strict'

/*
 * Rows of the commands for keys of any type. See index.js for what a row is. Patterns (KEYS, SCAN,
 * SORT's BY and GET) are sent as given: the client's key prefix is not put in front of them.
 */

const { isGiven } = require('../arguments')
const { key, keys, none, limit, scan } = require('./forms')
const { paged } = require('./shapes')

module.exports = [
  {
    name: 'blessClear',
    upper: 'BLESS_CLEAR',
    command: ['BLESS', 'CLEAR'],
    args: keyBlessing,
    ts: "(key: RedisArgument, flag: 'NO-EVICT'): Promise<number>",
    docs: { summary: 'Takes a flag off a key.', complexity: 'O(1)', since: '8.12.0' }
  },
  {
    name: 'blessGet',
    upper: 'BLESS_GET',
    command: ['BLESS', 'GET'],
    args: key,
    ts: '(key: RedisArgument): Promise<T[]>',
    docs: { summary: 'Returns the flags of a key.', complexity: 'O(1)', since: '8.12.0' }
  },
  {
    name: 'blessScan',
    upper: 'BLESS_SCAN',
    command: ['BLESS', 'SCAN'],
    args (w, cursor, flag, options) {
      w.arg(cursor, 'cursor')
      w.oneOf(flag, 'flag', ['NO-EVICT'])
      const o = w.options(options, 'options', BLESS_SCAN_OPTIONS)
      if (!isGiven(o?.COUNT)) return
      w.token('COUNT')
      w.int(o.COUNT, 'options.COUNT')
    },
    reply: keysPage,
    ts: "(cursor: RedisArgument, flag: 'NO-EVICT', options?: { COUNT?: RedisInteger }): " +
      'Promise<{ cursor: T; keys: T[] }>',
    docs: { summary: 'Iterates over the keys with a flag.', complexity: 'O(1)', since: '8.12.0' }
  },
  {
    name: 'blessSet',
    upper: 'BLESS_SET',
    command: ['BLESS', 'SET'],
    args: keyBlessing,
    ts: "(key: RedisArgument, flag: 'NO-EVICT'): Promise<number>",
    docs: {
      summary: 'Sets a flag of a key: NO-EVICT keeps it in memory.',
      complexity: 'O(1)',
      since: '8.12.0'
    }
  },
  {
    name: 'copy',
    args (w, source, destination, options) {
      w.key(source, 'source')
      w.key(destination, 'destination')
      const o = w.options(options, 'options', COPY_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.DB)) {
        w.token('DB')
        w.int(o.DB, 'options.DB')
      }
      if (o.REPLACE) w.token('REPLACE')
    },
    ts: '(source: RedisArgument, destination: RedisArgument, options?: CopyOptions): ' +
      'Promise<number>'
  },
  { name: 'del', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' },
  { name: 'dump', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  { name: 'exists', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' },
  {
    name: 'expire',
    args: expiry('int', 'seconds'),
    ts: '(key: RedisArgument, seconds: RedisInteger, mode?: ExpireMode): Promise<number>'
  },
  {
    name: 'expireAt',
    args: expiry('seconds', 'timestamp'),
    ts: '(key: RedisArgument, timestamp: RedisInteger | Date, mode?: ExpireMode): Promise<number>'
  },
  { name: 'expireTime', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'keys',
    args (w, pattern) {
      w.arg(pattern, 'pattern')
    },
    ts: '(pattern: RedisArgument): Promise<T[]>'
  },
  {
    name: 'migrate',
    args (w, host, port, key, destinationDb, timeout, options) {
      const several = Array.isArray(key)
      w.arg(host, 'host')
      w.int(port, 'port')
      if (several) w.token('')
      else w.key(key, 'key')
      w.int(destinationDb, 'destinationDb')
      w.int(timeout, 'timeout')
      const o = w.options(options, 'options', MIGRATE_OPTIONS)
      if (o?.COPY) w.token('COPY')
      if (o?.REPLACE) w.token('REPLACE')
      if (isGiven(o?.AUTH)) credentials(w, o.AUTH)
      if (several) {
        w.token('KEYS')
        w.keys(key, 'key')
      }
    },
    ts: '(host: RedisArgument, port: RedisInteger, key: RedisVariadicArgument, ' +
      'destinationDb: RedisInteger, timeout: RedisInteger, options?: MigrateOptions): ' +
      "Promise<'OK' | 'NOKEY'>"
  },
  {
    name: 'move',
    args (w, key, db) {
      w.key(key, 'key')
      w.int(db, 'db')
    },
    ts: '(key: RedisArgument, db: RedisInteger): Promise<number>'
  },
  {
    name: 'objectEncoding',
    upper: 'OBJECT_ENCODING',
    command: ['OBJECT', 'ENCODING'],
    args: key,
    ts: '(key: RedisArgument): Promise<T | null>'
  },
  {
    name: 'objectFreq',
    upper: 'OBJECT_FREQ',
    command: ['OBJECT', 'FREQ'],
    args: key,
    ts: '(key: RedisArgument): Promise<number | null>'
  },
  {
    name: 'objectIdleTime',
    upper: 'OBJECT_IDLETIME',
    command: ['OBJECT', 'IDLETIME'],
    args: key,
    ts: '(key: RedisArgument): Promise<number | null>'
  },
  {
    name: 'objectRefCount',
    upper: 'OBJECT_REFCOUNT',
    command: ['OBJECT', 'REFCOUNT'],
    args: key,
    ts: '(key: RedisArgument): Promise<number | null>'
  },
  { name: 'persist', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'pExpire',
    args: expiry('int', 'ms'),
    ts: '(key: RedisArgument, ms: RedisInteger, mode?: ExpireMode): Promise<number>'
  },
  {
    name: 'pExpireAt',
    args: expiry('milliseconds', 'msTimestamp'),
    ts: '(key: RedisArgument, msTimestamp: RedisInteger | Date, mode?: ExpireMode): ' +
      'Promise<number>'
  },
  { name: 'pExpireTime', args: key, ts: '(key: RedisArgument): Promise<number>' },
  { name: 'pTTL', args: key, ts: '(key: RedisArgument): Promise<number>' },
  { name: 'randomKey', args: none, ts: '(): Promise<T | null>' },
  {
    name: 'rename',
    args: rename,
    ts: "(key: RedisArgument, newKey: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'renameNX',
    args: rename,
    ts: '(key: RedisArgument, newKey: RedisArgument): Promise<number>'
  },
  {
    name: 'restore',
    args: restore,
    ts: '(key: RedisArgument, ttl: RedisInteger, serializedValue: RedisArgument, ' +
      "options?: RestoreOptions): Promise<'OK'>"
  },
  {
    name: 'restoreAsking',
    upper: 'RESTORE-ASKING',
    args: restore,
    ts: '(key: RedisArgument, ttl: RedisInteger, serializedValue: RedisArgument, ' +
      "options?: RestoreOptions): Promise<'OK'>"
  },
  {
    name: 'scan',
    args (w, cursor, options) {
      scan(w, cursor, options, SCAN_OPTIONS)
    },
    reply: keysPage,
    ts: '(cursor: RedisArgument, options?: ScanOptions): Promise<{ cursor: T; keys: T[] }>'
  },
  {
    name: 'sort',
    args: sort,
    ts: '(key: RedisArgument, options?: SortOptions): Promise<(T | null)[]>'
  },
  {
    name: 'sortRo',
    upper: 'SORT_RO',
    args: sort,
    ts: '(key: RedisArgument, options?: SortOptions): Promise<(T | null)[]>'
  },
  {
    name: 'sortStore',
    upper: 'SORT_STORE',
    command: ['SORT'],
    args (w, source, destination, options) {
      w.key(source, 'source')
      sortOptions(w, options)
      w.token('STORE')
      w.key(destination, 'destination')
    },
    about: 'Stores the elements in a list instead of returning them.',
    ts: '(source: RedisArgument, destination: RedisArgument, options?: SortOptions): ' +
      'Promise<number>'
  },
  { name: 'touch', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' },
  { name: 'ttl', args: key, ts: '(key: RedisArgument): Promise<number>' },
  { name: 'type', args: key, ts: '(key: RedisArgument): Promise<string>' },
  { name: 'unlink', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' }
]

function restore (w, key, ttl, serializedValue, options) {
  w.key(key, 'key')
  w.int(ttl, 'ttl')
  w.arg(serializedValue, 'serializedValue')
  const o = w.options(options, 'options', RESTORE_OPTIONS)
  if (o === undefined) return
  if (o.REPLACE) w.token('REPLACE')
  if (o.ABSTTL) w.token('ABSTTL')
  if (isGiven(o.IDLETIME)) {
    w.token('IDLETIME')
    w.int(o.IDLETIME, 'options.IDLETIME')
  }
  if (isGiven(o.FREQ)) {
    w.token('FREQ')
    w.int(o.FREQ, 'options.FREQ')
  }
}

function keyBlessing (w, key, flag) {
  w.key(key, 'key')
  w.oneOf(flag, 'flag', ['NO-EVICT'])
}

function rename (w, key, newKey) {
  w.key(key, 'key')
  w.key(newKey, 'newKey')
}

/** (key, when, mode); `kind` is the writer's method that `when` goes through. */
function expiry (kind, name) {
  return function (w, key, when, mode) {
    w.key(key, 'key')
    w[kind](when, name)
    if (isGiven(mode)) w.oneOf(mode, 'mode', ['NX', 'XX', 'GT', 'LT'])
  }
}

function sort (w, key, options) {
  w.key(key, 'key')
  sortOptions(w, options)
}

function sortOptions (w, options) {
  const o = w.options(options, 'options', SORT_OPTIONS)
  if (o === undefined) return
  if (isGiven(o.BY)) {
    w.token('BY')
    w.arg(o.BY, 'options.BY')
  }
  limit(w, o.LIMIT)
  if (isGiven(o.GET)) {
    for (const pattern of Array.isArray(o.GET) ? o.GET : [o.GET]) {
      w.token('GET')
      w.arg(pattern, 'options.GET')
    }
  }
  if (isGiven(o.DIRECTION)) w.oneOf(o.DIRECTION, 'options.DIRECTION', ['ASC', 'DESC'])
  if (o.ALPHA) w.token('ALPHA')
}

function credentials (w, { username, password }) {
  if (isGiven(username)) {
    w.token('AUTH2')
    w.arg(username, 'options.AUTH.username')
  } else {
    w.token('AUTH')
  }
  w.arg(password, 'options.AUTH.password')
}

/** A page of keys, with the cursor of the next page. */
function keysPage (reply) {
  const [cursor, keys] = paged(reply)
  return { cursor, keys }
}

const COPY_OPTIONS = new Set(['DB', 'REPLACE'])
const MIGRATE_OPTIONS = new Set(['COPY', 'REPLACE', 'AUTH'])
const RESTORE_OPTIONS = new Set(['REPLACE', 'ABSTTL', 'IDLETIME', 'FREQ'])
const SCAN_OPTIONS = new Set(['MATCH', 'COUNT', 'TYPE'])
const SORT_OPTIONS = new Set(['BY', 'LIMIT', 'GET', 'DIRECTION', 'ALPHA'])
const BLESS_SCAN_OPTIONS = new Set(['COUNT'])
