'use strict'

/*
 * A client as the oracle uses it, which counts what happens: how many commands were answered, how
 * long they took, and which errors came. `take` gives the figures since the last time.
 */

const { createHistogram } = require('node:perf_hooks')

class Watched {
  constructor (client) {
    this.client = client
    this.histogram = createHistogram()
    this.answered = 0
    /** Code -> how many. */
    this.errors = new Map()
    for (const method of METHODS) {
      this[method] = (...args) => this.watch(client[method](...args))
    }
  }

  multi () {
    return this.client.multi()
  }

  session (run) {
    return this.client.session(run)
  }

  watch (promise) {
    const started = performance.now()
    promise.then(() => {
      this.answered++
      this.histogram.record(Math.max(1, Math.round((performance.now() - started) * 1000)))
    }, error => {
      const code = error.kind ?? error.code ?? error.name
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
    })
    return promise
  }

  /** `{ answered, p99, errors }` since the last call; `p99` in ms, 0 if nothing was answered. */
  take () {
    const { answered, histogram, errors } = this
    const p99 = histogram.count === 0 ? 0 : histogram.percentile(99) / 1000
    histogram.reset()
    this.answered = 0
    this.errors = new Map()
    return { answered, p99, errors: Object.fromEntries(errors) }
  }
}

/** What the oracle calls. */
const METHODS = ['incr', 'echo', 'set', 'get']

module.exports = { Watched }
