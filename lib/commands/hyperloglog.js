'use strict'

/*
 * Rows of the HyperLogLog commands. See index.js for what a row is.
 */

const { keys } = require('./forms')

module.exports = [
  {
    name: 'pfAdd',
    args (w, key, element) {
      w.key(key, 'key')
      if (element) w.anyArgs(element, 'element')
    },
    ts: '(key: RedisArgument, element?: RedisVariadicArgument): Promise<number>'
  },
  { name: 'pfCount', args: keys, ts: '(keys: RedisVariadicArgument): Promise<number>' },
  {
    name: 'pfMerge',
    args (w, destination, sources) {
      w.key(destination, 'destination')
      if (sources && sources.length !== 0) w.keys(sources, 'sources')
    },
    ts: "(destination: RedisArgument, sources?: RedisVariadicArgument): Promise<'OK'>"
  }
]
