'use strict'

/*
 * Rows of the JSON commands. See ../commands/index.js for what a row is.
 *
 * Values go out as JSON text and come back parsed. A path that begins with `$` may match several
 * values, so its reply is a list; any other is of the old kind, and matches one.
 */

const { fail, isGiven } = require('../arguments')
const { list } = require('../commands/shapes')
const { fromJson, toJson } = require('./json-text')

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'JSON.ARRAPPEND': doc('Appends values to arrays; returns their new lengths.', 'O(N) where N is ' +
    'the size of the document if the path matches several values, otherwise O(1).'),
  'JSON.ARRINDEX': doc('Returns where a value first stands in arrays, -1 where it does not.',
    'O(N) where N is the size of the array.'),
  'JSON.ARRINSERT': doc('Inserts values into arrays before an index; returns their new lengths.',
    'O(N) where N is the size of the array.'),
  'JSON.ARRLEN': doc('Returns the lengths of arrays.', 'O(1) for one array.'),
  'JSON.ARRPOP': doc('Removes an element from arrays and returns it, the last one by default.',
    'O(N) where N is the size of the array; O(1) for its last element.'),
  'JSON.ARRTRIM': doc('Shortens arrays to a range of indexes; returns their new lengths.',
    'O(N) where N is the size of the array.'),
  'JSON.CLEAR': doc('Empties arrays and objects and sets numbers to 0; returns how many values ' +
    'were changed.', 'O(N) where N is the size of the values.', '2.0.0'),
  'JSON.DEBUG': doc('Returns how many bytes values take.',
    'O(N) where N is the size of the value.'),
  'JSON.DEL': doc('Deletes values; returns how many there were.',
    'O(N) where N is the size of the deleted values.'),
  'JSON.FORGET': doc('Deletes values; returns how many there were. Another name of JSON.DEL.',
    'O(N) where N is the size of the deleted values.'),
  'JSON.GET': doc('Returns what the path matches, parsed; the whole document by default. With ' +
    'several paths, an object with what each matches.', 'O(N) where N is the size of the values.'),
  'JSON.MERGE': doc('Merges a value into what the path matches, as RFC 7396 has it: null deletes.',
    'O(M+N) where M is the size of the old value and N that of the new one.', '2.6.0'),
  'JSON.MGET': doc('Returns what the path matches in each of several documents, parsed; null for ' +
    'a missing one.', 'O(M*N) where M is the number of keys and N the size of the values.'),
  'JSON.MSET': doc('Sets values in several documents, all of them or none.',
    'O(K*(M+N)) where K is the number of keys and M and N are the sizes of old and new values.',
    '2.6.0'),
  'JSON.NUMINCRBY': doc('Adds a number to numbers; returns their new values.',
    'O(N) where N is the size of the document if the path matches several values, otherwise O(1).'),
  'JSON.NUMMULTBY': doc('Multiplies numbers by a number; returns their new values.',
    'O(N) where N is the size of the document if the path matches several values, otherwise O(1).'),
  'JSON.OBJKEYS': doc('Returns the names of the members of objects.',
    'O(N) where N is the number of members.'),
  'JSON.OBJLEN': doc('Returns how many members objects have.', 'O(1) for one object.'),
  'JSON.SET': doc('Sets what the path matches, or a new member of an object; null if the ' +
    'condition does not hold.',
  'O(M+N) where M is the size of the old value and N that of the new one.'),
  'JSON.STRAPPEND': doc('Appends to strings; returns their new lengths.', 'O(1) for one string.'),
  'JSON.STRLEN': doc('Returns the lengths of strings.', 'O(1) for one string.'),
  'JSON.TOGGLE': doc('Negates booleans; returns their new values as 1 and 0.',
    'O(1) for one boolean.', '2.0.0'),
  'JSON.TYPE': doc('Returns the types of values.', 'O(1) for one value.')
}

const COUNTS = 'number | null | (number | null)[]'

