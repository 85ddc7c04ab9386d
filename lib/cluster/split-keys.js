'use strict'

/*
 * Commands whose keys may be in several slots: MGET, JSON.MGET, MSET, DEL and alike. They become
 * one command for each slot.
 */

const { isText, prefixed } = require('../arguments')
const { tuple } = require('../commands/shapes')
const { withCallback } = require('../methods/callback')
const { slotOf } = require('./key-slot')
const { checkAll } = require('./outcomes')
const { merge } = require('./replies')

/**
 * The method for a row whose keys may be in several slots.
 * @param {object} row
 * @param {{ reply: string } | undefined} policy undefined for `mGet`, whose replies are lists
 * @param {Function} one the method for keys of one slot
 */
function splitting (row, policy, one) {
  const split = row.name === 'mSet' ? pairsBySlot : keysBySlot
  return function (list) {
    const groups = split(list, this._keyPrefix)
    // The method for one slot also refuses wrong arguments, with the right words.
    if (groups === null) return one.apply(this, arguments)
    const args = Array.prototype.slice.call(arguments, 1)
    return withCallback(args, async rest => {
      const sent = groups.map(({ items }) => one.call(this, items, ...rest))
      const outcomes = await Promise.allSettled(sent)
      checkAll(outcomes)
      const replies = outcomes.map(({ value }) => value)
      return row.name === 'mGet' ? inOrder(groups, replies) : merge(policy.reply, replies)
    }, index => index === row.takesFunctionAt - 1)
  }
}

/**
 * The keys of each slot, and their indexes among all: `{ items, indexes }`. Null if all keys are in
 * one slot, or if `keys` is no list of keys.
 */
function keysBySlot (keys, prefix) {
  if (!Array.isArray(keys) || keys.length < 2) return null
  const slots = new Array(keys.length)
  let isMixed = false
  for (let i = 0; i < keys.length; i++) {
    if (!isText(keys[i])) return null
    slots[i] = slotOf(whole(keys[i], prefix))
    isMixed ||= slots[i] !== slots[0]
  }
  return isMixed ? grouped(keys, slots) : null
}

/** The pairs of MSET for each slot, as `keysBySlot`. They may come in any of MSET's forms. */
function pairsBySlot (toSet, prefix) {
  const pairs = pairsOf(toSet)
  if (pairs === null || pairs.length < 2) return null
  const isPair = pair => Array.isArray(pair) && isText(pair[0]) && isText(pair[1])
  if (!pairs.every(isPair)) return null
  const slots = pairs.map(([key]) => slotOf(whole(key, prefix)))
  return slots.some(slot => slot !== slots[0]) ? grouped(pairs, slots) : null
}

/** The pairs of `[key, value, ...]`, `[[key, value]]` or `{ key: value }`; null for all else. */
function pairsOf (toSet) {
  if (toSet === null || typeof toSet !== 'object' || isText(toSet)) return null
  if (!Array.isArray(toSet)) return Object.keys(toSet).map(key => [key, toSet[key]])
  if (Array.isArray(toSet[0])) return toSet
  if (toSet.length % 2 !== 0) return null
  return Array.from({ length: toSet.length / 2 }, (_, i) => [toSet[2 * i], toSet[2 * i + 1]])
}

function grouped (items, slots) {
  const groups = new Map()
  for (let i = 0; i < items.length; i++) {
    let group = groups.get(slots[i])
    if (group === undefined) groups.set(slots[i], group = { items: [], indexes: [] })
    group.items.push(items[i])
    group.indexes.push(i)
  }
  return [...groups.values()]
}

/** The elements of the groups' lists in the order of their keys. */
function inOrder (groups, replies) {
  const all = []
  groups.forEach(({ indexes }, group) => {
    const some = tuple(replies[group], indexes.length)
    indexes.forEach((index, i) => { all[index] = some[i] })
  })
  return all
}

function whole (key, prefix) {
  return prefix ? prefixed(prefix, key, 'key') : key
}

module.exports = { splitting }
