'use strict'

/*
 * The client that users hold: state, events and life cycle around a bridge.
 *
 * A view (`withTypeMapping` ...) is an object whose prototype is its client. It shares everything
 * with the client but has its own command options.
 *
 * Invariant: after `close` or `destroy` the bridge is one that refuses every command, so methods
 * need not ask whether the client is closed.
 */

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

const { databaseOf, named } = require('../arguments')
const { Bridge } = require('../boundary/bridge')
const { encodedSelect } = require('../boundary/internal-commands')
const { ClosedBridge } = require('../boundary/sender')
const { connectChannel } = require('../channels')
const table = require('../commands')
const { DisconnectsClientError, ReconnectStrategyError } = require('../errors')
const { settleWith } = require('../methods/callback')
const { defineMethod } = require('../methods/define')
const { send } = require('../methods/dispatch')
const { addCommands } = require('../methods/from-rows')
const { addLate } = require('../methods/late')
const { addModules } = require('../methods/namespaces')
const { LASTS } = require('../mode')
const { Connections } = require('../observability/connections')
const { Identity } = require('../observability/identity')
const { coreOptions, parseOptions } = require('../options/client')
const { shownOptions } = require('../options/shown')
const { overridden, refusing } = require('../options/url')
const { clearTimeout, nextTick, setTimeout } = require('../timers')
const { Answers } = require('./answers')
const { addMulti } = require('./chains')
const { Connecting, boundOf, ofSeveral } = require('./connecting')
const { IDLE_STATS } = require('./idle-stats')
const { addIterators } = require('./iterators')
const { addPubSub } = require('./pubsub')
const { addRefusals } = require('./refusals')
const { addStanding } = require('./standing')
const { answerIdentity, answerLookup } = require('./socket-answers')
const { addViews } = require('./views')

/** A client of one Redis or Valkey server. Made by `createClient`. */
class RedisClient extends EventEmitter {
  #given
  #options
  #shown = null
  #kind
  #answers
  /** How the client uses its cache; null if it has none. */
  #cacheUse = null
  #identity
  #connections

