'use strict'

/*
 * Rows of the HyperLogLog commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { keys } = require('./forms')

module.exports = [
  {
    name: 'pfAdd',
    args (w, key, element) {
      w.key(key, 'key')
      if (isGiven(element)) w.anyArgs(element, 'element')
    },
    ts: '(key: RedisArgument, element?: RedisVariadicArgument): Promise<number>'
  },
  { name: 'pfCount', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' },
  {
    name: 'pfMerge',
    args (w, destination, sources) {
      w.key(destination, 'destination')
      if (isGiven(sources) && !isEmpty(sources)) w.keys(sources, 'sources')
    },
    ts: "(destination: RedisArgument, sources?: RedisVariadicArgument): Promise<'OK'>"
  }
]

function isEmpty (v) {
  return Array.isArray(v) && v.length === 0
}
