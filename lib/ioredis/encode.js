'use strict'

/*
 * Commands of the second face, encoded: their arguments are strings and bytes already.
 */

const { borrow, giveBack } = require('../methods/writer')

/**
 * Encodes one command.
 * @param {import('./command').Command} command
 * @returns {{ text: string, chunks: Array | null }} `text` is the command, or with `chunks` the end
 *   of it; see `Sender.sendLarge`. The object is lent until the next call.
 */
function encode ({ args, facts, name }) {
  const w = borrow(null, false)
  for (let i = 0; i < args.length; i++) w.arg(args[i], 'args')
  giveBack(w)
  // The name may have changed since: a script is EVAL or EVALSHA.
  const head = headOf(args.length + 1) + (facts.name === name ? facts.head : nameOf(name))
  if (w.chunks === null) {
    encoded.text = head + w.body
    encoded.chunks = null
  } else {
    w.chunks[0] = head + w.chunks[0]
    encoded.text = w.body
    encoded.chunks = w.chunks
  }
  return encoded
}

function headOf (count) {
  return count < HEADS.length ? HEADS[count] : `*${count}\r\n`
}

function nameOf (name) {
  const bytes = Buffer.from(String(name))
  return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`
}

const encoded = { text: '', chunks: null }
/** The heads of most commands. */
const HEADS = Array.from({ length: 64 }, (_, count) => `*${count}\r\n`)

module.exports = { encode }