const rows = [
  {
    name: 'arrAppend',
    command: ['JSON.ARRAPPEND'],
    args (w, key, path, json, ...jsons) {
      keyPath(w, key, path)
      values(w, json, jsons)
    },
    variadic: true,
    ts: '(key: RedisArgument, path: RedisArgument, json: RedisJsonArgument, ' +
      `...jsons: RedisJsonArgument[]): Promise<${COUNTS}>`
  },
  {
    name: 'arrIndex',
    command: ['JSON.ARRINDEX'],
    args (w, key, path, json, options) {
      keyPath(w, key, path)
      w.arg(toJson(json, 'json'), 'json')
      const range = w.options(options, 'options', RANGE_OPTIONS)?.range
      if (range === undefined) return
      w.int(range?.start, 'options.range.start')
      if (range.stop !== undefined) w.int(range.stop, 'options.range.stop')
    },
    ts: '(key: RedisArgument, path: RedisArgument, json: RedisJsonArgument, ' +
      `options?: JsonArrIndexOptions): Promise<${COUNTS}>`
  },
  {
    name: 'arrInsert',
    command: ['JSON.ARRINSERT'],
    args (w, key, path, index, json, ...jsons) {
      keyPath(w, key, path)
      w.int(index, 'index')
      values(w, json, jsons)
    },
    variadic: true,
    ts: '(key: RedisArgument, path: RedisArgument, index: RedisInteger, json: RedisJsonArgument, ' +
      `...jsons: RedisJsonArgument[]): Promise<${COUNTS}>`
  },
  {
    name: 'arrLen',
    command: ['JSON.ARRLEN'],
    args: keyMaybePath,
    ts: `(key: RedisArgument, options?: JsonPathOptions): Promise<${COUNTS}>`
  },
  {
    name: 'arrPop',
    command: ['JSON.ARRPOP'],
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', POP_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.path)) {
        w.arg(o.path, 'options.path')
        if (isGiven(o.index)) w.int(o.index, 'options.index')
      } else if (isGiven(o.index)) {
        throw new TypeError('argument "options.index" needs "options.path": the index follows it')
      }
      w.preserved = reviver(o.reviver, 'options.reviver')
    },
    reply: (reply, mapping, reviver) => Array.isArray(reply)
      ? reply.map(item => fromJson(item, reviver))
      : fromJson(reply, reviver),
    ts: '(key: RedisArgument, options?: JsonArrPopOptions): ' +
      'Promise<RedisJSON>'
  },
  {
    name: 'arrTrim',
    command: ['JSON.ARRTRIM'],
    args (w, key, path, start, stop) {
      keyPath(w, key, path)
      w.int(start, 'start')
      w.int(stop, 'stop')
    },
    ts: '(key: RedisArgument, path: RedisArgument, start: RedisInteger, stop: RedisInteger): ' +
      `Promise<${COUNTS}>`
  },
  {
    name: 'clear',
    command: ['JSON.CLEAR'],
    args: keyMaybePath,
    ts: '(key: RedisArgument, options?: JsonPathOptions): Promise<number>'
  },
  {
    name: 'debugMemory',
    upper: 'DEBUG_MEMORY',
    command: ['JSON.DEBUG', 'MEMORY'],
    args: keyMaybePath,
    ts: `(key: RedisArgument, options?: JsonPathOptions): Promise<${COUNTS}>`
  },
  {
    name: 'del',
    command: ['JSON.DEL'],
    args: keyMaybePath,
    ts: '(key: RedisArgument, options?: JsonPathOptions): Promise<number>'
  },
  {
    name: 'forget',
    command: ['JSON.FORGET'],
    args: keyMaybePath,
    ts: '(key: RedisArgument, options?: JsonPathOptions): Promise<number>'
  },
  {
    name: 'get',
    command: ['JSON.GET'],
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', GET_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.path)) w.anyArgs(o.path, 'options.path')
      w.preserved = reviver(o.reviver, 'options.reviver')
    },
    reply: (reply, mapping, reviver) => fromJson(reply, reviver),
    ts: '(key: RedisArgument, options?: JsonGetOptions): Promise<RedisJSON>'
  },
  {
    name: 'merge',
    command: ['JSON.MERGE'],
    args (w, key, path, value) {
      keyPath(w, key, path)
      w.arg(toJson(value, 'value'), 'value')
    },
    ts: "(key: RedisArgument, path: RedisArgument, value: RedisJsonArgument): Promise<'OK'>"
  },
  {
    name: 'mGet',
    command: ['JSON.MGET'],
    takesFunctionAt: 2,
    args (w, keys, path, parse) {
      w.keys(keys, 'keys')
      w.arg(path, 'path')
      w.preserved = reviver(parse, 'reviver')
    },
    reply: (reply, mapping, reviver) => list(reply).map(item => fromJson(item, reviver)),
    ts: '(keys: RedisVariadicArgument, path: RedisArgument, reviver?: JsonReviver): ' +
      'Promise<RedisJSON[]>'
  },
  {
    name: 'mSet',
    command: ['JSON.MSET'],
    args (w, items) {
      if (!Array.isArray(items) || items.length === 0) fail('items', 'a non-empty array', items)
      for (let i = 0; i < items.length; i++) {
        w.key(items[i]?.key, `items[${i}].key`)
        w.arg(items[i].path, `items[${i}].path`)
        w.arg(toJson(items[i].value, `items[${i}].value`), 'items')
      }
    },
    ts: "(items: JsonMSetItem[]): Promise<'OK'>"
  },
  {
    name: 'numIncrBy',
    command: ['JSON.NUMINCRBY'],
    args: keyPathBy,
    reply: calculated,
    ts: '(key: RedisArgument, path: RedisArgument, by: RedisDouble): ' +
      `Promise<${COUNTS}>`
  },
  {
    name: 'numMultBy',
    command: ['JSON.NUMMULTBY'],
    args: keyPathBy,
    reply: calculated,
    ts: '(key: RedisArgument, path: RedisArgument, by: RedisDouble): ' +
      `Promise<${COUNTS}>`
  },
  {
    name: 'objKeys',
    command: ['JSON.OBJKEYS'],
    args: keyMaybePath,
    ts: '(key: RedisArgument, options?: JsonPathOptions): ' +
      'Promise<T[] | (T[] | null)[] | null>'
  },
  {
    name: 'objLen',
    command: ['JSON.OBJLEN'],
    args: keyMaybePath,
    ts: `(key: RedisArgument, options?: JsonPathOptions): Promise<${COUNTS}>`
  },
  {
    name: 'set',
    command: ['JSON.SET'],
    args (w, key, path, json, options) {
      keyPath(w, key, path)
      w.arg(toJson(json, 'json'), 'json')
      const o = w.options(options, 'options', SET_OPTIONS)
      if (o === undefined) return
      if (isGiven(o.condition)) w.oneOf(o.condition, 'options.condition', ['NX', 'XX'])
      else if (o.NX) w.token('NX')
      else if (o.XX) w.token('XX')
      if (isGiven(o.fpha)) {
        w.token('FPHA')
        w.oneOf(o.fpha, 'options.fpha', ['BF16', 'FP16', 'FP32', 'FP64'])
      }
    },
    ts: '(key: RedisArgument, path: RedisArgument, json: RedisJsonArgument, ' +
      "options?: JsonSetOptions): Promise<'OK' | null>"
  },
  {
    name: 'strAppend',
    command: ['JSON.STRAPPEND'],
    args (w, key, append, options) {
      keyMaybePath(w, key, options)
      if (typeof append !== 'string') fail('append', 'a string', append)
      w.arg(toJson(append, 'append'), 'append')
    },
    ts: '(key: RedisArgument, append: string, options?: JsonPathOptions): ' +
      `Promise<${COUNTS}>`
  },
  {
    name: 'strLen',
    command: ['JSON.STRLEN'],
    args: keyMaybePath,
    ts: `(key: RedisArgument, options?: JsonPathOptions): Promise<${COUNTS}>`
  },
  {
    name: 'toggle',
    command: ['JSON.TOGGLE'],
    args: keyPath,
    ts: `(key: RedisArgument, path: RedisArgument): Promise<${COUNTS}>`
  },
  {
    name: 'type',
    command: ['JSON.TYPE'],
    args (w, key, options) {
      keyMaybePath(w, key, options)
      w.preserved = matchesMany(options?.path)
    },
    reply: typed,
    ts: '(key: RedisArgument, options?: JsonPathOptions): Promise<T | (T | null)[] | null>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

function keyPath (w, key, path) {
  w.key(key, 'key')
  w.arg(path, 'path')
}

/** (key, { path }) */
function keyMaybePath (w, key, options) {
  w.key(key, 'key')
  const path = w.options(options, 'options', PATH_OPTIONS)?.path
  if (path !== undefined) w.arg(path, 'options.path')
}

function keyPathBy (w, key, path, by) {
  keyPath(w, key, path)
  w.float(by, 'by')
}

function values (w, json, jsons) {
  w.arg(toJson(json, 'json'), 'json')
  for (let i = 0; i < jsons.length; i++) w.arg(toJson(jsons[i], `jsons[${i}]`), 'jsons')
}

function reviver (v, name) {
  if (!isGiven(v)) return undefined
  if (typeof v !== 'function') fail(name, 'a function', v)
  return v
}

/** RESP2 sends the new values as JSON, RESP3 as a list. */
function calculated (reply) {
  return Array.isArray(reply) ? reply : fromJson(reply)
}

/**
 * RESP3 sends a list of one where RESP2 sends the value. A path that begins with `$` gives a list
 * in both, so the path decides.
 */
function typed (reply, mapping, isList) {
  if (!Array.isArray(reply)) return reply
  return isList && reply[0] !== null && !Array.isArray(reply[0]) ? reply : reply[0]
}

/** Whether a path may match several values: such begin with `$`. */
function matchesMany (path) {
  return path !== undefined && (path[0] === '$' || path[0] === DOLLAR)
}

const DOLLAR = 0x24
const GET_OPTIONS = new Set(['path', 'reviver'])
const PATH_OPTIONS = new Set(['path'])
const POP_OPTIONS = new Set(['path', 'index', 'reviver'])
const RANGE_OPTIONS = new Set(['range'])
const SET_OPTIONS = new Set(['condition', 'NX', 'XX', 'fpha'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
