'use strict'

/*
 * The promises of a client's lanes that wait for replies, found by the id of the command.
 *
 * A ring: ids are given in order and nearly all replies come in that order, so the low bits of an
 * id are the index of its promise. A command that a whole ring of later ones has overtaken (a slow
 * command beside many quick ones) moves to a Map, so the ring is only as large as what is pending.
 *
 * Invariant: a pending id is either in the ring or in the Map, never in both.
 */

const { answering, fromTransform } = require('../errors')

class PromiseRing {
  constructor () {
    /** Commands that wait for a reply. */
    this.pending = 0
    /** Who hears of each command that is settled; null if nobody wants to. */
    this.fences = null
    this.allocate(SMALLEST)
    /** The commands that were overtaken: id -> { resolve, reject, row, context }. */
    this.stragglers = new Map()
  }

  allocate (size) {
    this.mask = size - 1
    this.ids = new Uint32Array(size)
    this.resolves = new Array(size).fill(undefined)
    this.rejects = new Array(size).fill(undefined)
    this.rows = new Array(size).fill(undefined)
    this.contexts = new Array(size).fill(undefined)
  }

  /** Keeps the functions of the promise of `id`, its command's row, and its reply's context. */
  put (id, resolve, reject, row, context) {
    const index = id & this.mask
    if (this.resolves[index] !== undefined) return this.makeRoom(id, resolve, reject, row, context)
    this.pending++
    this.ids[index] = id
    this.resolves[index] = resolve
    this.rejects[index] = reject
    this.rows[index] = row
    this.contexts[index] = context
  }

  /** Settles `id`. An id that is not known is one whose caller has gone: nothing happens. */
  settle (id, value, isFailure) {
    const index = id & this.mask
    const resolve = this.resolves[index]
    if (resolve === undefined || this.ids[index] !== id) {
      return this.settleStraggler(id, value, isFailure)
    }
    const row = this.rows[index]
    const reject = this.rejects[index]
    const context = this.contexts[index]
    this.resolves[index] = undefined
    this.rejects[index] = undefined
    this.pending--
    if (this.fences !== null) this.passFences(id)
    if (isFailure) fail(reject, row, value)
    else if (row.reply === undefined) resolve(value)
    else transform(resolve, reject, row, context, value)
  }

  settleStraggler (id, value, isFailure) {
    const entry = this.stragglers.get(id)
    if (entry === undefined) return
    this.stragglers.delete(id)
    this.pending--
    if (this.fences !== null) this.passFences(id)
    settle(entry, value, isFailure)
  }

  passFences (id) {
    if (!this.fences.settled(id)) this.fences = null
  }

  /** The ids of all commands that wait for a reply. */
  * pendingIds () {
    for (let index = 0; index <= this.mask; index++) {
      if (this.resolves[index] !== undefined) yield this.ids[index]
    }
    yield * this.stragglers.keys()
  }

  /** Keeps the error for one part of transaction `id` until the transaction is settled. */
  part (id, index, error) {
    const at = id & this.mask
    const isHere = this.resolves[at] !== undefined && this.ids[at] === id
    const context = isHere ? this.contexts[at] : this.stragglers.get(id)?.context
    context?.refused?.set(index, error)
  }

  makeRoom (id, resolve, reject, row, context) {
    const size = this.mask + 1
    if (this.pending - this.stragglers.size > size / 2) {
      this.grow(size * 2)
    } else {
      this.moveOut(id & this.mask)
    }
    this.put(id, resolve, reject, row, context)
  }

  moveOut (index) {
    this.stragglers.set(this.ids[index], {
      resolve: this.resolves[index],
      reject: this.rejects[index],
      row: this.rows[index],
      context: this.contexts[index]
    })
    this.resolves[index] = undefined
    this.rejects[index] = undefined
  }

  grow (size) {
    const { ids, resolves, rejects, rows, contexts } = this
    this.allocate(size)
    for (let old = 0; old < resolves.length; old++) {
      if (resolves[old] === undefined) continue
      // Ids that differ in the low bits of the small ring differ in those of the large one too.
      const index = ids[old] & this.mask
      this.ids[index] = ids[old]
      this.resolves[index] = resolves[old]
      this.rejects[index] = rejects[old]
      this.rows[index] = rows[old]
      this.contexts[index] = contexts[old]
    }
  }

  /** Gives the memory of a burst back. Only while nothing is pending. */
  shrink () {
    if (this.mask + 1 > KEPT) this.allocate(SMALLEST)
  }
}

/** Settles one promise with what the server sent. */
function settle ({ resolve, reject, row, context }, value, isFailure) {
  if (isFailure) fail(reject, row, value)
  else if (row.reply === undefined) resolve(value)
  else transform(resolve, reject, row, context, value)
}

/** A row with `failed` is told of the error instead: its command may be sent again. */
function fail (reject, row, error) {
  if (row.failed === undefined) reject(answering(error, row))
  else row.failed(error)
}

function transform (resolve, reject, row, context, value) {
  let reply
  try {
    reply = row.reply(value, context === undefined ? undefined : context.typeMapping,
      context === undefined ? undefined : context.preserved)
  } catch (error) {
    return reject(answering(fromTransform(error), row))
  }
  resolve(reply)
}

/** A client that is idle, or asks for one thing at a time, needs no more; a busy one grows it. */
const SMALLEST = 8
/** A ring up to this size (2.5 MB) is kept for the next burst. */
const KEPT = 65536

module.exports = { PromiseRing, settle }
