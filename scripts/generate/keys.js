'use strict'

/*
 * Where a command has its keys, as Rust and as JavaScript. Most of it is what the server says in
 * key specs (https://redis.io/docs/latest/develop/reference/key-specs/). Where these are unknown or
 * incomplete, the overlay below names the rule of src/command/keys.rs that knows more.
 */

/** The Rust expression of a command's key specs. */
function keysOf (name, { keys = [] }) {
  const specs = OVERLAY[name] ?? keys.map(spec)
  return `&[${specs.join(', ')}]`
}

/** Whether the table has a place of a key for a command. */
function hasKeys (name, { keys = [] }) {
  return name in OVERLAY || keys.length > 0
}

function spec ({ begin, find }) {
  return `KeySpec { begin: ${BEGIN[begin.type](begin)}, find: ${FIND[find.type](find)} }`
}

const BEGIN = {
  index: ({ index }) => `Index(${index})`,
  keyword: ({ keyword, startfrom }) => {
    if (startfrom < 1) throw new Error(`keyword ${keyword}: no search from the end is known`)
    return `Word { word: "${keyword}", from: ${startfrom} }`
  }
}

const FIND = {
  range: ({ lastkey, keystep, limit }) => (
    `Range { last: ${lastkey}, step: ${keystep}, limit: ${limit} }`
  ),
  keynum: ({ keynumidx, firstkey, keystep }) => {
    if (keynumidx !== 0 || firstkey !== 1) throw new Error('a number apart from its keys')
    return `Counted { step: ${keystep} }`
  }
}

/**
 * The places of a command's keys as lib/commands/key-places.js has them: `begin:find` of each.
 * @returns {string[]}
 */
function placesOf (name, { keys = [] }) {
  return OWN_PLACES[name] ?? keys.map(({ begin, find }) =>
    `${begin.type === 'index' ? begin.index : `${begin.keyword}@${begin.startfrom}`}:` +
    (find.type === 'keynum'
      ? `count/${find.keystep}`
      : `${find.lastkey}/${find.keystep}/${find.limit}`))
}

const FIRST = spec({
  begin: { type: 'index', index: 1 },
  find: { type: 'range', lastkey: 0, keystep: 1, limit: 0 }
})

/** `OVERLAY` as places. */
const OWN_PLACES = {
  MIGRATE: ['migrated:-1/1/0'],
  SORT: ['1:0/1/0', 'stored:0/1/0'],
  SORT_RO: ['1:0/1/0']
}

const OVERLAY = {
  // Its key is the third argument, or its keys are all arguments behind KEYS.
  MIGRATE: ['KeySpec { begin: Migrated, find: Range { last: -1, step: 1, limit: 0 } }'],
  // BY and GET name keys by patterns. These keys cannot be listed.
  SORT: [FIRST, 'KeySpec { begin: Stored, find: Range { last: 0, step: 1, limit: 0 } }'],
  SORT_RO: [FIRST]
}

module.exports = { hasKeys, keysOf, placesOf }
