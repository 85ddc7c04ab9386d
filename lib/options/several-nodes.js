'use strict'

/*
 * Options of clients of several nodes: what those of a cluster and of Sentinel have in common.
 */

const READS = ['primary', 'replica', 'nearest']

/* Checks: each returns what is expected if the value is wrong, else false. */
const flag = v => typeof v !== 'boolean' && 'a boolean'
const list = v => (!Array.isArray(v) || v.length === 0) && 'a non-empty array'
const count = v => !(Number.isInteger(v) && v >= 0) && 'an integer from 0'
const group = v => (v === null || typeof v !== 'object' || Array.isArray(v)) && 'an object'
const reads = v => !READS.includes(v) && !(typeof v?.zone === 'string' && v.zone !== '') &&
  "'primary', 'replica', 'nearest' or { zone: 'name' }"

/**
 * Divides `given` into the options that `table` has, which are checked, and all others.
 * @param {object} given
 * @param {Record<string, [Function, unknown, string]>} table name -> [check, default, meaning]
 */
function divide (given, table) {
  const own = {}
  const rest = {}
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) {
      rest[name] = value
    } else if (value !== undefined) {
      const expected = table[name][0](value)
      if (expected) throw new TypeError(`option "${name}" must be ${expected}`)
      own[name] = value
    }
  }
  return { own, rest }
}

/** A read strategy in the form that the native core takes. */
function readsOf (strategy) {
  return {
    reads: typeof strategy === 'string' ? strategy : 'zone',
    zone: strategy.zone
  }
}

/** `nodeAddressMap` as a list of addresses: what servers say, and what to connect to, in turns. */
function addressPairs (map = {}) {
  return Object.entries(map).flatMap(([from, to]) => {
    const at = from.lastIndexOf(':')
    const port = Number(from.slice(at + 1))
    const isFine = at > 0 && isPort(port) && typeof to?.host === 'string' && isPort(to.port)
    if (!isFine) {
      throw new TypeError("option \"nodeAddressMap\" must map 'host:port' to { host, port }")
    }
    const host = from.slice(0, at).replace(/^\[(.*)\]$/, '$1')
    return [{ host, port }, { host: to.host, port: to.port }]
  })
}

function isPort (port) {
  return Number.isInteger(port) && port > 0 && port < 65536
}

/** Every option of `table` by its name, for the documents. */
function documentedOf (table) {
  return Object.entries(table).map(([name, [, value, meaning]]) =>
    ({ name, default: value, meaning }))
}

module.exports = {
  addressPairs, count, divide, documentedOf, flag, group, isPort, list, reads, readsOf
}
