'use strict'

/*
 * The promises that wait for replies, found by the command's id.
 *
 * A ring: ids are given in order, and nearly all replies come in nearly that order, so the place
 * of an id is its low bits. Commands that are overtaken by a whole ring of others (a slow one
 * beside many quick ones) move to a Map, so that the ring is only as large as what is pending.
 * Invariant: an id is in its place of the ring or in the Map, never in both.
 */

class Slots {
  constructor () {
    /** Commands that wait. */
    this.pending = 0
    /** What waits for all commands before it; null if nothing does. */
    this.fences = null
    this.allocate(SMALLEST)
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

  /** Keeps the functions of a promise for `id`, with the command's row and its reply's context. */
  put (id, resolve, reject, row, context) {
    const slot = id & this.mask
    if (this.resolves[slot] !== undefined) return this.makeRoom(id, resolve, reject, row, context)
    this.pending++
    this.ids[slot] = id
    this.resolves[slot] = resolve
    this.rejects[slot] = reject
    this.rows[slot] = row
    this.contexts[slot] = context
  }

  /** Settles `id` with what the server sent. An unknown id is one whose caller has gone. */
  settle (id, value, isFailure) {
    const slot = id & this.mask
    const resolve = this.resolves[slot]
    if (resolve === undefined || this.ids[slot] !== id) {
      return this.settleStraggler(id, value, isFailure)
    }
    const row = this.rows[slot]
    const reject = this.rejects[slot]
    const context = this.contexts[slot]
    this.resolves[slot] = undefined
    this.rejects[slot] = undefined
    this.pending--
    if (this.fences !== null) this.passFences(id)
    if (isFailure) reject(failed(value, row))
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

  /** Resolves once every command that waits now is settled; null if none does. */
  fence (upcoming) {
    if (this.pending === 0) return null
    this.fences ??= []
    const fence = { left: this.pending, upcoming, pass: null }
    const passed = new Promise(resolve => { fence.pass = resolve })
    this.fences.push(fence)
    return passed
  }

  passFences (id) {
    for (const fence of this.fences) {
      // Ids have 31 bits and wrap around: what counts is on which side of the fence they are.
      if (((id - fence.upcoming) << 1) < 0 && --fence.left === 0) fence.pass()
    }
    this.fences = this.fences.filter(fence => fence.left > 0)
    if (this.fences.length === 0) this.fences = null
  }

  /** Keeps the error that one part of block `id` was refused with, until the block is settled. */
  part (id, index, error) {
    const slot = id & this.mask
    const isHere = this.resolves[slot] !== undefined && this.ids[slot] === id
    const context = isHere ? this.contexts[slot] : this.stragglers.get(id)?.context
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

  moveOut (slot) {
    this.stragglers.set(this.ids[slot], {
      resolve: this.resolves[slot],
      reject: this.rejects[slot],
      row: this.rows[slot],
      context: this.contexts[slot]
    })
    this.resolves[slot] = undefined
    this.rejects[slot] = undefined
  }

  grow (size) {
    const { ids, resolves, rejects, rows, contexts } = this
    this.allocate(size)
    for (let old = 0; old < resolves.length; old++) {
      if (resolves[old] === undefined) continue
      // Ids that differed in the low bits of the small ring differ in those of the large one.
      const slot = ids[old] & this.mask
      this.ids[slot] = ids[old]
      this.resolves[slot] = resolves[old]
      this.rejects[slot] = rejects[old]
      this.rows[slot] = rows[old]
      this.contexts[slot] = contexts[old]
    }
  }

  /** Gives the memory of a burst back once nothing is pending. */
  shrink () {
    if (this.mask + 1 > KEPT) this.allocate(SMALLEST)
  }
}

/** Settles one promise with what the server sent. */
function settle ({ resolve, reject, row, context }, value, isFailure) {
  if (isFailure) reject(failed(value, row))
  else if (row.reply === undefined) resolve(value)
  else transform(resolve, reject, row, context, value)
}

function transform (resolve, reject, row, context, value) {
  let reply
  try {
    reply = row.reply(value, context === undefined ? undefined : context.typeMapping,
      context === undefined ? undefined : context.preserved)
  } catch (error) {
    return reject(error)
  }
  resolve(reply)
}

function failed (error, row) {
  if (row.command !== undefined && error instanceof Error) error.command = row.command
  return error
}

/** Enough for a server's usual concurrency; five arrays of 1,024 take about 40 KB. */
const SMALLEST = 1024
/** A ring up to this size (2.5 MB) is kept for the next burst. */
const KEPT = 65536

module.exports = { Slots, settle }
