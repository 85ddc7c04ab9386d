'use strict'

/*
 * The client: state, events and life cycle around a bridge.
 *
 * Owns what users hold. A view (`withTypeMapping` ...) is an object whose prototype is its client,
 * so it shares everything and differs in its command options only. Invariant: after `close` or
 * `destroy` the bridge is one that refuses everything, so the hot path asks nothing.
 */

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

const { Bridge } = require('../boundary/bridge')
const { addCommands, callback } = require('../methods/from-rows')
const { commands } = require('../commands')
const {
  ClientClosedError, ConnectionTimeoutError, ErrorReply, RootNodesUnavailableError, TimeoutError
} = require('../errors')
const { addIterators } = require('./iterators')
const { PATIENT, SELECTS } = require('../mode')
const { addModules } = require('../methods/namespaces')
const { addMulti, addMultiMethod } = require('./multi')
const {
  checkDatabase, coreOptions, parseOptions, refusing
} = require('../options/client')
const { addPubSub } = require('./pubsub')
const { addRefusals } = require('./refusals')
const { addScripts, compile, multiWithScripts, sessionWithScripts } = require('./scripts')
const { RedisSession, makeSession, makeSessionOf } = require('./session')
const { addViews } = require('./views')

/** A client of one Redis or Valkey server. Made by `createClient`. */
class RedisClient extends EventEmitter {
  #given
  #options
  #kind

