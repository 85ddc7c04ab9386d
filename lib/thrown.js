'use strict'

/*
 * What functions of the application have thrown, on its way through the native side.
 *
 * The native side can hold no JavaScript value, so it gets a token, and the text of the error for
 * other threads. The token leads back to the error itself as long as it is one of the latest.
 */

/** What the native side gets for `error`. */
function keep (error) {
  prefix ??= makePrefix()
  const token = `${prefix}${next++}`
  kept.set(token, error)
  if (kept.size > MOST) kept.delete(kept.keys().next().value)
  return { token, text: textOf(error) }
}

/** What was kept under `token`, or an error with its `text`. */
function find (token, text) {
  return kept.has(token) ? kept.get(token) : new Error(text)
}

function textOf (error) {
  // What was thrown may be anything, also something that cannot become text.
  try {
    return String(error)
  } catch {
    return 'an error without a text'
  }
}

/** Threads that share a client must not take a token for one of their own. */
function makePrefix () {
  // Loading it takes as long as half a dozen of our modules, and most programs throw nothing.
  const { threadId } = require('node:worker_threads')
  return `${process.pid}:${threadId}:${Math.random()}:`
}

let prefix
const kept = new Map()
let next = 0
/** Each attempt at connecting throws once, and its error reaches the callers within seconds. */
const MOST = 256

module.exports = { find, keep }
