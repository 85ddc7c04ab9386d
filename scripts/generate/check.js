'use strict'

/*
 * What a method needs beside its row. Without it the generated files would be wrong and nobody
 * would notice: a command that the table does not know can be sent, but a cluster takes its first
 * argument for its key, and it is never sent again after a lost connection.
 *
 * CONTRIBUTING.md, "Adding a command", has the steps that these messages refer to.
 */

const { argv } = require('../../__test__/commands/encode')
const { known } = require('./method-docs')
const { hasKeys } = require('./keys')

/**
 * Throws an Error that names everything that is missing.
 * @param {object} tables
 * @param {object[]} tables.commands the rows of clients and sessions
 * @param {object[]} tables.sessionCommands the rows of sessions only
 * @param {object} tables.facts name of a command -> its flags, keys, summary ...
 * @param {object} tables.calls method -> calls of it, as in __test__/commands/calls.js
 */
function check ({ commands, sessionCommands, facts, calls }) {
  const complaints = [
    ...[...commands, ...sessionCommands].flatMap(row => [
      entryOf(row.command, facts) === undefined && complaint(row, 'the table does not know ' +
        `${words(row)}: describe it in scripts/generate/newer.js (its flags, where its keys are)`),
      known(row.command, facts) === undefined && row.docs === undefined && complaint(row,
        `nothing documents ${words(row)}: give the row a \`docs\` with a summary`)
    ]),
    ...commands.flatMap(row => checkCalls(row, facts, calls[row.name] ?? []))
  ].filter(Boolean)
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
}

function checkCalls (row, facts, calls) {
  if (calls.length === 0) {
    return [complaint(row, 'there is no call of it in __test__/commands/calls.js')]
  }
  const name = entryOf(row.command, facts)
  const isComplete = name === undefined || hasKeys(name, facts[name]) || KEYLESS.has(name)
  if (isComplete || calls.every(args => keysOf(row, args).length === 0)) return []
  return [complaint(row, `it encodes a key, but the table has no place of a key for ${name}: ` +
    'give it `keys` in scripts/generate/newer.js')]
}

/** The name of the table's entry for the tokens of a command. */
function entryOf ([name, sub], facts) {
  const isWhole = facts[name]?.container !== true || sub === undefined
  const entry = isWhole ? name : `${name} ${sub}`
  return entry in facts ? entry : undefined
}

/** The keys in one call of a method. */
function keysOf (row, args) {
  return argv(row, args, MARK).filter(arg => arg.startsWith(MARK))
    .map(key => key.slice(MARK.length))
}

function complaint (row, text) {
  return `${row.name}: ${text}`
}

function words ({ command }) {
  return command.join(' ')
}

/** It takes a key, but does not touch it: any node can answer. */
const KEYLESS = new Set(['CLUSTER KEYSLOT'])

/** A prefix in front of each key, by which it is told from other arguments. */
const MARK = 'this is a key: '

module.exports = { check, keysOf }
