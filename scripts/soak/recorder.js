'use strict'

/*
 * What happens during a run: a sample each second, and the faults.
 *
 * A sample has the figures of each scene (answered commands, p99, errors) and those of the process
 * (resident memory, heap, descriptors).
 */

const fs = require('node:fs')

class Recorder {
  /** @param {object[]} scenes may still grow when this is called */
  constructor (scenes) {
    this.scenes = scenes
    this.samples = []
    /** { scene, name, from, to, healed } in seconds; `healed` in ms. */
    this.faults = []
    this.problems = []
    this.timer = null
    this.started = 0
  }

  start () {
    this.started = performance.now()
    for (const { watched } of this.scenes) watched.take()
    this.timer = setInterval(() => this.sample(), INTERVAL)
  }

  stop () {
    clearInterval(this.timer)
  }

  sample () {
    // What may be collected is no leak. It takes some tens of milliseconds.
    if (this.samples.length % COLLECT_EVERY === 0) globalThis.gc()
    const { rss, heapUsed } = process.memoryUsage()
    const at = this.now()
    this.samples.push({
      at,
      // More than the interval when the event loop was blocked.
      seconds: at - (this.samples.at(-1)?.at ?? 0),
      rss,
      heapUsed,
      descriptors: descriptors(),
      scenes: Object.fromEntries(this.scenes.map(({ name, watched }) => [name, watched.take()]))
    })
    if (process.stdout.isTTY) this.show()
  }

  /** Seconds since the start. */
  now () {
    return (performance.now() - this.started) / 1000
  }

  begin ({ name: scene }, name) {
    const note = { scene, name, from: this.now(), to: undefined, healed: undefined }
    this.faults.push(note)
    return note
  }

  finish (note) {
    note.to = this.now()
    if (!process.stdout.isTTY) {
      const healed = note.healed === undefined ? 'NOT HEALED' : `${Math.round(note.healed)} ms`
      process.stdout.write(`${note.from.toFixed(0).padStart(5)} s  ${note.scene.padEnd(9)}` +
        `${note.name.padEnd(30)}${healed}\n`)
    }
  }

  problem (text) {
    this.problems.push(text)
    process.stdout.write(`\nPROBLEM: ${text}\n`)
  }

  show () {
    const { at, seconds, rss, scenes } = this.samples.at(-1)
    const rates = Object.entries(scenes)
      .map(([name, { answered }]) => `${name} ${Math.round(answered / seconds)}/s`)
    process.stdout.write(`\r\x1b[K${at.toFixed(0)} s  ${rates.join('  ')}  ` +
      `${Math.round(rss / 2 ** 20)} MiB  ${this.faults.length} faults`)
  }
}

/** Open descriptors of this process; undefined where the system does not tell. */
function descriptors () {
  try {
    return fs.readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

const INTERVAL = 1000
/** Samples between two garbage collections. */
const COLLECT_EVERY = 10

module.exports = { Recorder }
