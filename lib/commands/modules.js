'use strict'

/*
 * Rows of the MODULE commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { none } = require('./forms')
const { object } = require('./replies')
const { list } = require('./shapes')

module.exports = [
  {
    name: 'moduleList',
    upper: 'MODULE_LIST',
    command: ['MODULE', 'LIST'],
    args: none,
    reply: reply => list(reply).map(item => object(item)),
    ts: '(): Promise<{ name: T; ver: number; path?: T; args?: T[] }[]>'
  },
  {
    name: 'moduleLoad',
    upper: 'MODULE_LOAD',
    command: ['MODULE', 'LOAD'],
    args (w, path, moduleArguments) {
      w.arg(path, 'path')
      if (isGiven(moduleArguments)) w.anyArgs(moduleArguments, 'moduleArguments')
    },
    ts: "(path: RedisArgument, moduleArguments?: RedisArgument[]): Promise<'OK'>"
  },
  {
    name: 'moduleUnload',
    upper: 'MODULE_UNLOAD',
    command: ['MODULE', 'UNLOAD'],
    args (w, name) {
      w.arg(name, 'name')
    },
    ts: "(name: RedisArgument): Promise<'OK'>"
  }
]
