'use strict'

/*
 * The commands of one turn of the event loop, on their way to the native side.
 *
 * Owns their text, one char for each byte, and a table with one row of numbers for each command.
 * V8 keeps text that grows by appending as a rope, so appending copies nothing. The first command
 * schedules `flush` with `process.nextTick`: it runs once the microtask queue is empty, and by then
 * all continuations of the last replies have added their next commands.
 */

const { OxidisError } = require('../errors')
const { nextTick } = require('../timers')

class Batch {
  /**
   * @param {number} columns numbers for each command: length, mode, timeout, and maybe an id
   * @param {number} rows commands that the table has room for at first
   * @param {() => void} flush hands the batch over; called at the end of the turn
   */
  constructor (columns, rows, flush) {
    this.columns = columns
    this.flush = flush
    this.text = ''
    this.table = new Uint32Array(columns * rows)
    /** Commands in the batch. */
    this.count = 0
  }

  /**
   * Adds a command. Returns the place of its row in the table.
   * @param {string} text what follows in the batch: the command, or the end of a large one
   * @param {number} length bytes of the whole command
   * @param {number} mode what the reply becomes (mode.js)
   * @param {number} timeout deadline in ms; 0 for none
   */
  add (text, length, mode, timeout) {
    const at = this.count * this.columns
    if (at === this.table.length) this.grow()
    const table = this.table
    table[at] = length
    table[at + 1] = mode
    table[at + 2] = timeout
    this.text += text
    if (this.count++ === 0) nextTick(this.flush)
    return at
  }

  /**
   * Puts the text of the batch in front of `chunks`, which are handed over before the text that
   * comes next.
   * @param {(string | Uint8Array)[]} chunks text and large values in turns
   */
  putBefore (chunks) {
    chunks[0] = this.text + chunks[0]
    this.text = ''
  }

  /** Empties the batch and returns its text. The table keeps its rows until `add` is called. */
  take () {
    const text = this.text
    this.text = ''
    this.count = 0
    return text
  }

  grow () {
    const table = new Uint32Array(this.table.length * 2)
    table.set(this.table)
    this.table = table
  }
}

/**
 * Bytes of a command that holds large values.
 * @param {(string | Uint8Array)[]} chunks text and large values in turns; text has a char a byte
 * @param {string} tail the text behind the last large value
 */
function lengthOf (chunks, tail) {
  let length = tail.length
  for (let i = 0; i < chunks.length; i += 2) {
    const value = chunks[i + 1]
    length += chunks[i].length
    // To measure a large string takes V8 long, and it was done once.
    length += typeof value === 'string' ? announced(chunks[i]) : value.byteLength
  }
  return length
}

/** The size of the value behind `text`, which ends with its head: `$`, the size, CRLF. */
function announced (text) {
  return Number(text.slice(text.lastIndexOf('$') + 1))
}

/**
 * The bytes of a command or of its beginning.
 * @param {(string | Uint8Array)[] | null} chunks text (a char a byte) and large values in turns
 * @param {string} tail the text behind the last large value
 */
function bytesOf (chunks, tail) {
  if (chunks === null) return Buffer.from(tail, 'latin1')
  const parts = chunks.map((chunk, i) => Buffer.from(chunk, i % 2 === 0 ? 'latin1' : 'utf8'))
  return Buffer.concat([...parts, Buffer.from(tail, 'latin1')])
}

/** Replaces the Buffers among `chunks` (text and values in turns) by copies. */
function copyValues (chunks) {
  for (let i = 1; i < chunks.length; i += 2) {
    if (typeof chunks[i] !== 'string') chunks[i] = Buffer.from(chunks[i])
  }
}

/** The error for the commands of a batch that the native side has refused as a whole. */
function notHandedOver (cause) {
  return new OxidisError('the batch could not be handed over', { code: 'INTERNAL', cause })
}

/** The most text (chars) that waits for the end of a turn: half of the longest string of V8. */
const LONGEST_TEXT = 2 ** 28

module.exports = { Batch, LONGEST_TEXT, bytesOf, copyValues, lengthOf, notHandedOver }
