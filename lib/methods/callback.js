'use strict'

/*
 * Node-style callbacks as the last argument of methods that return a Promise otherwise.
 */

const { nextTick } = require('../timers')

/**
 * Calls `done(error, reply)` with the outcome of `promise`. It is called outside of the promise, so
 * what it throws becomes an uncaught exception, as with other callbacks of Node.
 */
function callback (promise, done) {
  promise.then(
    reply => nextTick(done, null, reply),
    error => nextTick(done, error)
  )
}

/**
 * Calls `run` with `args`. A function behind the arguments is a callback: it is told of the
 * outcome, and undefined is returned in place of the promise.
 * @param {unknown[]} args what the caller passed
 * @param {(args: unknown[]) => Promise<unknown>} run
 * @param {(index: number) => boolean} [isArgument] whether a function at this index is an argument
 */
function withCallback (args, run, isArgument) {
  if (typeof args.at(-1) !== 'function' || isArgument?.(args.length - 1)) return run(args)
  callback(run(args.slice(0, -1)), args.at(-1))
}

/** Returns `promise`, or tells `done` of its outcome if that is a function. */
function settleWith (promise, done) {
  return typeof done === 'function' ? callback(promise, done) : promise
}

module.exports = { callback, settleWith, withCallback }
