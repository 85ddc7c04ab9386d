'use strict'

// A worker thread with a client of its own, which does what the test tells it to.
//
// Functions go over as their text: they see nothing of the test but their arguments, and get
// `scene` first: the client, what they keep in it from one call to the next, and `startOracle`.

const { once } = require('node:events')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')

const { createClient } = require('../..')
const { startOracle } = require('./oracle')

/** Starts a thread whose client has `options`. */
class ClientWorker {
  constructor (options) {
    this.worker = new Worker(__filename, { workerData: options })
    this.calls = new Map()
    this.last = 0
    /** Resolves with the exit code. */
    this.exited = new Promise(resolve => { this.worker.once('exit', resolve) })
    this.exited.then(code => this.reject(new Error(`the worker has ended with ${code}`)))
    this.worker.on('error', error => this.reject(error))
    this.worker.on('message', ({ id, value, error }) => {
      // None if an error has rejected them all, and the answer came after it.
      if (!this.calls.has(id)) return
      const { resolve, reject } = this.calls.get(id)
      this.calls.delete(id)
      if (error === undefined) resolve(value)
      else reject(Object.assign(new Error(error.message), error))
    })
  }

  /** Resolves to what `fn (scene, ...args)` returns in the thread, or rejects as it does. */
  run (fn, ...args) {
    const id = ++this.last
    const promise = new Promise((resolve, reject) => { this.calls.set(id, { resolve, reject }) })
    this.worker.postMessage({ id, source: String(fn), args })
    return promise
  }

  /** Ends the thread, whatever it does. Calls under way are rejected. */
  async terminate () {
    await this.worker.terminate()
  }

  reject (error) {
    for (const { reject } of this.calls.values()) reject(error)
    this.calls.clear()
  }
}

/** Workers that end with test `t`, once all of them have loaded oxidis. */
async function startWorkers (t, count, options) {
  const workers = Array.from({ length: count }, () => new ClientWorker(options))
  t.after(() => Promise.all(workers.map(worker => worker.terminate())))
  await Promise.all(workers.map(({ worker }) => once(worker, 'online')))
  return workers
}

function serve () {
  const client = createClient(workerData)
  const scene = { client, startOracle, createClient, options: workerData }
  parentPort.on('message', async ({ id, source, args }) => {
    try {
      const value = await new Function('require', `return ${source}`)(require)(scene, ...args)
      parentPort.postMessage({ id, value })
    } catch (error) {
      const { name, message, code, applied } = error
      parentPort.postMessage({ id, error: { name, message, code, applied } })
    }
  })
}

if (!isMainThread && parentPort !== null && workerData?.shared !== undefined) serve()

module.exports = { startWorkers }
