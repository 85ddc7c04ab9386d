'use strict'

/*
 * `pipeline()` and `multi()`: commands that are put together first and sent by `exec`.
 *
 * A transaction within a pipeline is sent as one block, since nothing may get into it. To the
 * caller its parts look as if each was sent by itself. Invariant: `exec` resolves to one entry for
 * each command, in their order.
 */


const { Block } = require('./block')
const { run, tell } = require('./command')
const { addCommander, define } = require('./commander')
const { traceBatch } = require('./tracing')

class Pipeline {
  #queue = []
  #results = []
  #waiting = 0
  #promise = null
  #resolve

  /** @param {import('./redis').Redis} redis */
  constructor (redis) {
    this.redis = redis
    this.isPipeline = true
    this.isCluster = redis.isCluster
    this.options = redis.options
    /** Transactions that were begun and not ended. */
    this._transactions = 0
    this.scriptsSet = {}
    this.addedBuiltinSet = new Set()
    for (const name of [...Object.keys(redis.scriptsSet), ...redis.addedBuiltinSet]) {
      this[name] = redis[name]
      this[`${name}Buffer`] = redis[`${name}Buffer`]
    }
  }

  /** How many commands there are. */
  get length () {
    return this.#queue.length
  }

  /** Adds a command. */
  sendCommand (command) {
    const index = this.#queue.length
    command.inTransaction = this._transactions > 0
    this.#queue.push(command)
    // One that the application has made has a promise of its own, which settles as well.
    const { callback, resolve, reject } = command
    command.promise?.catch(() => {})
    const isOwn = command.promise === undefined && callback !== undefined
    command.resolve = reply => {
      this.#fill(index, [null, reply])
      resolve?.(reply)
      if (isOwn) run(callback, null, reply)
    }
    command.reject = error => {
      this.#fill(index, [error])
      reject?.(error)
      if (isOwn) run(callback, error)
    }
    return this
  }

  #fill (index, result) {
    if (this.#results[index] === undefined) this.#waiting--
    this.#results[index] = result
    if (this.#waiting === 0) this.#resolve(this.#results)
  }

  /** Adds commands, each an array of its name and arguments. */
  addBatch (commands) {
    for (const [name, ...args] of commands) this[name](...args)
    return this
  }

  /** Sends the commands; `[[error] | [null, reply], ...]`. Within a transaction it ends that. */
  exec (callback) {
    if (this._transactions > 0) {
      this._transactions--
      // Its callback gets the array of EXEC. Each part keeps its own encoding.
      return execCommand.apply(this, typeof callback === 'function' ? [callback] : [])
    }
    if (this.#promise === null) {
      this.#promise = new Promise(resolve => { this.#resolve = resolve })
      this.#send()
      if (typeof callback === 'function') tell(this.#promise, callback)
    }
    return this.#promise
  }

  #send () {
    const queue = this.#queue
    this.#waiting = queue.length
    if (queue.length === 0) return this.#resolve([])
    for (let at = 0; at < queue.length;) {
      const end = queue[at].facts.lower === 'multi' ? endOf(queue, at) : -1
      if (end === -1) {
        this.redis._take(queue[at++])
      } else {
        this.redis._take(new Block(queue[at], queue.slice(at + 1, end), queue[end]))
        at = end + 1
      }
    }
  }
}

/** The index of the EXEC of the transaction that begins at `from`; -1 if it is no whole one. */
function endOf (queue, from) {
  for (let at = from + 1; at < queue.length; at++) {
    const { lower } = queue[at].facts
    if (lower === 'exec') return at
    if (NOT_WITHIN.has(lower)) return -1
  }
  return -1
}

/** What a block cannot hold: it ends the transaction, or has no reply of its own in it. */
const NOT_WITHIN = new Set(['multi', 'discard', 'quit', 'reset', 'watch', 'select', 'subscribe',
  'unsubscribe', 'psubscribe', 'punsubscribe', 'ssubscribe', 'sunsubscribe', 'monitor'])

const { exec } = Pipeline.prototype
addCommander(Pipeline.prototype)
const { multi: multiCommand, exec: execCommand } = Pipeline.prototype
define(Pipeline.prototype, 'exec', exec)
/** Begins a transaction within the pipeline. */
define(Pipeline.prototype, 'multi', function (...args) {
  this._transactions++
  return multiCommand.apply(this, args)
})

/** Adds `pipeline`, `multi` and `exec` to the prototype of instances. */
function addTransactions (prototype) {
  const { multi, exec } = prototype

  /** A pipeline, maybe of commands that are given at once. */
  define(prototype, 'pipeline', function (commands) {
    const pipeline = new Pipeline(this)
    return Array.isArray(commands) ? pipeline.addBatch(commands) : pipeline
  })

  /**
   * A transaction: `exec` sends it as a whole. With `{ pipeline: false }` MULTI is sent now, and
   * the commands of this instance are part of the transaction until `exec` or `discard`.
   */
  define(prototype, 'multi', function (commands, options) {
    if (options === undefined && !Array.isArray(commands)) [commands, options] = [null, commands]
    if (options?.pipeline === false) return multi.call(this)
    const pipeline = new Pipeline(this)
    pipeline.multi()
    if (Array.isArray(commands)) pipeline.addBatch(commands)
    return asTransaction(pipeline)
  })

  define(prototype, 'exec', function (callback) {
    const promise = exec.call(this).then(pairs)
    if (typeof callback === 'function') tell(promise, callback)
    return promise
  })
}

/** Makes `exec` of a pipeline give the pairs of its one transaction. */
function asTransaction (pipeline) {
  let promise = null
  const whole = () => {
    if (pipeline._transactions > 0) Pipeline.prototype.exec.call(pipeline)
    return Pipeline.prototype.exec.call(pipeline)
  }
  define(pipeline, 'exec', function (callback) {
    // The second call ends what the application has begun within the pipeline itself.
    promise ??= traceBatch(pipeline, () => whole().then(unwrapped))
    if (typeof callback === 'function') tell(promise, callback)
    return promise
  })
  define(pipeline, 'execBuffer', callback => pipeline.exec(callback))
  return pipeline
}

function unwrapped (results) {
  const [error, replies] = results.at(-1)
  if (error) {
    // Where the connection was lost, all have the same error.
    const reasons = results.slice(0, -1).map(([reason]) => reason)
    error.previousErrors = reasons.filter(reason => reason && reason !== error)
    throw error
  }
  return pairs(replies)
}

function pairs (replies) {
  if (!Array.isArray(replies)) return replies ?? null
  return replies.map(reply => reply instanceof Error ? [reply] : [null, reply])
}

module.exports = { Pipeline, addTransactions }
