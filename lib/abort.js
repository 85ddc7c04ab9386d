'use strict'

/*
 * AbortSignals: what is to happen when one is aborted.
 */

const { AbortError } = require('./errors')

/**
 * Calls `abort` when `signal` is aborted. Returns a function that takes this back.
 *
 * A signal gets one listener, however many commands share it: Node warns of more than ten listeners
 * as of a leak.
 * @param {AbortSignal} signal
 * @param {() => void} abort
 */
function onAbort (signal, abort) {
  const aborts = ABORTS.get(signal) ?? new Set()
  if (aborts.size === 0) {
    ABORTS.set(signal, aborts)
    aborts.listener = () => { for (const abort of aborts) abort() }
    signal.addEventListener('abort', aborts.listener, { once: true })
  }
  aborts.add(abort)
  return () => {
    aborts.delete(abort)
    if (aborts.size === 0) signal.removeEventListener('abort', aborts.listener)
  }
}

/** Signal -> the functions that are to be called. Entries live no longer than their signals. */
const ABORTS = new WeakMap()

/**
 * Resolves as `promise` does, or rejects with an `AbortError` once `signal` is aborted. For what
 * comes before a command is sent.
 * @param {Promise<T>} promise
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 * @template T
 */
async function unlessAborted (promise, signal) {
  if (signal === undefined) return promise
  if (signal.aborted) throw abortedBefore(signal.reason)
  let forget
  const aborted = new Promise((resolve, reject) => {
    forget = onAbort(signal, () => reject(abortedBefore(signal.reason)))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    forget()
  }
}

/** The error for a caller that left before anything was sent. */
function abortedBefore (reason) {
  return new AbortError(undefined, { applied: 'no', cause: reason })
}

module.exports = { abortedBefore, onAbort, unlessAborted }
