'use strict'

/*
 * How long does the server take to answer? 200 PINGs one by one over one connection, and with
 * `load` also as many as one client can send, 1, 10 and 100 at a time.
 */

const { performance } = require('../timers')

/** PINGs that are measured: enough for a p99, and done within a second on a usual network. */
const COUNT = 200
/** Ms after which no more are sent: over a slow network fewer say as much. */
const LONGEST = 3000

/**
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 */
async function checkLatency ({ findings }, wire) {
  const times = []
  const start = performance.now()
  while (times.length < COUNT && performance.now() - start < LONGEST) {
    const since = performance.now()
    await wire.ask('PING')
    times.push(performance.now() - since)
  }
  times.sort((a, b) => a - b)
  const at = share => times[Math.min(times.length - 1, Math.floor(times.length * share))]
  const [p50, p99, max] = [at(0.5), at(0.99), times.at(-1)]
  findings.measured.latency = { count: times.length, p50, p99, max, histogram: histogram(times) }
  const text = `${times.length} PINGs: half of them within ${ms(p50)}, 99 of 100 within ${ms(p99)}`
  if (p50 > SLOW) {
    findings.warn('latency', 'FAR', text, 'the server is far away or busy: a region nearby makes ' +
      'every awaited command faster; SLOWLOG GET shows slow commands')
  } else if (p99 > UNSTEADY && p99 > 20 * p50) {
    findings.warn('latency', 'UNSTEADY', text, 'slow commands of others (SLOWLOG GET), swapping, ' +
      'a saving fork (LATENCY DOCTOR) or a busy event loop here')
  } else {
    findings.ok('latency', text)
  }
}

/** How many times are below each bound (ms); the last bound is Infinity, as null. */
function histogram (times) {
  return BOUNDS.map((bound, i) => ({
    below: bound === Infinity ? null : bound,
    count: times.filter(time => time < bound && (i === 0 || time >= BOUNDS[i - 1])).length
  }))
}

/**
 * Commands per second with so many in flight, for one second each.
 * @param {object} patient
 * @param {object} client a client of oxidis that is connected
 */
async function checkLoad ({ findings }, client) {
  findings.measured.load = {}
  for (const inFlight of [1, 10, 100]) {
    const end = performance.now() + SECOND
    let count = 0
    await Promise.all(Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await client.ping()
        count++
      }
    }))
    findings.measured.load[inFlight] = count
    findings.ok('load', `${count} PINGs in a second with ${inFlight} in flight`)
  }
}

function ms (time) {
  return `${time < 10 ? time.toFixed(2) : time.toFixed(0)} ms`
}

/** Ms that half of all answers take from which on awaited commands are slow for a person's page. */
const SLOW = 20
/** Ms of a p99 that is worth a word if most answers are much faster. */
const UNSTEADY = 20
const SECOND = 1000
/** Bounds of the histogram in ms: steps that a person reads. */
const BOUNDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, Infinity]

module.exports = { checkLatency, checkLoad, histogram }