  /**
   * @param {object | string} [given] options
   * @param {{ topology?: object, Bridge: typeof Bridge, given?: object, addressMap?: Function,
   *   others?: object[] }} [kind] for a client of several nodes: what the native core has to know
   *   of them, the class of its bridge, the options that the application has given,
   *   `nodeAddressMap` if it is a function, and parsed options of servers that are no nodes
   */
  constructor (given, kind = ONE_SERVER) {
    super()
    this.#kind = kind
    this.#given = kind.given ?? given
    this.#options = parseOptions(given)
    this._self = this
    this.#identity = new Identity(this.#options, kind.topology, this)
    this.#connections = new Connections(this.#identity)
    this.#answers = new Answers(this.#options, kind.addressMap,
      error => this._onEvent('error', error, null),
      ({ username, password }) => this._bridge.core?.logIn(username, password))
    this._command = this.#options.command
    this._keyPrefix = this.#options.keyPrefix
    this._database = this.#options.database
    /** Why the connection cannot be changed by commands; null if it can. */
    this._fixed = fixedBy(this.#options, kind)
    this._isWatching = false
    this._dirtyWatch = undefined
    this._isWanted = false
    this._closed = null
    this._ending = null
    this._connecting = null
    /** The methods that the application defines, as `compile` of scripts.js makes them. */
    this._scripts = NO_SCRIPTS
    /** The class of sessions; null for the one of all clients without such methods. */
    this._Session = null
    // Loaded here, since most programs define none.
    if (definesMethods(this.#options)) require('./scripts').defineMethods(this, this.#options)
    if (this.#options.clientSideCache !== undefined) {
      // Loaded here, since most programs have no cache.
      const { CacheUse } = require('./caching')
      this.#cacheUse = new CacheUse(this, this.#options, kind)
    }
    this._bridge = this.#bridge()
  }

  #bridge () {
    const options = this.#options
    const limits = { maxCommands: options.commandsQueueMaxLength, maxBytes: options.maxQueuedBytes }
    const listener = (name, ...details) => {
      if (name === 'error') this.#answers.failed(details[0])
      if (this._bridge === bridge) this.#hear(name, details)
    }
    const Class = this.#cacheUse === null ? this.#kind.Bridge : this.#cacheUse.Bridge
    const bridge = refusing(() =>
      new Class({ ...coreOptions(options), topology: this.#kind.topology }, limits, options.pool,
        listener, this.#identity))
    if (this.#cacheUse !== null) this.#cacheUse.begin(bridge)
    return bridge
  }

  /** Whether the client is in use: from `connect()` or the first command to `close()`. */
  get isOpen () {
    const bridge = this._bridge
    return !bridge.isClosed && (this._self._isWanted || bridge.isUsed)
  }

  /** Whether a connection stands, so that commands are written at once. */
  get isReady () {
    return this._bridge.isConnected
  }

  /**
   * Connects, and resolves to this client once the connection stands. The first command connects as
   * well, so this is for those who want to know early whether it works.
   *
   * Goes on as long as `socket.reconnectStrategy` says. Rejects at once if the options can never
   * work (a wrong password, a refused certificate), and if an attempt fails while nobody listens
   * to `error` and no `timeout` is given, so that nobody waits without hearing why. May be called
   * again, also after `close()`.
   * @param {{ timeout?: number }} [options] `timeout`: rejects after so many ms, with the step that
   *   it was stuck at; attempts go on in the background until `close()`
   */
  async connect (options) {
    const timeout = boundOf(options)
    const self = this._self
    if (self._bridge.isClosed) {
      await self._closed
      // Another call of connect() may have come first.
      if (self._bridge.isClosed) self.#reopen()
    }
    self._isWanted = true
    await self.#connect(timeout)
    return this
  }

  /** Joins the call of `connect()` that is under way, or begins one. */
  async #connect (timeout) {
    const isOfSeveral = this.#kind.topology !== undefined
    const { connectTimeout, host, port, path } = this.#options.socket
    const deadline = isOfSeveral ? timeout ?? connectTimeout : 0
    const isFirst = this._connecting === null && !this._bridge.isConnected
    const connecting = this._connecting ??= new Connecting(this._bridge, deadline)
    connecting.callers++
    connecting.isBounded ||= timeout !== undefined
    try {
      const run = () => connecting.within(isOfSeveral ? undefined : timeout)
      if (isFirst && connectChannel.hasSubscribers) await this.#traced(run)
      else await run()
    } catch (error) {
      throw isOfSeveral ? ofSeveral(error, path ?? `${host}:${port}`, deadline) : error
    } finally {
      connecting.callers--
      if (connecting.callers === 0) {
        if (this._connecting === connecting) this._connecting = null
        connecting.close()
      }
    }
  }

  /** Tells of a call of `connect()`, whose attempt was just begun. */
  #traced (run) {
    const { clientId } = this.#identity
    return connectChannel.trace({ ...this.#identity.server(), clientId }, run)
  }

  /** The server at a place; undefined if it is the one of the options. */
  _serverAt () {
    return undefined
  }

  #reopen () {
    this._bridge = this.#bridge()
    // A new core begins as the options say.
    this._forgetChanges()
    this._closed = null
  }

  /**
   * Takes no more commands, waits for those under way (at most 5 s), and closes all connections.
   * A second call waits for the first.
   */
  close () {
    const self = this._self
    self._closed ??= self.#close()
    return self._closed
  }

  /** @param {Error} [reason] why the client has ended, if nobody has closed it */
  async #close (reason) {
    const bridge = this._bridge
    this._ending = bridge
    this._bridge = new ClosedBridge(this.#identity, reason)
    this._connecting?.close()
    await withinGrace(drained(bridge))
    this._end(bridge)
  }

  /** Ends all commands with `ClientClosedError` and closes all connections at once. */
  destroy () {
    const self = this._self
    const bridge = self._bridge
    if (bridge.isClosed) {
      // Cuts a close() that is under way short: the commands that it waits for end now.
      self._ending?.close()
      return
    }
    self._bridge = new ClosedBridge(self.#identity)
    self._closed = Promise.resolve()
    self._connecting?.close(DisconnectsClientError)
    self._end(bridge)
  }

  /**
   * The sender for the second try of a command that went over `bridge`. A client that is closing
   * waits for what it has begun, so there it is the bridge that is being closed.
   */
  _senderAfter (bridge) {
    return this._self._ending === bridge && !bridge.isClosed ? bridge : this._bridge
  }

  _end (bridge) {
    this.#connections.ended(this._isWanted || bridge.isUsed)
    bridge.close()
    this.#answers.end()
    this._isWanted = false
    this._connecting = null
    nextTick(() => this.emit('end'))
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
   * A new client with the options of this client or view, changed by `overrides`. It has
   * connections of its own, unless `overrides` has the option `shared`.
   */
  duplicate (overrides) {
    return new this._self.constructor(overridden(this._self.#base(this), overrides))
  }

  /** A pool with this client's options: see `createClientPool`. */
  createPool (poolOptions) {
    // Loaded here, because the module of pools needs this one first.
    const { RedisClientPool, pooledOptions } = require('./pool')
    return new RedisClientPool(pooledOptions(this._self.#base(this), poolOptions))
  }

  /**
   * The options that the application has given, with what its URL says, as in node-redis: `socket`,
   * `username`, `password`, `database`. An object of the client's own; changing it changes nothing.
   */
  get options () {
    const self = this._self
    self.#shown ??= shownOptions(self.#given)
    return self.#shown
  }

  /** The options that the application has given, with the command options of `view`. */
  #base (view) {
    const given = this.#given
    const base = typeof given === 'string' ? { url: given } : { ...given, shared: undefined }
    if (view === this) return base
    const { timeout, typeMapping, signal: abortSignal, cache } = view._command
    return { ...base, commandOptions: { timeout, typeMapping, abortSignal, cache } }
  }

  /**
   * Calls `run` with a session: a connection that nobody else uses. It begins once everything that
   * was sent before is answered. Afterwards the connection is cleaned and given back, whatever has
   * happened. Resolves to what `run` returns.
   * @param {(session: RedisSession) => unknown} run
   */
  session (run) {
    return this._inSession(run)
  }

  /** `session` on the node that has `slot`, where there are several nodes. */
  async _inSession (run, slot) {
    if (typeof run !== 'function') throw new TypeError('session: argument "run" must be a function')
    const { _bridge: bridge } = this
    // Counted from now on, because close() waits for functions that were called before it.
    bridge.sessions.running++
    try {
      const own = bridge.acquireNow(slot) ?? await bridge.acquire(undefined, slot)
      const session = sessionsOf().makeSessionOf(run, this, bridge.sessions, own)
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
   * Resolves to a session, which has to be released: by `session.release()`, or at the end of a
   * block with `await using session = await client.acquire()`.
   */
  acquire () {
    return this._acquire()
  }

  /** `acquire` on the node that has `slot`, where there are several nodes. */
  async _acquire (slot) {
    const { _bridge: bridge } = this
    // For the leak warning. The caller's stack is lost after the first await.
    const origin = {}
    Error.captureStackTrace(origin, this.acquire)
    const own = await bridge.acquire(undefined, slot)
    own.origin = origin
    return sessionsOf().makeSession(this, bridge.sessions, own)
  }

  /**
   * Selects `database` for all later commands, also after a reconnect, and for sessions that are
   * acquired later.
   */
  select (database, done) {
    return settleWith(this._self.#select(database, this._command.timeout), done)
  }

  async #select (database, timeout) {
    try {
      database = databaseOf(database)
    } catch (error) {
      throw named('select', error)
    }
    if (this._fixed !== null) {
      throw new TypeError(`select: ${this._fixed}: use the option database, or session.select()`)
    }
    const { _bridge: bridge, _database: before } = this
    // Done before the caller hears of the reply, because it may ask for a session at once.
    const reply = value => {
      bridge.sessions.outdate()
      return value
    }
    try {
      const row = { command: 'SELECT', reply }
      const text = encodedSelect(database)
      const sent = send(bridge, { timeout }, null, text, LASTS, row, undefined)
      // Set now, because whatever is sent after the SELECT runs in the new database.
      this._database = database
      return await sent
    } catch (error) {
      if (this._database === database) this._database = before
      throw error
    }
  }

  /** The cache of the option `clientSideCache`; undefined without it. */
  get clientSideCache () {
    return this._self.#cacheUse?.cache
  }

  /** How many replies its cache has; undefined without a cache. */
  get _cachedItems () {
    return this._bridge.table?.size
  }

  /** Whether the database is another one than that of the options. */
  get _isMoved () {
    return this._database !== this.#options.database
  }

  /** What commands have changed is over: connections begin as the options say. */
  _forgetChanges () {
    this._database = this.#options.database
    this._isWatching = false
    this._dirtyWatch = undefined
  }

  /** The interface of node-redis 3: callbacks as last arguments, replies as they were sent. */
  legacy () {
    // Loaded when it is used: it makes a method of each command, which most programs do not need.
    const { RedisLegacyClient } = require('./legacy')
    return new RedisLegacyClient(this)
  }

  /**
   * Statistics: pool, lanes, counters, latency percentiles in ms. A shared client counts what all
   * its threads do, except for `pubsub`, which counts this thread only.
   */
  stats () {
    return this._bridge.stats() ?? IDLE_STATS
  }

  /**
   * Tells the listeners of an event. What a listener of `error` throws while `connect()` is under
   * way rejects that, and closes the client: it would otherwise end the process.
   */
  #hear (name, details) {
    this.#watch(name, details)
    const connecting = this._connecting
    if (name !== 'error' || connecting === null) return this._onEvent(name, ...details)
    try {
      this._onEvent(name, ...details)
    } catch (error) {
      connecting.fail(error)
      this.destroy()
    }
  }

  /** Tells those who watch of connections and errors. */
  #watch (name, [first, second]) {
    if (name === 'ready') this.#connections.ready(first, second)
    else if (name === 'lost') this.#connections.lost(first)
    else if (name === 'error') this.#connections.failed(first)
    else if (name === 'stopped') this.#connections.stopped()
  }

  _onEvent (name, first, second, third, fourth) {
    switch (name) {
      case 'ready':
        this.emit('connect')
        return this.emit('ready')
      case 'error':
        if (this.listenerCount('error') > 0) return this.emit('error', first)
        // Node would throw, which would end the process. Who waits in connect() is told.
        if (this.#kind.topology === undefined && this._connecting?.isBounded === false) {
          this._connecting.fail(first)
        }
        return false
      case 'reconnecting':
        return this.emit('reconnecting', { retries: first })
      case 'stopped':
        this._connecting?.fail(first)
        if (first instanceof ReconnectStrategyError) this._onEvent('error', first, null)
        // Not destroy(): commands under way are to end with the reason, which may come later.
        this._closed ??= this.#close(first)
        return this._closed
      case 'pinged':
        return this.emit('ping-interval', 'PONG')
      case 'askDelay':
        // The core that asks: the strategy may destroy the client and so replace the bridge.
        return this.#answers.delay(this._bridge.core, first, second, third)
      case 'askCredentials':
        return this.#answers.credentials(this._bridge.core, first)
      case 'askAddress':
        return this.#answers.address(this._bridge.core, first, second)
      case 'askIdentity':
        return answerIdentity(this._bridge.core, first, this.#asked(second), third, fourth)
      case 'askLookup':
        return answerLookup(this._bridge.core, first, this.#asked(second), third, fourth)
      case 'resubscribed':
        return this.emit('resubscribed',
          { channels: first, patterns: second, shardChannels: third, lostMs: fourth })
    }
  }

  /** The options whose functions the native side asks by this number. */
  #asked (number) {
    return number === 0 ? this.#options : this.#kind.others[number - 1]
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

// Listeners belong to the client, also those that are added through a view.
for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off',
  'removeListener', 'removeAllListeners', 'emit', 'setMaxListeners']) {
  const method = EventEmitter.prototype[name]
  defineMethod(RedisClient.prototype, name, function (...args) {
    const result = method.apply(this._self, args)
    return result === this._self ? this : result
  })
}

/**
 * Gives `target`, an object in front of this class's prototype, the methods that read from a cache.
 * @param {object} target
 * @param {{ addCaching: Function, addReadingCommands: Function }} by the first adds what reads from
 *   caches only, the second all methods
 */
defineMethod(RedisClient.prototype, '_addCaching', (target, { addCaching, addReadingCommands }) => {
  addCaching(target, table.commands)
  addModules(target, addReadingCommands)
})

addLate(RedisClient.prototype, addCommands)
addModules(RedisClient.prototype)
addIterators(RedisClient.prototype)
addMulti(RedisClient.prototype)
addViews(RedisClient.prototype)
for (const name of ['quit', 'select']) {
  defineMethod(RedisClient.prototype, name.toUpperCase(), RedisClient.prototype[name])
}
addPubSub(RedisClient.prototype)
addStanding(RedisClient.prototype)
addRefusals(RedisClient.prototype)

const NO_SCRIPTS = Object.freeze([])

function definesMethods ({ scripts, functions, modules }) {
  return scripts !== undefined || functions !== undefined || modules !== undefined
}

/** What makes sessions. Many programs have none. */
function sessionsOf () {
  sessionsModule ??= require('./session')
  return sessionsModule
}

let sessionsModule

const ONE_SERVER = Object.freeze({ topology: undefined, Bridge })

/** Why the connection of a client with these options cannot be changed; null if it can. */
function fixedBy ({ shared, lanes }, { topology }) {
  if (topology !== undefined) return 'this client has connections to several nodes'
  if (shared !== undefined) return 'the connection of this client is shared with other threads'
  return lanes > 1 ? `this client has ${lanes} lanes, whose commands keep no order` : null
}

/**
 * Resolves once `bridge` is idle, and stays so: a command that has ended may be tried again at
 * once, as a script is that the server does not know.
 */
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

module.exports = { RedisClient }