  /**
   * @param {object | string} [given] options
   * @param {{ topology?: object, Bridge: typeof Bridge, given?: object }} [kind] what several nodes
   *   ask for, and the options that the application has given for all of them
   */
  constructor (given, kind = ONE_SERVER) {
    super()
    this.#kind = kind
    this.#given = kind.given ?? given
    this.#options = parseOptions(given)
    this._self = this
    this._command = this.#options.command
    this._keyPrefix = this.#options.keyPrefix
    this._database = this.#options.database
    this._isWanted = false
    this._isClosing = false
    this._closed = null
    this._ending = null
    this._connecting = null
    this._scripts = compile(this.#options)
    addScripts(this, this._scripts)
    this._Multi = multiWithScripts(this._Multi, addMultiMethod, this._scripts)
    this._Session = sessionWithScripts(RedisSession, this._scripts)
    this._bridge = this.#bridge()
  }

  #bridge () {
    const options = this.#options
    const limits = { maxCommands: options.commandsQueueMaxLength, maxBytes: options.maxQueuedBytes }
    const listener = (name, ...details) => {
      if (this._bridge === bridge) this._onEvent(name, ...details)
    }
    const bridge = refusing(() =>
      new this.#kind.Bridge({ ...coreOptions(options), topology: this.#kind.topology }, limits,
        options.pool, listener))
    return bridge
  }

  /** Whether the client is in use: from `connect()` or the first command to `close()`. */
  get isOpen () {
    const bridge = this._bridge
    return bridge instanceof Bridge && (this._self._isWanted || bridge.isUsed) &&
      !this._self._isClosing
  }

  /** Whether a connection stands, so that commands are written at once. */
  get isReady () {
    const bridge = this._bridge
    return bridge instanceof Bridge && bridge.isConnected
  }

  /**
   * Connects. Needed only to know early whether it works: the first command connects as well.
   * Rejects at once if the options can never work, else after `socket.connectTimeout`; attempts
   * go on in the background until `close()`. May be called again, also after `close()`.
   */
  async connect () {
    const self = this._self
    if (!(self._bridge instanceof Bridge)) {
      await self._closed
      // Another call of connect() may have come first.
      if (!(self._bridge instanceof Bridge)) self.#reopen()
    }
    self._isWanted = true
    self._connecting ??= self.#connect()
    const connecting = self._connecting
    try {
      await connecting
    } finally {
      if (self._connecting === connecting) self._connecting = null
    }
    return this
  }

  #reopen () {
    this._bridge = this.#bridge()
    // A new core begins in the database of the options.
    this._database = this.#options.database
    this._isClosing = false
    this._closed = null
  }

  async #connect () {
    const { connectTimeout, host, port, path } = this.#options.socket
    try {
      await this._bridge.send(PING, PATIENT, connectTimeout, PING_ROW, undefined)
    } catch (error) {
      // Any reply, even NOPERM, comes over a connection that stands.
      if (error instanceof ErrorReply) return
      if (!(error instanceof TimeoutError)) throw error
      if (error.cause instanceof RootNodesUnavailableError) throw error.cause
      throw new ConnectionTimeoutError(
        `could not connect to ${path ?? `${host}:${port}`} within ${connectTimeout} ms`,
        { cause: error.cause, retryable: true }
      )
    }
  }

  /**
   * Takes no more commands, waits for those under way (5 s at most), then closes all connections.
   * May be called twice.
   */
  close () {
    const self = this._self
    self._closed ??= self.#close()
    return self._closed
  }

  async #close () {
    const bridge = this._bridge
    this._isClosing = true
    this._ending = bridge
    this._bridge = CLOSED
    await withinGrace(drained(bridge))
    this._end(bridge)
  }

  /** Ends all commands with `ClientClosedError` and closes all connections at once. */
  destroy () {
    const self = this._self
    const bridge = self._bridge
    if (bridge === CLOSED) {
      // A close under way is cut short: its bridge ends its commands, which ends its wait.
      self._ending?.close()
      return
    }
    self._bridge = CLOSED
    self._closed = Promise.resolve()
    self._end(bridge)
  }

  _end (bridge) {
    bridge.close()
    this._isWanted = false
    this._connecting = null
    process.nextTick(() => this.emit('end'))
  }

  /** @deprecated Use `close()`. */
  async quit () {
    await this.close()
    return 'OK'
  }

  /** @deprecated Use `destroy()`. */
  disconnect () {
    this.destroy()
    return Promise.resolve()
  }

  /** Lets pending commands keep the process alive again. */
  ref () {
    this._bridge.reference(true)
  }

  /** Lets the process end although commands are pending. */
  unref () {
    this._bridge.reference(false)
  }

  /**
   * A client with the same options, those of this view included, changed by `overrides`. It has
   * connections of its own, unless `overrides` says `shared`.
   */
  duplicate (overrides = {}) {
    return new this._self.constructor({ ...this._self.#base(this), ...overrides })
  }

  /** A pool with this client's options: see `createClientPool`. */
  createPool (poolOptions) {
    // Required here because a pool is a client.
    const { RedisClientPool, pooledOptions } = require('./pool')
    return new RedisClientPool(pooledOptions(this._self.#base(this), poolOptions))
  }

  /** The options that were given, with those of `view`, which may be the client itself. */
  #base (view) {
    const given = this.#given
    const base = typeof given === 'string' ? { url: given } : { ...given, shared: undefined }
    if (view === this) return base
    const { timeout, typeMapping, signal: abortSignal } = view._command
    return { ...base, commandOptions: { timeout, typeMapping, abortSignal } }
  }

  /**
   * Runs `run` with a connection of its own, behind everything that was sent before, and gives
   * the connection back afterwards, clean, whatever happened. Resolves to what `run` returns.
   */
  session (run) {
    return this._inSession(run)
  }

  /** The same on the node that has `slot`, where there are several. */
  async _inSession (run, slot) {
    if (typeof run !== 'function') throw new TypeError('session: argument "run" must be a function')
    const { _bridge: bridge, _self: { _Session } } = this
    // From now on: close() waits for whoever came before it.
    bridge.sessions.running++
    try {
      const own = bridge.acquireNow(slot) ?? await bridge.acquire(undefined, slot)
      const session = makeSessionOf(run, this, bridge.sessions, own, _Session)
      try {
        return await run(session)
      } finally {
        session._leave()
      }
    } finally {
      bridge.sessions.running--
      bridge.drained()
    }
  }

  /**
   * A connection of one's own, which has to be released: `await using session = await
   * client.acquire()`, or `session.release()`.
   */
  acquire () {
    return this._acquire()
  }

  /** The same on the node that has `slot`, where there are several. */
  async _acquire (slot) {
    const { _bridge: bridge, _self: { _Session } } = this
    // Where the caller is can be told now only.
    const origin = {}
    Error.captureStackTrace(origin, this.acquire)
    const own = await bridge.acquire(undefined, slot)
    own.origin = origin
    return makeSession(this, bridge.sessions, own, _Session)
  }

  /**
   * Makes `database` the one of all later commands, also after a reconnect, and of sessions that
   * are acquired from then on.
   */
  select (database, done) {
    const promise = this._self.#select(database, this._command.timeout)
    return typeof done === 'function' ? callback(promise, done) : promise
  }

  async #select (database, timeout) {
    checkDatabase(database, 'select: ')
    if (this.#options.shared !== undefined) {
      throw new TypeError('select: the connection of this client is shared with other threads: ' +
        'use the option database, or session.select()')
    }
    if (this.#options.lanes > 1) {
      throw new TypeError(`select: this client has ${this.#options.lanes} lanes, whose commands ` +
        'keep no order: use the option database, or session.select()')
    }
    const text = String(database)
    const encoded = `*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`
    const { _bridge: bridge, _database: before } = this
    // From here on, because what is sent from here on runs in it.
    this._database = database
    // Before anybody hears of it: whoever waits for this reply may want a session.
    const reply = value => {
      bridge.sessions.changeDatabase()
      return value
    }
    try {
      const row = { command: 'SELECT', reply }
      return await bridge.send(encoded, SELECTS, timeout, row, undefined)
    } catch (error) {
      if (this._database === database) this._database = before
      throw error
    }
  }

  /** node-redis 3's interface to this client: callbacks as last arguments, replies as sent. */
  legacy () {
    // Made of all commands, which most programs need not wait for.
    const { RedisLegacyClient } = require('./legacy')
    return new RedisLegacyClient(this)
  }

  /**
   * What the client is doing and has done: pool, lanes, counters, latency percentiles in ms. Of a
   * shared client: what all its threads do, but for `pubsub`, which is this thread's.
   */
  stats () {
    return this._bridge.stats() ?? IDLE_STATS
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'ready':
        this.emit('connect')
        return this.emit('ready')
      case 'error':
        // Without a listener Node would throw, and so end the process.
        return this.listenerCount('error') > 0 && this.emit('error', first)
      case 'reconnecting':
        return this.emit('reconnecting', { retries: first })
      case 'stopped':
        // Not destroy(): the commands under way end with the reason, which may come after this.
        return this.close()
      case 'askDelay':
        return this.#answerDelay(first, second, third)
      case 'askCredentials':
        return this.#answerCredentials(first)
      case 'resubscribed':
        return this.emit('resubscribed',
          { channels: first, patterns: second, shardChannels: third, lostMs: fourth })
    }
  }

  #answerDelay (question, retries, cause) {
    // The strategy may end the client, and so take the bridge away.
    const { core } = this._bridge
    let delay
    try {
      delay = this.#options.socket.reconnectStrategy(retries, cause)
    } catch (error) {
      delay = error
    }
    // Later, because a listener may throw, and the question wants its answer.
    if (delay instanceof Error) process.nextTick(() => this._onEvent('error', delay))
    core.answerDelay(question, Number.isFinite(delay) && delay >= 0 ? delay : -1)
  }

  async #answerCredentials (question) {
    const provider = this.#options.credentialsProvider
    const { core } = this._bridge
    try {
      const ask = typeof provider === 'function' ? provider : () => provider.credentials()
      const { username, password } = await ask()
      core.answerCredentials(question, username, password, undefined)
    } catch (error) {
      core.answerCredentials(question, undefined, undefined, error?.name ?? 'error')
    }
  }

  async [Symbol.asyncDispose] () {
    await this.close()
  }

  /** Shows no password, no key and no value. */
  [inspect.custom] (depth, options) {
    const { host, port, path } = this._self.#options.socket
    const shown = { address: path ?? `${host}:${port}`, isOpen: this.isOpen, isReady: this.isReady }
    return `${this.constructor.name} ${inspect(shown, options)}`
  }
}

