'use strict'

/*
 * The argument writer: turns the arguments of one command into RESP text.
 *
 * Owns the checks of what a caller passed, and the encoding of each argument. It knows no socket,
 * no promise and no command name. The method that uses it puts the header (`*n`) and the words of
 * the command in front, and its own name in front of an error message (`named`).
 *
 * The text has one char for each byte. Appending to a JavaScript string is the cheapest thing that
 * V8 does: it builds a rope, and copies nothing before the batch is handed over. A large value is
 * handed over beside the text, so that it is copied once.
 *
 * Invariant: `argc` is the number of arguments in `chunks` and `body` together. No error message
 * holds a key or a value.
 */

// Not by `instanceof`: a value may be of another realm (a vm context, jsdom in Jest), which has
// classes of its own.
const { isDate, isMap, isUint8Array } = require('node:util').types

const { ignoreInCommand } = require('./unknown-options')

const CRLF = '\r\n'

/**
 * `charCodeAt` as it was when this module was loaded. Once anything in the process extends `String`
 * (node-redis does), V8 looks `s.charCodeAt` up on each call, which makes the loop in `text` 4.6
 * times slower (measured on Node 20).
 */
const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt)

class Arguments {
  constructor () {
    /** The encoded arguments; with `chunks`, those behind the last large value. */
    this.body = ''
    /** Arguments written. The words of the command are not counted. */
    this.argc = 0
    /** Text and large values in turns, `[text, value, text, value]`; null without large values. */
    this.chunks = null
    /** What the transform of the command's reply needs to know of the arguments. */
    this.preserved = undefined
    /** How long (ms) the server may wait before it answers: 0 for ever, undefined not at all. */
    this.waits = undefined
    /** The client's key prefix: a string, a Buffer, or null. */
    this.prefix = null
    /** Whether unknown options of a command are errors. */
    this.isStrict = false
  }

  /**
   * Begins a new command.
   * @param {string | Buffer | null} [prefix] goes in front of every key
   * @param {boolean} isStrict whether unknown options of the command are errors
   */
  reset (prefix, isStrict) {
    this.body = ''
    this.argc = 0
    this.chunks = null
    this.preserved = undefined
    this.waits = undefined
    this.prefix = prefix || null
    this.isStrict = isStrict
  }

  /** One key. */
  key (v, name) {
    if (this.prefix !== null) v = prefixed(this.prefix, v, name)
    this.arg(v, name)
  }

  /** One key or a non-empty array of keys. */
  keys (v, name) {
    if (!Array.isArray(v)) {
      if (!isText(v)) fail(name, ONE_OR_MORE, v)
      return this.key(v, name)
    }
    if (v.length === 0) fail(name, NOT_EMPTY, v)
    if (v.length >= MANY && this.manyKeys(v)) return
    for (let i = 0; i < v.length; i++) {
      if (!isText(v[i])) fail(`${name}[${i}]`, TEXT, v[i])
      this.key(v[i], name)
    }
  }

  /** The number of keys, then the keys: for commands with `numkeys`. */
  keysCounted (v, name) {
    this.int(Array.isArray(v) ? v.length : 1, name)
    this.keys(v, name)
  }

  /** One string or Buffer. */
  arg (v, name) {
    this.argc++
    if (typeof v === 'string') this.text(v)
    else if (isUint8Array(v)) this.bytes(v)
    else fail(name, TEXT, v)
  }

  /** One string or Buffer, or a non-empty array of them. */
  args (v, name) {
    if (Array.isArray(v) && v.length === 0) fail(name, NOT_EMPTY, v)
    this.anyArgs(v, name)
  }

  /** One string or Buffer, or an array of them. An empty array writes nothing. */
  anyArgs (v, name) {
    if (!Array.isArray(v)) {
      if (!isText(v)) fail(name, ONE_OR_MORE, v)
      return this.arg(v, name)
    }
    if (v.length >= MANY && this.many(v)) return
    for (let i = 0; i < v.length; i++) {
      if (!isText(v[i])) fail(`${name}[${i}]`, TEXT, v[i])
      this.arg(v[i], name)
    }
  }

