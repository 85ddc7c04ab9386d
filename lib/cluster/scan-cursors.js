'use strict'

/*
 * `scan(cursor)` of a cluster: one scan of all primaries behind cursors of the client's own.
 *
 * A cursor of a server belongs to one node. So the client hands out a number, and keeps the
 * iterator of `scan.js` that it stands for, which goes from node to node and follows slots that
 * move. A cursor that is not used for a while is forgotten, since a caller may stop at any page.
 */

const { OxidisError } = require('../errors')
const { RESP_TYPES } = require('../resp-types')
const { performance } = require('../timers')
const { scanAll } = require('./scan')

class ScanCursors {
  /** Cursor -> `{ pages, options, used }`, the one that was used longest ago first. */
  #scans = new Map()
  #next = 1

  /**
   * The next page: `{ cursor, keys }`, with the cursor '0' behind the last one.
   * @param {object} cluster the client, or a view of it
   * @param {string | Buffer | number} cursor
   * @param {object} [options] those of `scan`; they hold for this page
   */
  async page (cluster, cursor, options) {
    this.#forgetOld()
    let name = String(cursor)
    const scan = name === '0' ? begin(cluster) : this.#scans.get(name)
    if (scan === undefined) {
      throw new OxidisError('scan: the cursor is not known: those of a cluster are of the client ' +
        'that has made them, and end after 5 min without use; begin again with 0',
      { code: 'SCAN_CURSOR' })
    }
    if (name === '0') name = String(this.#next++)
    this.#scans.delete(name)
    Object.assign(scan, { options, used: performance.now() })
    // Kept also while the page is under way, and if it fails: the caller may try it again.
    this.#scans.set(name, scan)
    const { value: keys, done: isDone } = await scan.pages.next()
    if (isDone) this.#scans.delete(name)
    const next = isDone ? '0' : name
    const isBuffer = cluster._command.typeMapping?.[RESP_TYPES.BLOB_STRING] === Buffer
    return { cursor: isBuffer ? Buffer.from(next) : next, keys: isDone ? [] : keys }
  }

  clear () {
    this.#scans.clear()
  }

  #forgetOld () {
    const before = performance.now() - LONGEST_IDLE
    for (const [name, { used }] of this.#scans) {
      if (used > before && this.#scans.size <= MOST_SCANS) return
      this.#scans.delete(name)
    }
  }
}

function begin (cluster) {
  const scan = { pages: null, options: undefined, used: 0 }
  scan.pages = scanAll(cluster, () => scan.options)
  return scan
}

/** How long (ms) a cursor is kept: as node-redis keeps its own. */
const LONGEST_IDLE = 300_000
/** Cursors that are kept at most. Each is an iterator and the slots that it has still to see. */
const MOST_SCANS = 1000

module.exports = { ScanCursors }
