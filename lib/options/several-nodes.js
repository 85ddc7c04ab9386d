'use strict'

/*
 * Options of clients of several nodes: what those of a cluster and of Sentinel have in common.
 */

const { isPort, parseAddress } = require('../addresses')
const { isAbsent, isNoObject, numeric, valueOf } = require('./check')

const READS = ['primary', 'replica', 'nearest']

/* Checks: each returns what is expected if the value is wrong, else false. */
const flag = v => typeof v !== 'boolean' && 'a boolean'
const list = v => !Array.isArray(v) && 'an array'
const count = numeric(v => !(Number.isInteger(v) && v >= 0) && 'an integer from 0')
const group = v => isNoObject(v) && 'an object'
const addressMap = v => typeof v !== 'function' && group(v) && 'an object or a function'
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
    if (!Object.hasOwn(table, name)) rest[name] = value
    else if (!isAbsent(value)) own[name] = valueOf(value, table[name][0], name)
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

/** `nodeAddressMap` as the native side takes it. */
function addressesOf (map = {}) {
  const isAsked = typeof map === 'function'
  return { addresses: isAsked ? [] : addressPairs(map), askAddresses: isAsked }
}

/** A map of addresses as a list: what servers say, and what to connect to, in turns. */
function addressPairs (map) {
  return Object.entries(map).flatMap(([from, to]) => {
    const address = parseAddress(from)
    if (address === undefined || typeof to?.host !== 'string' || !isPort(to.port)) {
      throw new TypeError("option \"nodeAddressMap\" must map 'host:port' to { host, port }")
    }
    return [address, { host: to.host, port: to.port }]
  })
}

/** Every option of `table` by its name, for the documents. */
function documentedOf (table) {
  return Object.entries(table).map(([name, [, value, meaning]]) =>
    ({ name, default: value, meaning }))
}

module.exports = {
  addressMap, addressesOf, count, divide, documentedOf, flag, group, list, reads, readsOf
}
