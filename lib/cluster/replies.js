'use strict'

/*
 * Makes one reply of those of several nodes, as `commands/policies.js` says.
 *
 * Types that a type mapping has given to numbers and strings stay: a reply that is picked is one of
 * the replies, and a sum has the type of what was added.
 */

const { fromTransform } = require('../errors')

/** The reply that `policy` makes of `replies`, of which there is one at least. */
function merge (policy, replies) {
  try {
    return MERGES[policy](replies)
  } catch (error) {
    throw fromTransform(error)
  }
}

const MERGES = {
  all_succeeded: ([first]) => first,
  one_succeeded: ([first]) => first,
  agg_sum: sum,
  agg_min: replies => Array.isArray(replies[0])
    ? replies[0].map((_, i) => least(replies.map(reply => reply[i])))
    : least(replies),
  agg_logical_and: replies => replies[0].map((_, i) => least(replies.map(reply => reply[i]))),
  concat: replies => replies.flat(),
  union: replies => [...new Map(replies.flat().map(name => [textOf(name), name])).values()],
  // `fromEntries` defines fields, so a channel may be called `__proto__`.
  count: replies => Array.isArray(replies[0]) ? flatCount(replies) : Object.fromEntries(
    [...byName(replies)].map(([name, all]) => [name, sum(all)])),
  random: replies => {
    const keys = replies.filter(key => key !== null)
    return keys.length === 0 ? null : keys[Math.floor(Math.random() * keys.length)]
  },
  busy: replies => replies.find(isBusy) ?? replies[0]
}

/** The sum: a number if all are numbers and it is exact, a string if they are, else a bigint. */
function sum (numbers) {
  const total = numbers.reduce((sum, number) => sum + Number(number), 0)
  if (Number.isSafeInteger(total) && numbers.every(number => typeof number === 'number')) {
    return total
  }
  const exact = numbers.reduce((sum, number) => sum + BigInt(number), 0n)
  return typeof numbers[0] === 'string' ? String(exact) : exact
}

/** Flat lists of names and numbers, as servers send them: the numbers of each name are added. */
function flatCount (replies) {
  return replies[0].map((name, i) => i % 2 === 0 ? name : sum(replies.map(reply => reply[i])))
}

function least (numbers) {
  return numbers.reduce((least, number) => Number(number) < Number(least) ? number : least)
}

function byName (objects) {
  const all = new Map()
  for (const object of objects) {
    for (const [name, count] of Object.entries(object)) {
      all.set(name, [...all.get(name) ?? [], count])
    }
  }
  return all
}

/** Whether FUNCTION STATS tells of a function that runs: in an object, a Map or a flat list. */
function isBusy (stats) {
  const running = stats instanceof Map
    ? stats.get('running_script')
    : Array.isArray(stats)
      ? stats[stats.findIndex(name => textOf(name) === 'running_script') + 1]
      : stats.running_script
  return running !== null && running !== undefined
}

function textOf (name) {
  return typeof name === 'string' ? name : Buffer.from(name).latin1Slice()
}

module.exports = { merge }