  /** The number of arguments, then the arguments. */
  argsCounted (v, name) {
    this.int(Array.isArray(v) ? v.length : 1, name)
    this.args(v, name)
  }

  /** One string, Buffer or number, as it prints. */
  value (v, name) {
    this.argc++
    if (typeof v === 'string') this.text(v)
    else if (typeof v === 'number') this.ascii(String(v))
    else if (isUint8Array(v)) this.bytes(v)
    else fail(name, 'a string, a Buffer or a number', v)
  }

  /** One integer: a safe integer number, a bigint, or a decimal string. */
  int (v, name) {
    this.argc++
    if (typeof v === 'number') {
      // A number above 2^53 may have lost digits already: sending it would hide a rounding.
      if (!Number.isSafeInteger(v)) {
        fail(name, 'an integer within 2^53 (beyond that a bigint or a string)', v)
      }
      if (v >= 0 && v < SMALL_INTEGERS.length) this.body += SMALL_INTEGERS[v]
      else this.ascii(String(v))
    } else if (typeof v === 'bigint' || (typeof v === 'string' && DECIMAL.test(v))) {
      this.ascii(String(v))
    } else {
      fail(name, 'an integer', v)
    }
  }

  /** One double: a number other than NaN, or a numeric string. */
  float (v, name) {
    this.argc++
    if (typeof v === 'number') {
      if (v !== v) fail(name, 'a number', v)
      this.ascii(v === Infinity ? '+inf' : v === -Infinity ? '-inf' : String(v))
    } else if (typeof v === 'bigint' || (typeof v === 'string' && NUMERIC.test(v))) {
      this.ascii(String(v))
    } else {
      fail(name, 'a number', v)
    }
  }

  /** The end of a range: a number, or text such as `(5`, `-inf` or `[a`. */
  bound (v, name) {
    if (typeof v === 'number') this.float(v, name)
    else if (isText(v)) this.arg(v, name)
    else fail(name, 'a number, a string or a Buffer', v)
  }

  /** A point in time as Unix seconds: an integer, or a Date (rounded down). */
  seconds (v, name) {
    this.int(isDate(v) ? Math.floor(v.getTime() / 1000) : v, name)
  }

  /** A point in time as Unix milliseconds: an integer, or a Date. */
  milliseconds (v, name) {
    this.int(isDate(v) ? v.getTime() : v, name)
  }

  /** Says that the server may wait this long (ms) before it answers; 0 means for ever. */
  wait (ms) {
    this.waits = ms
  }

  /** A word of the command's grammar. It must be short and ASCII. */
  token (word) {
    this.argc++
    const encoded = TOKENS.get(word)
    this.body += encoded === undefined ? keepToken(word) : encoded
  }

  /** A word chosen by the caller among `words`, in either case. */
  oneOf (v, name, words) {
    const isWord = typeof v === 'string' && (words.includes(v) ||
      words.includes(v.toUpperCase()) || words.includes(v.toLowerCase()))
    if (!isWord) {
      throw new TypeError(`argument "${name}" must be one of ${words.join(', ')}`)
    }
    this.token(v)
  }

  /**
   * Returns the options object, or undefined when there is none. NaN throws, and so does an unknown
   * option of a strict client; others ignore it with a warning.
   */
  options (o, name, known) {
    if (o === undefined || o === null) return undefined
    if (!isOptions(o)) fail(name, 'an object', o)
    for (const option in o) {
      if (!known.has(option) && Object.hasOwn(o, option)) {
        if (this.isStrict) {
          throw new TypeError(`argument "${name}" has an unknown option "${option}"; ` +
            `known are ${[...known].join(', ')}`)
        }
        if (o[option] !== undefined) ignoreInCommand(name, option, known)
        continue
      }
      // NaN is the result of a wrong calculation, also where the option is only a flag.
      const v = o[option]
      if (v !== v) fail(`${name}.${option}`, 'a value', v)
    }
    return o
  }

