'use strict'

/*
 * Renders tests/command_keys/calls.txt: the realistic calls of all command methods as they go over
 * the wire, for the Rust test that compares their keys with what a server finds.
 *
 * A line is a command, a tab, and its keys. Arguments stand between blanks, as latin1 text; bytes
 * that would not be seen are %XX, and an empty argument is a single %.
 */

const { commands } = require('../../lib/commands')
const calls = require('../../__test__/commands/calls')
const { argv } = require('../../__test__/commands/encode')
const { keysOf } = require('./check')

function render () {
  const lines = new Set()
  for (const row of commands) {
    for (const args of calls[row.name]) {
      lines.add(`${written(argv(row, args))}\t${written(keysOf(row, args))}\n`)
    }
  }
  return [...lines].join('')
}

function written (args) {
  return args.map(arg => arg === '' ? '%' : arg.replace(UNSEEN, escaped)).join(' ')
}

function escaped (char) {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}

const UNSEEN = /[^!-$&-~]/g

module.exports = { render }
