'use strict'

/*
 * Iterators over the pages of SCAN, HSCAN, SSCAN and ZSCAN. Each step gives a page as an array.
 *
 * SCAN guarantees no more than this: a page may be empty although others follow, and an element may
 * come twice (https://redis.io/docs/latest/commands/scan/).
 */

const { defineMethod } = require('../methods/define')

/** name -> [the method that reads a page, what takes the page out of its reply] */
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
    defineMethod(prototype, name, value)
  }
}

async function * pages (client, command, key, options, page) {
  const { cursor: start = '0', ...rest } = options ?? {}
  let cursor = start
  do {
    const reply = await client[command](...key, cursor, rest)
    yield page(reply)
    cursor = reply.cursor
    // The cursor is a Buffer where strings are mapped to Buffers.
  } while (String(cursor) !== '0')
}

module.exports = { ITERATORS, addIterators }
