'use strict'

// The load generator: `inFlight` workers, each awaiting one operation after another, because that
// is how programs behave. Runs for a time, not for a count, so that slow and fast clients are
// measured equally long.

/**
 * Runs `operation(number)` for `ms` milliseconds with `inFlight` workers. `isBrief`: an operation
 * takes less than a microsecond. Returns
 * `{ ops, issued, p50, p99, loop, cpu }`: operations per second and in all, latency in ms,
 * event-loop time and process CPU time (all threads) in µs per operation.
 */
async function drive (operation, inFlight, ms, isBrief = false) {
  const latencies = []
  let number = 0
  let stopped = false
  // Reading the clock twice costs as much as a tenth of a fast operation, so at a high rate only
  // some are timed; 17 shares no divisor with the 5 of the GET/SET mix.
  const every = isBrief || inFlight > 10 ? 17 : 1
  const worker = async () => {
    while (!stopped) {
      const mine = number++
      if (mine % every !== 0) {
        await operation(mine)
        continue
      }
      const started = performance.now()
      await operation(mine)
      const ended = performance.now()
      latencies.push(ended - started)
      // Where no operation waits for the event loop, no timer fires either.
      if (ended >= end) stopped = true
    }
  }
  const end = performance.now() + ms
  const timer = setTimeout(() => { stopped = true }, ms)
  const cpu = process.cpuUsage()
  const utilization = performance.eventLoopUtilization()
  const started = performance.now()
  try {
    await Promise.all(Array.from({ length: inFlight }, worker))
  } finally {
    stopped = true
    clearTimeout(timer)
  }
  const elapsed = performance.now() - started
  const { active } = performance.eventLoopUtilization(utilization)
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  return {
    ops: number / elapsed * 1000,
    issued: number,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    loop: active * 1000 / number,
    cpu: (user + system) / number
  }
}

/** The value below which `part` (0 to 1) of the sorted `values` lie. */
function quantile (values, part) {
  return values[Math.min(values.length - 1, Math.floor(values.length * part))]
}

/** The middle of `values`; of an even number of them, the mean of the two in the middle. */
function median (values) {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2
}

module.exports = { drive, median }
