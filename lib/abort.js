'use strict'

/*
 * AbortSignals: who wants to know when one is aborted.
 */

const { AbortError } = require('./errors')

/**
 * Calls `abort` when `signal` is aborted; returns the function that takes it back. However many
 * commands share a signal, it has one listener: Node warns of more than ten as of a leak.
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

/** What is to be called for each signal; an entry lives no longer than its signal. */
const ABORTS = new WeakMap()

/** The error for a caller who left before anything was sent. */
function abortedBefore (reason) {
  return new AbortError('the command was aborted before it was sent',
    { applied: 'no', cause: reason })
}

module.exports = { abortedBefore, onAbort }
