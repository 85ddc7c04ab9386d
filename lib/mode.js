'use strict'

/*
 * The mode of a command: bits that say what its reply becomes, and how it is sent.
 *
 * `pack` makes them of a type mapping. `src/binding/mode.rs` reads the same bits; a test decodes
 * every type with every mapping, so the two files cannot come to differ. Unknown types and classes
 * throw a TypeError before anything is sent.
 */

const { RESP_TYPES } = require('./resp-types')
const { ErrorReply } = require('./errors')

/**
 * A text with the format that the server gave it: `txt` or `mkd`. It acts as a string, but does not
 * extend `String`: once anything in a process does, V8 makes all string methods slower (measured on
 * Node 20: a loop over `charCodeAt` 4.6 times).
 */
class VerbatimString {
  constructor (format, value) {
    this.format = format
    this.value = value
  }

  get length () {
    return this.value.length
  }

  toString () {
    return this.value
  }

  valueOf () {
    return this.value
  }

  toJSON () {
    return this.value
  }
}

/** A flat list stands for a map, as in RESP2. */
const PAIRS = 1
/** A list of pairs is handed over flat. */
const FLAT = 1 << 12
/** The command changes the connection for all callers: later connections begin with it. */
const LASTS = 2 ** 25
/** A WATCH or an UNWATCH of a client. */
const WATCHES = 2 ** 17
/**
 * A map is handed over as a flat list: the bits of a mapping to Array. Together with those of a
 * mapping to Map they mean an object.
 */
const LIST = 2 << 9
/** The command is part of a chain that writes: no replica may serve it. */
const PRIMARY = 2 ** 18
/** The command waits for a connection, also with `disableOfflineQueue`. */
const PATIENT = 2 ** 27
/** The text is a whole transaction. Its reply is that to its last command, EXEC. */
const BLOCK = 2 ** 26

const T = RESP_TYPES

/** Type -> the classes that it may be mapped to, with their bits. The first is the default. */
const TARGETS = new Map([
  [T.BLOB_STRING, [[String, 0], [Buffer, 1 << 1]]],
  [T.SIMPLE_STRING, [[String, 0], [Buffer, 1 << 2]]],
  [T.NUMBER, [[Number, 0], [String, 1 << 3], [BigInt, 2 << 3]]],
  [T.DOUBLE, [[Number, 0], [String, 1 << 5]]],
  [T.BIG_NUMBER, [[BigInt, 0], [String, 1 << 6]]],
  [T.VERBATIM_STRING, [[String, 0], [Buffer, 1 << 7], [VerbatimString, 2 << 7]]],
  [T.MAP, [[Object, 0], [Map, 1 << 9], [Array, 2 << 9]]],
  [T.SET, [[Array, 0], [Set, 1 << 11]]],
  [T.NULL, [[null, 0]]],
  [T.BOOLEAN, [[Boolean, 0]]],
  [T.SIMPLE_ERROR, [[ErrorReply, 0]]],
  [T.BLOB_ERROR, [[ErrorReply, 0]]],
  [T.ARRAY, [[Array, 0]]],
  [T.PUSH, [[Array, 0]]]
])

const TYPE_NAMES = new Map(Object.entries(RESP_TYPES).map(([name, type]) => [type, name]))

/** The bits of a type mapping such as `{ [RESP_TYPES.BLOB_STRING]: Buffer }`. */
function pack (mapping) {
  if (mapping === undefined || mapping === null) return 0
  if (typeof mapping !== 'object') throw new TypeError('typeMapping must be an object')
  let bits = 0
  for (const key of Object.keys(mapping)) {
    if (mapping[key] === undefined) continue
    const type = Number(key)
    const targets = TARGETS.get(type)
    if (targets === undefined) throw new TypeError(`typeMapping has an unknown RESP type "${key}"`)
    const target = targets.find(([target]) => target === mapping[key])
    if (target === undefined) {
      const known = targets.map(([target]) => target === null ? 'null' : target.name).join(', ')
      throw new TypeError(`typeMapping cannot map ${TYPE_NAMES.get(type)} to that: known are ` +
        known)
    }
    bits |= target[1]
  }
  return bits
}

module.exports = {
  BLOCK, FLAT, LASTS, LIST, PAIRS, PATIENT, PRIMARY, VerbatimString, WATCHES, pack
}
