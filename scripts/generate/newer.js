'use strict'

/*
 * Commands that are newer than the server of the snapshot, with what has to be known before one is
 * sent: as in commands/redis.json, but written by hand from https://redis.io/docs/latest/commands/.
 *
 * None of them is called read-only here, so that none is ever sent twice. The snapshot of a newer
 * server makes an entry superfluous, which a test tells.
 */

const newer = {}

/** Their key is the first argument. */
for (const name of ['ARCOUNT', 'ARDEL', 'ARDELRANGE', 'ARGET', 'ARGETRANGE', 'ARGREP', 'ARINFO',
  'ARINSERT', 'ARLASTITEMS', 'ARLEN', 'ARMGET', 'ARMSET', 'ARNEXT', 'AROP', 'ARRING', 'ARSCAN',
  'ARSEEK', 'ARSET', 'DELEX', 'DIGEST', 'INCREX', 'VRANGE', 'XCFGSET', 'XNACK']) {
  newer[name] = { flags: [], keys: [range(1)] }
}

/** Behind a subcommand. */
for (const name of ['BLESS CLEAR', 'BLESS GET', 'BLESS SET', 'HIMPORT SET']) {
  newer[name] = { flags: [], keys: [range(2)] }
}

/** Only subcommands, and those that have no key. */
for (const name of ['BLESS', 'HIMPORT', 'HOTKEYS']) newer[name] = { flags: [], container: true }
for (const name of ['BLESS SCAN', 'HIMPORT DISCARD', 'HIMPORT DISCARDALL', 'HIMPORT PREPARE',
  'HOTKEYS GET', 'HOTKEYS RESET', 'HOTKEYS START', 'HOTKEYS STOP']) newer[name] = { flags: [] }

Object.assign(newer, {
  BLMOVEM: { flags: ['blocking'], keys: [range(1), range(2)] },
  LMOVEM: { flags: [], keys: [range(1), range(2)] },
  MSETEX: { flags: [], keys: [counted(1, 2)] },
  SDIFFCARD: { flags: [], keys: [counted(1, 1)] },
  SUNIONCARD: { flags: [], keys: [counted(1, 1)] }
})

/** One key. */
function range (index) {
  return {
    begin: { type: 'index', index },
    find: { type: 'range', lastkey: 0, keystep: 1, limit: 0 }
  }
}

/** Keys behind their number. */
function counted (index, keystep) {
  return {
    begin: { type: 'index', index },
    find: { type: 'keynum', keynumidx: 0, firstkey: 1, keystep }
  }
}

module.exports = { newer }