// Listeners belong to the client, whichever view they are added through.
for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off',
  'removeListener', 'removeAllListeners', 'emit', 'setMaxListeners']) {
  const method = EventEmitter.prototype[name]
  Object.defineProperty(RedisClient.prototype, name, {
    value (...args) {
      const result = method.apply(this._self, args)
      return result === this._self ? this : result
    },
    writable: true,
    configurable: true
  })
}

addCommands(RedisClient.prototype, commands)
addModules(RedisClient.prototype)
addIterators(RedisClient.prototype)
addMulti(RedisClient.prototype)
addViews(RedisClient.prototype)
addRefusals(RedisClient.prototype)
for (const name of ['quit', 'select']) {
  const value = RedisClient.prototype[name]
  Object.defineProperty(RedisClient.prototype, name.toUpperCase(),
    { value, writable: true, configurable: true })
}
addPubSub(RedisClient.prototype)

const ONE_SERVER = Object.freeze({ topology: undefined, Bridge })

/** Stands in for the bridge of a client that is closed. */
const CLOSED = {
  upcoming: 0,
  send: () => refuse(),
  sendLarge: () => refuse(),
  sendBlocking: () => refuse(),
  acquireNow: () => null,
  acquire: () => refuse(),
  sessions: { running: 0 },
  drained () {},
  reference () {},
  idle: () => Promise.resolve(),
  stats: () => null,
  close () {}
}

function refuse () {
  return Promise.reject(new ClientClosedError('the client is closed', { applied: 'no' }))
}

/** A command that ends may be tried again at once: a script that the server does not know. */
async function drained (bridge) {
  do {
    await bridge.idle()
  } while (!bridge.isIdle)
}

async function withinGrace (idle) {
  let timer
  const grace = new Promise(resolve => { timer = setTimeout(resolve, CLOSE_GRACE) })
  await Promise.race([idle, grace])
  clearTimeout(timer)
}

/** How long (ms) `close()` waits for commands under way: as long as the default deadline. */
const CLOSE_GRACE = 5000

const PING = '*1\r\n$4\r\nPING\r\n'
const PING_ROW = { command: 'PING', reply: undefined }

const NO_TIMES = { p50: 0, p99: 0, p999: 0 }
/** The statistics of a client that has not started, or has ended. */
const IDLE_STATS = Object.freeze({
  pool: { total: 0, idle: 0, inUse: 0, waiting: 0, max: 0, acquire: NO_TIMES },
  lanes: [],
  pubsub: { subscriptions: 0, received: 0, dropped: 0, queuedBytes: 0 },
  commands: 0,
  errors: 0,
  timeouts: 0,
  retries: 0,
  redirects: 0,
  connects: 0,
  connectFailures: 0,
  reconnects: 0,
  lateReplies: 0,
  pushesIgnored: 0,
  bytesIn: 0,
  bytesOut: 0,
  latency: NO_TIMES
})

module.exports = { RedisClient }
