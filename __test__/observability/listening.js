'use strict'

// Writes down what the diagnostics channels of node-redis tell, in the order in which it is told.

const diagnostics = require('node:diagnostics_channel')

const { CHANNELS } = require('../..')

const TRACED = [CHANNELS.TRACE_COMMAND, CHANNELS.TRACE_BATCH, CHANNELS.TRACE_CONNECT]

/**
 * Listens to all channels, or to those whose names are given. `events` is a list of
 * `{ channel, phase, message }`; `phase` is undefined for plain channels, and `message` is a copy.
 * `stop()` ends it. `until(test)` resolves with the first event for which `test` is true.
 */
function listen (names = Object.values(CHANNELS)) {
  const events = []
  const waiting = new Set()
  const heard = (channel, phase) => message => {
    const event = { channel, phase, message: { ...message } }
    events.push(event)
    for (const one of waiting) {
      if (!one.test(event)) continue
      waiting.delete(one)
      one.resolve(event)
    }
  }
  const ends = []
  for (const name of names) {
    if (TRACED.includes(name)) {
      const handlers = Object.fromEntries(['start', 'end', 'asyncStart', 'asyncEnd', 'error']
        .map(phase => [phase, heard(name, phase)]))
      const channel = diagnostics.tracingChannel(name)
      channel.subscribe(handlers)
      ends.push(() => channel.unsubscribe(handlers))
    } else {
      const handler = heard(name)
      diagnostics.subscribe(name, handler)
      ends.push(() => diagnostics.unsubscribe(name, handler))
    }
  }
  return {
    events,
    stop: () => ends.forEach(end => end()),
    until: test => new Promise(resolve => {
      const found = events.find(test)
      if (found !== undefined) resolve(found)
      else waiting.add({ test, resolve })
    }),
    /** The messages of one channel and phase. */
    of: (channel, phase) => events
      .filter(event => event.channel === channel && event.phase === phase)
      .map(({ message }) => message)
  }
}

module.exports = { listen }
