'use strict'

/*
 * `Redis`: an instance as ioredis has it, over oxidis's native side.
 *
 * Owns what the application sees: options, status, events, methods. What happens to connections is
 * in life.js, what happens to commands in traffic.js.
 */

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

const { addCommander, define } = require('./commander')
const { Command, tell } = require('./command')
const { Life } = require('./life')
const { DEFAULTS, connectionOptions, instanceOptions } = require('./options')
const { addTransactions } = require('./pipeline')
const { PubSub } = require('./pubsub')
const { ScanStream } = require('./scan-stream')
const { StreamView } = require('./stream-view')
const { traceCommand, traceConnect, tracesCommands } = require('./tracing')
const { Traffic } = require('./traffic')

class Redis extends EventEmitter {
  /** Up to three of: a port, a host, a URL, the path of a socket, options. Earlier ones win. */
  constructor (first, second, third) {
    super()
    this.options = instanceOptions([first, second, third])
    // Wrong values are told here, where their caller is.
    connectionOptions(this.options, { select: this.options.db, reconnect: 'once' })
    /** See life.js. It may be written: libraries set it to `end`. */
    this.status = 'wait'
    this.isCluster = false
    this.condition = undefined
    this.manuallyClosing = false
    this.retryAttempts = 0
    this.connectionEpoch = 0
    this.reconnectTimeout = null
    this.scriptsSet = {}
    this.addedBuiltinSet = new Set()
    hidden(this, '_traffic', new Traffic(this))
    hidden(this, '_life', new Life(this))
    hidden(this, '_pubsub', new PubSub(this))
    hidden(this, 'stream', new StreamView(this))
    for (const [name, definition] of Object.entries(this.options.scripts ?? {})) {
      this.defineCommand(name, definition)
    }
    if (!this.options.lazyConnect) this.connect().catch(() => {})
  }

  /** Makes an instance, as `new Redis(...)` does. */
  static createClient (...args) {
    return new this(...args)
  }

  /** Connects. Resolves at ready; rejects at the first close, or if it is connected already. */
  connect (callback) {
    const promise = traceConnect(this, () => this._life.connect())
    if (typeof callback === 'function') tell(promise, callback)
    return promise
  }

  /** Closes the connection at once; `true` makes another one. */
  disconnect (reconnect = false) {
    this._life.disconnect(reconnect)
  }

  /** @deprecated Use `disconnect()`. */
  end () {
    this.disconnect()
  }

  /** A new instance with these options, changed by `override`. */
  duplicate (override) {
    return new this.constructor({ ...this.options, ...override })
  }

  /** `normal`; `monitor` of `monitor()`; `subscriber` with `protocol: 2` and a subscription. */
  get mode () {
    if (this.options.monitor) return 'monitor'
    const { condition } = this
    const isRestricted = Boolean(condition?.subscriber) && condition.protocol !== 3
    return isRestricted ? 'subscriber' : 'normal'
  }

  /** Resolves to another instance, with an event `monitor` for each command of the server. */
  monitor (callback) {
    const instance = this.duplicate({ monitor: true, lazyConnect: false })
    const promise = new Promise((resolve, reject) => {
      instance.once('error', reject)
      instance.once('monitoring', () => {
        instance.removeListener('error', reject)
        resolve(instance)
      })
    })
    if (typeof callback === 'function') tell(promise, callback)
    return promise
  }

  /** Sends a command that is made already. All methods do it by this one. */
  sendCommand (command) {
    if (!tracesCommands()) this._take(command)
    else traceCommand(this, command, () => { this._take(command); return command.promise })
    return command.promise
  }

  _take (command) {
    this._traffic.take(command)
  }

  _failed (command, error) {
    this._traffic.failed(command, error)
  }

  /** Commands that wait for the end of the turn: none that the application could see. */
  get autoPipelineQueueSize () {
    return 0
  }

  /** Commands that wait for a connection. */
  get offlineQueue () {
    return this._traffic.queue
  }

  /** Commands that wait for a reply. */
  get commandQueue () {
    return { length: this._life.link?.promises.pending ?? 0 }
  }

  /** Emits an event if anybody listens. An error that nobody hears is printed. */
  silentEmit (name, detail) {
    if (name === 'error') {
      if (this.status === 'end') return false
      // While the connection is closed by hand its errors are no news.
      if (this.manuallyClosing && QUIET.has(detail?.syscall)) return false
    }
    if (this.listenerCount(name) > 0) return this.emit(name, detail)
    if (name === 'error' && detail instanceof Error) {
      console.error('[ioredis] Unhandled error event:', detail.stack)
    }
    return false
  }

  /** Shows no password, no key and no value. */
  [inspect.custom] (depth, options) {
    const { host, port, path } = this.options
    const shown = { address: path || `${host}:${port}`, status: this.status }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}


addCommander(Redis.prototype)
addTransactions(Redis.prototype)

for (const kind of ['', 's', 'h', 'z']) {
  for (const form of ['', 'Buffer']) {
    const command = `${kind}scan${form}`
    define(Redis.prototype, `${kind}scan${form}Stream`, kind === ''
      ? function (options) {
        return new ScanStream({ objectMode: true, redis: this, command, ...options })
      }
      : function (key, options) {
        return new ScanStream({ objectMode: true, key, redis: this, command, ...options })
      })
  }
}

function hidden (target, name, value) {
  Object.defineProperty(target, name,
    { __proto__: null, value, writable: true, configurable: true, enumerable: false })
}

/** What Node's sockets call the steps at which a connection fails. */
const QUIET = new Set(['connect', 'read'])

Redis.Command = Command
Redis.defaultOptions = DEFAULTS

module.exports = { Redis }
