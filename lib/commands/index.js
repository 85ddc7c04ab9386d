'use strict'

/*
 * The table of command methods. One row is one method of node-redis, with everything that is known
 * about it in one place; the method wrapper, the types and the documentation are made from it.
 *
 * A row:
 *   name      the method: `hGetAll`
 *   namespace the module's namespace: 'json' (default: none); set by modules/index.js
 *   upper     its upper-case twin: `HGETALL` (default: the name in upper case)
 *   aliases   further names of the same method (default: none)
 *   command   the command's own tokens: ['CONFIG', 'GET'] (default: [upper])
 *   args      (writer, ...what the caller passed) => void: checks and encodes the arguments
 *   blocks    true when the server may wait; `args` says by `writer.wait` if it does
 *   variadic  true when `args` takes any number of arguments
 *   takesFunctionAt  the index of the argument that may be a function. A function there is that
 *             argument, and no callback, also if it is the last one (default: none)
 *   shape     'object': the native side turns a flat list or a map into an object;
 *             'flat': it hands a list of pairs over as one flat list;
 *             'list': it hands a map over as a flat list (as an object beside a mapping to Map)
 *   reply     (reply, typeMapping, preserved) => what the caller gets (default: the reply itself)
 *   ts        the method's type, T standing for string or Buffer; several make overloads
 *   about     what sets a variant apart from its command, for the documentation
 *   docs      { summary, since, complexity } of a command that redis.json does not describe
 *
 * `commands` is the list of all rows, defaults filled in, in alphabetical order of their names.
 * `sessionCommands` are the rows of the methods that only sessions have.
 *
 * The rows of a group are loaded when one of its methods is first called (methods/late.js), since a
 * program uses few groups and all of them take a third of the time of `require`.
 */

const session = require('./session-commands')

/** The rows of each group, loaded on demand. Later groups come behind earlier ones. */
const LOADERS = {
  acl: () => require('./acl'),
  arrays: () => require('./arrays'),
  bitmaps: () => require('./bitmaps'),
  cluster: () => require('./cluster'),
  connection: () => require('./connection'),
  diagnostics: () => require('./diagnostics'),
  functions: () => require('./functions'),
  geo: () => require('./geo'),
  geoRadius: () => require('./geo-radius'),
  hashes: () => require('./hashes'),
  hotkeys: () => require('./hotkeys'),
  hyperloglog: () => require('./hyperloglog'),
  introspection: () => require('./introspection'),
  keys: () => require('./keys'),
  lists: () => require('./lists'),
  modules: () => require('./modules'),
  pubsub: () => require('./pubsub'),
  replication: () => require('./replication'),
  scripting: () => require('./scripting'),
  server: () => require('./server'),
  sets: () => require('./sets'),
  sortedSetAlgebra: () => require('./sorted-set-algebra'),
  sortedSetRanges: () => require('./sorted-set-ranges'),
  sortedSets: () => require('./sorted-sets'),
  streamGroups: () => require('./stream-groups'),
  streamReads: () => require('./stream-reads'),
  streams: () => require('./streams'),
  strings: () => require('./strings'),
  vectors: () => require('./vectors'),
  hello: () => [session.helloOfClient]
}

/** No argument has this index. */
const NONE = -1

/** Group -> its rows, once they are loaded. */
const loaded = new Map()

/** The rows of one group of `LOADERS`. A row is the same object each time. */
function rowsOf (group) {
  let rows = loaded.get(group)
  if (rows === undefined) {
    rows = LOADERS[group]().map(complete)
    loaded.set(group, rows)
  }
  return rows
}

let all

const sessionCommands = session.rows.map(complete)

/** Gives every row the same fields in the same order, so that the wrapper stays monomorphic. */
function complete (row) {
  const upper = row.upper ?? row.name.toUpperCase()
  return Object.freeze({
    name: row.name,
    upper,
    namespace: row.namespace,
    aliases: row.aliases ?? [],
    command: row.command ?? [upper],
    args: row.args,
    blocks: row.blocks ?? false,
    variadic: row.variadic ?? false,
    takesFunctionAt: row.takesFunctionAt ?? NONE,
    shape: row.shape,
    reply: row.reply,
    ts: row.ts,
    about: row.about,
    docs: row.docs
  })
}

module.exports = {
  GROUPS: Object.keys(LOADERS),
  complete,
  rowsOf,
  sessionCommands,
  get commands () {
    all ??= Object.keys(LOADERS).flatMap(rowsOf).sort((a, b) => a.name < b.name ? -1 : 1)
    return all
  }
}
