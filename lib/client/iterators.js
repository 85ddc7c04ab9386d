'use strict'

/*
 * Iterators over what SCAN and its relatives go through: one page a step, as an array.
 *
 * Owns the cursor. A page may be empty although more follow, and an element may come twice: that
 * is all that SCAN guarantees (https://redis.io/docs/latest/commands/scan/).
 */

/** name -> [the command that reads a page, what of its reply is the page] */
const ITERATORS = {
  scanIterator: ['scan', reply => reply.keys],
  hScanIterator: ['hScan', reply => reply.entries],
  hScanValuesIterator: ['hScan', reply => reply.entries.map(entry => entry.value)],
  hScanNoValuesIterator: ['hScanNoValues', reply => reply.fields],
  sScanIterator: ['sScan', reply => reply.members],
  zScanIterator: ['zScan', reply => reply.members]
}

/** Adds the iterators to `prototype`. All but `scanIterator` take a key first. */
function addIterators (prototype) {
  for (const [name, [command, page]] of Object.entries(ITERATORS)) {
    const value = command === 'scan'
      ? function (options) { return pages(this, command, [], options, page) }
      : function (key, options) { return pages(this, command, [key], options, page) }
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
}

async function * pages (client, command, key, options, page) {
  const { cursor: start = '0', ...rest } = options ?? {}
  let cursor = start
  do {
    const reply = await client[command](...key, cursor, rest)
    yield page(reply)
    cursor = reply.cursor
    // A Buffer where bulk strings are mapped to Buffers.
  } while (String(cursor) !== '0')
}

module.exports = { ITERATORS, addIterators }
