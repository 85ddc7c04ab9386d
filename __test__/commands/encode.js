'use strict'

// Encodes calls of table rows the way the method wrapper does, and reads RESP back, so that tests
// can compare what goes over the wire without a server.

const { Arguments } = require('../../lib/arguments')

const writer = new Arguments()

/** The bytes of one call, and the number of arguments that the writer counted. */
function encode (row, args, prefix) {
  // Strict, so that a misspelt option in a test is an error.
  writer.reset(prefix, true)
  row.args(writer, ...args)
  const tokens = row.command.map(token => `$${Buffer.byteLength(token)}\r\n${token}\r\n`).join('')
  const parts = [`*${row.command.length + writer.argc}\r\n${tokens}`, ...writer.chunks ?? []]
  const bytes = parts.map((part, i) => {
    // Text and large values take turns; a large string is still text, the rest is latin1 bytes.
    const isLarge = i > 0 && i % 2 === 0
    return typeof part === 'string' ? Buffer.from(part, isLarge ? 'utf8' : 'latin1') : part
  })
  return Buffer.concat([...bytes, Buffer.from(writer.body, 'latin1')])
}

/** The arguments of one encoded command, as Buffers. Throws unless `bytes` is exactly that. */
function parse (bytes) {
  let at = 0
  function line (kind) {
    const end = bytes.indexOf('\r\n', at)
    const text = bytes.latin1Slice(at, end)
    if (text[0] !== kind || end === -1) throw new Error(`expected ${kind} at byte ${at}`)
    at = end + 2
    return Number(text.slice(1))
  }
  const args = []
  for (let left = line('*'); left > 0; left--) {
    const size = line('$')
    args.push(bytes.subarray(at, at + size))
    at += size
    if (bytes.latin1Slice(at, at + 2) !== '\r\n') throw new Error(`no line end at byte ${at}`)
    at += 2
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`)
  return args
}

/** The arguments of one call as latin1 text, which shows in a test's failure. */
function argv (row, args, prefix) {
  return parse(encode(row, args, prefix)).map(arg => arg.latin1Slice())
}

module.exports = { encode, parse, argv }