  /** Encodes any text. The caller raises `argc`. */
  text (s) {
    const length = s.length
    if (length <= LOOP_LENGTH) {
      let bits = 0
      for (let i = 0; i < length; i++) bits |= charCodeAt(s, i)
      if (bits < 0x80) {
        this.body += HEADS[length] + s + CRLF
        return
      }
    }
    const size = Buffer.byteLength(s)
    if (size >= LARGE) this.apart(s, size)
    else if (size === length) this.ascii(s)
    else this.body += head(size) + Buffer.from(s, 'utf8').latin1Slice() + CRLF
  }

  /**
   * Encodes many arguments in one go: they are joined, and then it is seen once whether all are
   * ASCII. That takes half of the time (100 keys of 26 chars: 3.5 us, and 6.9 one by one; Node 20).
   * Returns false, having done nothing, unless all of them are short ASCII strings.
   * @param {unknown[]} values
   */
  many (values) {
    const count = values.length
    const parts = new Array(2 * count)
    for (let i = 0; i < count; i++) {
      const value = values[i]
      if (typeof value !== 'string' || value.length >= HEADS.length) return false
      parts[2 * i] = i === 0 ? HEADS[value.length] : HEADS_BEHIND[value.length]
      parts[2 * i + 1] = value
    }
    const text = parts.join('')
    if (Buffer.byteLength(text) !== text.length) return false
    this.argc += count
    this.body += text + CRLF
    return true
  }

  /** As `many`, for keys that are sent as they are. A writer that looks at each key says false. */
  manyKeys (keys) {
    return this.prefix === null && this.many(keys)
  }

  /** Encodes text that is ASCII. The caller raises `argc`. */
  ascii (s) {
    this.body += head(s.length) + s + CRLF
  }

  /** Encodes bytes. The caller raises `argc`. */
  bytes (b) {
    const size = b.byteLength
    if (size >= LARGE) this.apart(asBuffer(b), size)
    else this.body += head(size) + asBuffer(b).latin1Slice() + CRLF
  }

  /** Puts a large value aside as it is. It is read in the same turn, when the batch goes out. */
  apart (value, size) {
    if (this.chunks === null) this.chunks = []
    this.chunks.push(this.body + head(size), value)
    this.body = CRLF
  }
}

/** True for what a Redis argument can be: a string, a Buffer or another Uint8Array. */
function isText (v) {
  return typeof v === 'string' || isUint8Array(v)
}

/**
 * A word of a command as text: its name, a subcommand, an option, a number. It may be given as a
 * string or as bytes: a Buffer, or the Uint8Array that `postMessage` makes of one.
 *
 * It ends at a NUL. Servers compare words as C strings, so that they take `BLOCK\0x` for `BLOCK`.
 * @param {string | Uint8Array} v
 */
function wordOf (v) {
  const text = typeof v === 'string' ? v : asBuffer(v.subarray(0, LONGEST_WORD + 1)).latin1Slice()
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}

/**
 * Whether an option is given. `false` counts as left out, as in `{ COUNT: isFew && 5 }`; 0 and the
 * empty text are values.
 */
function isGiven (v) {
  return v !== undefined && v !== null && v !== false
}

/** Throws the TypeError for a wrong argument. It names the kind of `v`, never its content. */
function fail (name, expected, v) {
  throw new TypeError(`argument "${name}" must be ${expected}, not ${kind(v)}`)
}

/**
 * Puts the name of a method in front of the message of `error`, if that is a TypeError. Returns the
 * error.
 */
function named (method, error) {
  if (error instanceof TypeError) error.message = `${method}: ${error.message}`
  return error
}

/** Throws the TypeError for argument `name` unless `v` is a string or a Buffer. */
function checkText (v, name) {
  if (!isText(v)) fail(name, TEXT, v)
}

