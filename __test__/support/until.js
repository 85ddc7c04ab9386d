'use strict'

// Waits for a state of servers that no event announces.

/**
 * Resolves with the first truthy result of `probe`, which is asked again and again. Rejects after a
 * minute, naming `what` was waited for and what `explain`, if there is one, resolves to. An error
 * of the probe rejects at once, but a lost connection does not: a Sentinel closes the connections
 * to a server whose role it changes. `interval` is the time between two questions (ms).
 */
async function until (what, probe, explain = () => '', interval = INTERVAL) {
  const end = performance.now() + PATIENCE
  for (;;) {
    const result = await probe().catch(error => {
      if (!LOST.has(error.code)) throw error
    })
    if (result) return result
    if (performance.now() > end) {
      throw new Error(`not within ${PATIENCE} ms: ${what}\n${await explain()}`)
    }
    await new Promise(resolve => { setTimeout(resolve, interval) })
  }
}

const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

// The longest waits, failovers, take 4 seconds. On a busy 2-core machine an election may fail, and
// the next one starts many seconds later.
const PATIENCE = 60_000

// Often enough to see the moment of a promotion, seldom enough not to keep 6 servers busy.
const INTERVAL = 10

module.exports = { until }
