'use strict'

/*
 * The commands of server modules, by the namespace that a client has them in: `client.json.get`.
 *
 * Rows are those of commands/index.js, sorted by name. What a module calls `JSON.GET` stands in its
 * row as `command: ['JSON.GET']`; names and upper-case names are node-redis's, without the module.
 */

const { complete } = require('../commands')

/** A module's rows are loaded when a program first uses its namespace. Most programs use none. */
const LOADERS = {
  json: () => require('./json'),
  bf: () => require('./bloom'),
  cf: () => require('./cuckoo'),
  cms: () => require('./count-min-sketch'),
  topK: () => require('./top-k'),
  tDigest: () => require('./t-digest'),
  ft: () => require('./search'),
  ts: () => require('./time-series')
}

const NAMESPACES = Object.keys(LOADERS)

/** The rows of one namespace. */
function rowsOf (namespace) {
  const rows = LOADERS[namespace]().map(row => complete({ ...row, namespace }))
  return rows.sort((a, b) => a.name < b.name ? -1 : 1)
}

module.exports = {
  NAMESPACES,
  rowsOf,
  /** The rows of all of them, by namespace. */
  get MODULES () {
    return Object.fromEntries(NAMESPACES.map(name => [name, rowsOf(name)]))
  }
}
