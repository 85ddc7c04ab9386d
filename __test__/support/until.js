'use strict'

// Waits for a state of servers that no event announces.

/**
 * Resolves with the first truthy result of `probe`, which is asked again and again; rejects with
 * `what` that was after 30 seconds, and with the probe's own error at once. A lost connection is
 * no error: a Sentinel, for one, closes those to a server whose role it changes.
 */
async function until (what, probe) {
  const end = performance.now() + PATIENCE
  for (;;) {
    const result = await probe().catch(error => {
      if (!LOST.has(error.code)) throw error
    })
    if (result) return result
    if (performance.now() > end) throw new Error(`not within ${PATIENCE} ms: ${what}`)
    await new Promise(resolve => { setTimeout(resolve, INTERVAL) })
  }
}

const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

// The longest waits, failovers, take 4 seconds; a busy 2-core machine has needed 3 times as much.
const PATIENCE = 30_000

// Often enough to see the moment of a promotion, seldom enough not to keep 6 servers busy.
const INTERVAL = 10

module.exports = { until }