/** Whether `v` is a number of a database, which is an integer from 0 to 2^31 - 1. */
function isDatabase (v) {
  return Number.isInteger(v) && v >= 0 && v < 2 ** 31
}

/** The number of a database, which may be a string of digits. Throws a TypeError for all else. */
function databaseOf (v) {
  const database = typeof v === 'string' && DIGITS.test(v) ? Number(v) : v
  if (!isDatabase(database)) {
    throw new TypeError(`argument "database" must be an integer from 0 to ${2 ** 31 - 1}`)
  }
  return database
}

function kind (v) {
  if (v === null) return 'null'
  if (Array.isArray(v)) return v.length === 0 ? 'an empty array' : 'an array'
  if (typeof v === 'object') return 'an object'
  if (typeof v === 'number') return Number.isInteger(v) ? 'a number' : fraction(v)
  if (v === undefined) return 'undefined'
  return `a ${typeof v}`
}

function fraction (v) {
  return v !== v ? 'a NaN' : Number.isFinite(v) ? 'a fraction' : 'an infinite number'
}

/** True for an object of names and values: no array, no Buffer, no Map, no Date. */
function isOptions (o) {
  return typeof o === 'object' && o !== null && !Array.isArray(o) && !isUint8Array(o) &&
    !isMap(o) && !isDate(o)
}

function prefixed (prefix, key, name) {
  if (typeof prefix === 'string' && typeof key === 'string') return prefix + key
  if (!isText(key)) fail(name, TEXT, key)
  return Buffer.concat([Buffer.from(prefix), Buffer.from(key)])
}

function asBuffer (b) {
  return Buffer.isBuffer(b) ? b : Buffer.from(b.buffer, b.byteOffset, b.byteLength)
}

function keepToken (word) {
  const encoded = `${head(word.length)}${word}${CRLF}`
  // Callers may write some words in any case, so the number of different words has no bound.
  if (TOKENS.size < KEPT_TOKENS) TOKENS.set(word, encoded)
  return encoded
}

function head (size) {
  return size < HEADS.length ? HEADS[size] : `$${size}\r\n`
}

const TEXT = 'a string or a Buffer'
const ONE_OR_MORE = 'a string, a Buffer or an array of them'
const NOT_EMPTY = 'a non-empty array'
const DECIMAL = /^-?\d+$/
const DIGITS = /^\d+$/
const NUMERIC = /^\s*[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?)\s*$/i

/**
 * The longest text (chars) for which a loop finds out faster than `Buffer.byteLength` whether it is
 * ASCII. Measured on Node 20: 2 chars take 3 and 11 ns, 8 chars 12 and 13, 16 chars 35 and 27.
 */
const LOOP_LENGTH = 8

/** The most characters of a word: more than any name of a command, any option or any number has. */
const LONGEST_WORD = 64

/** Values from this size on (bytes) are cheaper to hand over apart than to copy into the text. */
const LARGE = 16 * 1024

/** `$n\r\n` for the sizes of most keys, fields and values. 1,024 of them take 40 KB. */
const HEADS = Array.from({ length: 1024 }, (_, size) => `$${size}\r\n`)

/** A head behind the end of another argument: `\r\n$n\r\n`. */
const HEADS_BEHIND = HEADS.map(head => CRLF + head)

/** From this many arguments on, joining them is quicker. */
const MANY = 8

/** Word -> its encoding. Looking one up takes 18 ns, encoding it anew 27 ns (Node 20). */
const TOKENS = new Map()

/** Commands have about 350 words. This leaves room for other spellings of them. */
const KEPT_TOKENS = 1024

/** Encodings of small integers: most counts, offsets and seconds. */
const SMALL_INTEGERS = Array.from({ length: 1024 }, (_, n) => `$${String(n).length}\r\n${n}\r\n`)

module.exports = {
  Arguments,
  LARGE,
  checkText,
  databaseOf,
  fail,
  isDatabase,
  isGiven,
  isOptions,
  isText,
  named,
  prefixed,
  wordOf
}
