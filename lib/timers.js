'use strict'

/*
 * Node's own timers, its `nextTick` and its clock, as they were when this module was loaded.
 *
 * Libraries for tests (Jest, sinon, vitest) put fakes in their places, in the global object and on
 * `process`. A fake runs nothing until the test moves its clock, so commands would never be sent
 * and the process would never end. What oxidis waits for are servers, and their time goes on.
 *
 * Bound: a fake that stands there before oxidis is loaded is taken for the real thing. The one
 * exception is `nextTick`: without it no command is sent at all.
 */

const { performance: clock } = require('node:perf_hooks')
const process = require('node:process')
const { clearTimeout, setImmediate, setTimeout } = require('node:timers')

/** `now()`: milliseconds of a clock that only goes forward. */
const performance = { now: clock.now.bind(clock) }

/** Runs `run` when the turn of the event loop is over, before its next one begins. */
const nextTick = isFake(process.nextTick) ? soon : process.nextTick

/** The fakes of sinon, which Jest and vitest use too, have their clock as a property. */
function isFake ({ clock }) {
  return clock !== undefined
}

/** Stands in for `nextTick`: the functions of promises are not faked by anybody. */
function soon (run, ...args) {
  Promise.resolve().then(() => run(...args))
}

module.exports = { clearTimeout, nextTick, performance, setImmediate, setTimeout }
