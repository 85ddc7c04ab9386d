'use strict'

/*
 * The option `keyPrefix`: which arguments of a command it goes in front of.
 *
 * The native side knows where the keys of each command are. Two things are the face's own, as in
 * ioredis: patterns of SORT name keys too, and a command that ioredis does not know is left alone.
 */

const { factsOf } = require('./facts')
const native = require('../native')
const { NAMES } = require('./names')

/**
 * Puts `prefix` in front of the keys in `args`, in place.
 * @param {string} name
 * @param {(string | Buffer)[]} args
 * @param {string | Buffer} prefix
 */
function addPrefix (name, args, prefix) {
  for (const index of keysIn(name, args)) args[index] = prefixed(prefix, args[index])
}

/** The indexes of the arguments that are keys. */
function keysIn (name, args) {
  const { lower } = factsOf(name)
  if (!KNOWN.has(lower)) return []
  if (lower === 'sort' || lower === 'sort_ro') return keysOfSort(args)
  const parts = [name, ...args].map(part => Buffer.from(part))
  const encoded = parts.flatMap(part => [Buffer.from(`$${part.length}\r\n`), part, CRLF])
  const indexes = native.keysOfCommand(Buffer.concat([Buffer.from(`*${parts.length}\r\n`),
    ...encoded]))
  return indexes.map(index => index - 1)
}

function keysOfSort (args) {
  const indexes = args.length > 0 ? [0] : []
  for (let i = 1; i < args.length - 1; i++) {
    const word = String(args[i]).toUpperCase()
    if (word === 'LIMIT') i += 2
    else if (word === 'BY' || word === 'GET' || word === 'STORE') {
      i++
      if (word !== 'GET' || String(args[i]) !== '#') indexes.push(i)
    }
  }
  return indexes
}

function prefixed (prefix, key) {
  if (typeof prefix === 'string' && typeof key === 'string') return prefix + key
  return Buffer.concat([Buffer.from(prefix), Buffer.from(key)])
}

const CRLF = Buffer.from('\r\n')
const KNOWN = new Set(NAMES)

module.exports = { addPrefix, keysIn }
