'use strict'

/*
 * The methods of a cluster's client whose commands are for more than one node.
 *
 * `commands/policies.js` says which commands these are and what becomes of the replies. Keys of
 * several slots are divided into one command for each slot (split-keys.js); these go the common way
 * and follow redirects. What is for whole nodes goes to each of them (spread.js). BLESS SCAN is
 * refused, because its cursor belongs to one node; SCAN is a method of the client.
 */

const { commands } = require('../commands')
const { policyOf } = require('../commands/policies')
const { withCallback } = require('../methods/callback')
const { defineMethod, namesOf } = require('../methods/define')
const { addCommands } = require('../methods/from-rows')
const { addModules } = require('../methods/namespaces')
const { splitting } = require('./split-keys')
const { spreading } = require('./spread')

/**
 * Replaces such methods of `prototype`.
 * @param {object} prototype
 * @param {Function} [addMethods] adds the methods of a namespace
 */
function addClusterCommands (prototype, addMethods = addCommands) {
  for (const row of commands) {
    const policy = policyOf(row.command)
    const one = prototype[row.name]
    let method
    // The client has a method of its own.
    if (row.name === 'scan') continue
    if (row.name === 'blessScan') method = refusing(row)
    else if (policy === undefined) continue
    else if (policy.nodes === 'multi_shard') method = splitting(row, policy, one)
    else method = spreading(row, policy, one)
    defineMethod(prototype, namesOf(row), method)
  }
  addModules(prototype, (target, rows) => addModuleCommands(target, rows, addMethods))
}

/** The methods of a namespace. A node answers null to JSON.MGET for the keys of other nodes. */
function addModuleCommands (prototype, rows, addMethods) {
  addMethods(prototype, rows)
  for (const row of rows) {
    if (row.command[0] !== 'JSON.MGET') continue
    defineMethod(prototype, namesOf(row), splitting(row, undefined, prototype[row.name]))
  }
}

/** A method that is refused. */
function refusing (row) {
  const text = `${row.name}: a cursor belongs to one node: use nodeClient(node)`
  return function (...args) {
    return withCallback(args, () => Promise.reject(new TypeError(text)))
  }
}

module.exports = { addClusterCommands }
