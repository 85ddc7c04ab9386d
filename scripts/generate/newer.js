'use strict'

/*
 * Commands that the server of the snapshot does not know, because they are newer. Here stands what
 * oxidis must know before it sends one, in the form of commands/redis.json, by hand from
 * https://redis.io/docs/latest/commands/. The summary stands in `docs` of the method's row.
 *
 *   flags      'write' or 'readonly' as on the command's page, 'blocking' if it may wait on the
 *              server. Only a `readonly` command is sent again after a lost connection, or to a
 *              replica. Without a flag it is sent once, and to the primary.
 *   keys       where its keys are: `keyAt` and `keysBehindCount` below. No `keys`: it has no key,
 *              and a cluster sends it to any node.
 *   container  true if it has subcommands only. Each of these is an entry of its own: 'NAME SUB'.
 *   tips       which nodes of a cluster get it, and what becomes of their replies, in the words of
 *              https://redis.io/docs/latest/develop/reference/command-tips/. No `tips`: one node.
 *
 * The snapshot of a newer server makes an entry superfluous. A test says so.
 */

const newer = {}

/*
 * Their key is the first argument. Those that only read (ARGET, DIGEST ...) are not called
 * `readonly` here: no server that has them was tried, and a wrong flag would send a command twice.
 */
for (const name of ['ARCOUNT', 'ARDEL', 'ARDELRANGE', 'ARGET', 'ARGETRANGE', 'ARGREP', 'ARINFO',
  'ARINSERT', 'ARLASTITEMS', 'ARLEN', 'ARMGET', 'ARMSET', 'ARNEXT', 'AROP', 'ARRING', 'ARSCAN',
  'ARSEEK', 'ARSET', 'DELEX', 'DIGEST', 'INCREX', 'VRANGE', 'XCFGSET', 'XNACK']) {
  newer[name] = { flags: [], keys: [keyAt(1)] }
}

/** Their key stands behind a subcommand. */
for (const name of ['BLESS CLEAR', 'BLESS GET', 'BLESS SET', 'HIMPORT SET']) {
  newer[name] = { flags: [], keys: [keyAt(2)] }
}

/** They have subcommands only. */
for (const name of ['BLESS', 'HIMPORT', 'HOTKEYS']) newer[name] = { flags: [], container: true }

/** They have no key. */
for (const name of ['BLESS SCAN', 'HIMPORT DISCARD', 'HIMPORT DISCARDALL', 'HIMPORT PREPARE',
  'HOTKEYS GET', 'HOTKEYS RESET', 'HOTKEYS START', 'HOTKEYS STOP']) newer[name] = { flags: [] }

/** Valkey has them (https://valkey.io/commands/), Redis has not. They have no key. */
for (const name of ['CLIENT CAPA', 'CLIENT IMPORT-SOURCE', 'SCRIPT SHOW']) {
  newer[name] = { flags: [] }
}

Object.assign(newer, {
  BLMOVEM: { flags: ['blocking'], keys: [keyAt(1), keyAt(2)] },
  LMOVEM: { flags: [], keys: [keyAt(1), keyAt(2)] },
  MSETEX: { flags: [], keys: [keysBehindCount(1, 2)] },
  SDIFFCARD: { flags: [], keys: [keysBehindCount(1, 1)] },
  SUNIONCARD: { flags: [], keys: [keysBehindCount(1, 1)] }
})

/** One key. `index` counts the words of the command; its name is 0. */
function keyAt (index) {
  return {
    begin: { type: 'index', index },
    find: { type: 'range', lastkey: 0, keystep: 1, limit: 0 }
  }
}

/**
 * Keys behind their number, as in `EVAL script 2 a b`.
 * @param {number} index the word that is the number
 * @param {number} step from one key to the next: 2 if a value stands behind each
 */
function keysBehindCount (index, step) {
  return {
    begin: { type: 'index', index },
    find: { type: 'keynum', keynumidx: 0, firstkey: 1, keystep: step }
  }
}

module.exports = { newer }
