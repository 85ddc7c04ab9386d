'use strict'

/*
 * Argument forms and replies that the probabilistic modules share: bloom and cuckoo filters,
 * count-min sketches, top-k lists and t-digests. Forms know no command.
 */

const { fail, isGiven } = require('../arguments')
const { map } = require('../commands/replies')
const { list, scalar, tuple, yes } = require('../commands/shapes')

/** (key, item) */
function keyItem (w, key, item) {
  w.key(key, 'key')
  w.arg(item, 'item')
}

/** (key, items) */
function keyItems (w, key, items) {
  w.key(key, 'key')
  w.args(items, 'items')
}

/** (key, items), each of them an item and by how much its count grows. */
function keyIncrements (w, key, items) {
  w.key(key, 'key')
  if (!Array.isArray(items)) return increment(w, items, 'items')
  if (items.length === 0) fail('items', 'a non-empty array', items)
  for (let i = 0; i < items.length; i++) increment(w, items[i], `items[${i}]`)
}

function increment (w, v, name) {
  if (v === null || typeof v !== 'object') fail(name, 'an object { item, incrementBy }', v)
  w.arg(v.item, `${name}.item`)
  w.int(v.incrementBy, `${name}.incrementBy`)
}

/** (key, iterator) */
function keyIterator (w, key, iterator) {
  w.key(key, 'key')
  w.int(iterator, 'iterator')
}

/** (key, iterator, chunk) */
function keyChunk (w, key, iterator, chunk) {
  keyIterator(w, key, iterator)
  w.arg(chunk, 'chunk')
}

/** Writes an option that is an integer, if the caller gave it. */
function intOption (w, o, option) {
  if (!isGiven(o?.[option])) return
  w.token(option)
  w.int(o[option], `options.${option}`)
}

/** Yes or no, of each item. An item that failed by itself keeps its error. */
function eachYes (reply) {
  return list(reply).map(item => item instanceof Error ? item : yes(item))
}

/** One chunk of a dump, and the iterator that asks for the next; 0 after the last. */
function dumped (reply) {
  const [iterator, chunk] = tuple(reply, 2)
  return { iterator: scalar(iterator), chunk }
}

/** The reply of an INFO command, with the names of node-redis. */
function info (reply, mapping) {
  return map(reply, mapping)
}

module.exports = {
  keyItem,
  keyItems,
  keyIncrements,
  keyIterator,
  keyChunk,
  intOption,
  yes,
  eachYes,
  dumped,
  info
}
