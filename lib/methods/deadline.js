'use strict'

/*
 * What is left of a deadline, for calls that send more than one command.
 */

const { performance } = require('../timers')

/**
 * Command options whose timeout is what is left of that of `options` for a call that began at
 * `start` (ms of `performance.now()`). It is at least 1 ms: 0 would mean that there is no deadline.
 * @param {{ timeout: number }} options compiled command options
 * @param {number} start
 */
function withRest (options, start) {
  if (options.timeout === 0) return options
  const left = Math.ceil(options.timeout - (performance.now() - start))
  return { ...options, timeout: Math.max(1, left) }
}

/** Whether the deadline of a call that began at `start` has passed. */
function isOver (options, start) {
  return options.timeout !== 0 && performance.now() - start >= options.timeout
}

module.exports = { isOver, withRest }
