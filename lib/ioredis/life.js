'use strict'

/*
 * The life of an instance: its status, its connections one after the other, and its events.
 *
 *   wait -> connecting -> connect -> ready -> close -> reconnecting -> connecting ... -> end
 *
 * `status` changes at once, and the event of that name follows by `nextTick`. Each connection is a
 * link of its own. Invariant: an event of a link that is not the present one changes nothing.
 */

const { Bridge } = require('../boundary/bridge')
const { PING } = require('../boundary/internal-commands')
const { clearTimeout, nextTick, setImmediate, setTimeout } = require('../timers')
const {
  CONNECTION_CLOSED_ERROR_MSG, MaxRetriesPerRequestError, ReplyError, closed, ofConnecting, ofLosing
} = require('./errors')
const { Link } = require('./link')
const { LIMITS, POOL_OF_ONE, connectionOptions } = require('./options')
const { answerIdentity, answerLookup } = require('../client/socket-answers')
const { Sentinels } = require('./sentinel')
const { CLOSED } = require('./traffic')

class Life {
  /** @param {import('./redis').Redis} redis */
  constructor (redis) {
    this.redis = redis
    /** The present link, also while it is being made. */
    this.link = null
    /** Who waits in `connect()`: `{ resolve, reject }`. */
    this.waiting = null
    this.loadingTimer = null
    /** Where the sentinels have found the server; null where none are asked. */
    this.endpoint = null
    this.sentinels = null
    this.isFinding = false
  }

  /** Makes a connection. Resolves at ready, rejects at the first close. */
  connect () {
    const { redis } = this
    const { options } = redis
    if (BUSY.has(redis.status)) {
      return Promise.reject(new Error('Redis is already connecting/connected'))
    }
    this.forgetRetry()
    redis.manuallyClosing = false
    redis.connectionEpoch++
    this.setStatus('connecting')
    const select = redis.condition?.select ?? options.db
    redis.condition = conditionOf(options, select)
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      this.open(select)
    })
  }

  open (select) {
    const { options } = this.redis
    if (options.sentinels) return this.find(select)
    this.begin(select)
  }

  begin (select) {
    const link = this.makeLink(select, 'once', this.redis.options.connectionName)
    this.link = link
    this.check(link)
  }

  /** Asks the sentinels where the server is, and connects there. */
  async find (select) {
    const { redis } = this
    const epoch = redis.connectionEpoch
    const isWanted = () => redis.connectionEpoch === epoch && this.isFinding
    this.isFinding = true
    this.sentinels ??= new Sentinels(redis.options, error => redis.silentEmit('error', error))
    let address
    try {
      address = await this.sentinels.find(isWanted)
    } catch (error) {
      if (!isWanted()) return
      this.isFinding = false
      redis._traffic.flush(error, null)
      redis.silentEmit('error', error)
      this.settle(error)
      return this.end()
    }
    if (address === null || !isWanted()) return
    this.isFinding = false
    const { tls, enableTLSForSentinelMode } = redis.options
    this.endpoint = { ...address, path: undefined, tls: enableTLSForSentinelMode ? tls : undefined }
    this.begin(select)
  }

  /** The options of the instance, with the address that the sentinels have named. */
  get options () {
    const { options } = this.redis
    return this.endpoint === null ? options : { ...options, ...this.endpoint }
  }

  /** Whether the server has the role that the instance wants of those that sentinels watch. */
  hasRole ({ role }) {
    const { sentinels, role: wanted } = this.redis.options
    return !sentinels || role === undefined || role === wanted
  }

  /** A second connection of the same state, whose loss is that of the first one. */
  openSide () {
    const { redis, link: main } = this
    // Without its name: those who list clients by names would take it for another instance.
    const side = this.makeLink(redis.condition.select, 'once', undefined, error => {
      if (this.link === main) this.giveUp(main, error)
    })
    return side
  }

  /** What messages come over: it connects when something is subscribed to, and again by itself. */
  openSubscriber () {
    const { condition } = this.redis
    const state = { select: condition.select, reconnect: 'backoff', name: undefined }
    const { core, parsed } = connectionOptions(this.options, state)
    const bridge = new Bridge(core, LIMITS, POOL_OF_ONE, (event, first, second, third, fourth) => {
      if (event === 'askIdentity') answerIdentity(bridge.core, first, parsed, third, fourth)
      if (event === 'askLookup') answerLookup(bridge.core, first, parsed, third, fourth)
    })
    return bridge
  }

  makeLink (select, reconnect, name, onLoss) {
    const state = { select, reconnect, name: name ?? undefined }
    const { core, parsed } = connectionOptions(this.options, state)
    const link = new Link(core, (event, first, second, third, fourth) => {
      switch (event) {
        case 'askIdentity':
          return answerIdentity(link.core, first, parsed, third, fourth)
        case 'askLookup':
          return answerLookup(link.core, first, parsed, third, fourth)
        case 'ready':
          return onLoss === undefined && this.link === link ? this.connected() : undefined
        case 'stopped':
          if (onLoss !== undefined) onLoss(first)
          else if (this.link === link) this.lost(first)
      }
    })
    return link
  }

  connected () {
    if (this.redis.status === 'connecting') this.setStatus('connect')
  }

  /** Asks the server whether it is ready; the first question makes the link connect. */
  check (link) {
    const { enableReadyCheck } = this.redis.options
    link.ask(enableReadyCheck ? INFO.text : PING.text, INFO.row)
      .then(reply => this.checked(link, reply), error => this.unchecked(link, error))
  }

  checked (link, reply) {
    if (this.link !== link) return
    this.connected()
    const { enableReadyCheck, maxLoadingRetryTime } = this.redis.options
    const info = enableReadyCheck && typeof reply === 'string' ? fieldsOf(reply) : {}
    if (!this.hasRole(info)) return this.redis.disconnect(true)
    if (!info.loading || info.loading === '0') return this.ready(link)
    const eta = (Number(info.loading_eta_seconds) || 1) * 1000
    const delay = maxLoadingRetryTime && maxLoadingRetryTime < eta ? maxLoadingRetryTime : eta
    this.loadingTimer = setTimeout(() => { if (this.link === link) this.check(link) }, delay)
  }

  unchecked (link, error) {
    if (this.link !== link) return
    if (!(error instanceof ReplyError)) return this.lost(error)
    this.connected()
    if (error.message.includes('NOPERM')) {
      console.warn('Skipping the ready check because INFO command fails: ' +
        `"${error.message}". You can disable ready check with "enableReadyCheck".`)
      return this.ready(link)
    }
    this.fatal(error, 'info', [])
  }

  ready (link) {
    const { redis } = this
    this.setStatus('ready')
    redis.retryAttempts = 0
    redis.stream.open()
    this.settle()
    redis._traffic.open(link)
    redis._pubsub.ready()
  }

  settle (error) {
    const { waiting } = this
    this.waiting = null
    if (waiting === null) return
    if (error === undefined) waiting.resolve()
    else waiting.reject(error)
  }

  /** The present link has ended by itself, or could not be made. */
  lost (error) {
    const { redis, link } = this
    const isNew = redis.status === 'connecting'
    if (isNew) {
      const reason = ofConnecting(error, this.options)
      if (reason instanceof ReplyError) {
        const name = redis.options.protocol === 3 ? 'hello' : 'auth'
        this.connected()
        // Behind the event of the status.
        return nextTick(() => { if (this.link === link) this.fatal(reason, name, []) })
      }
      redis.silentEmit('error', reason)
    } else {
      const reason = ofLosing(error)
      if (reason !== null) redis.silentEmit('error', reason)
    }
    // A listener may have closed it meanwhile.
    if (this.link === link) this.close(link)
  }

  /** The server refuses what the instance begins with: that is told to all who wait. */
  fatal (error, name, args) {
    const { redis, link } = this
    error.command = { name, args }
    redis._traffic.flush(error, link)
    redis.silentEmit('error', error)
    redis.disconnect(true)
  }

  /** Closes `link`, which is of no use any more, and makes another one. */
  giveUp (link, error) {
    if (link === null || this.link !== link) return
    this.lost(error)
  }

  /** Closes the present link by hand; another one follows if `isReconnecting`. */
  disconnect (isReconnecting) {
    const { redis, link } = this
    if (!isReconnecting && redis.status !== 'end') redis.manuallyClosing = true
    if (redis.reconnectTimeout !== null && !isReconnecting) {
      this.forgetRetry()
      return this.end()
    }
    if (redis.status === 'wait') return this.closed()
    if (this.isFinding) {
      this.isFinding = false
      this.sentinels.stop()
      return setImmediate(() => this.closed())
    }
    if (link === null) return
    if (!isReconnecting && link.ending === null) link.ending = CLOSED
    this.link = null
    redis._traffic.lost()
    redis.stream.close()
    link.close()
    setImmediate(() => this.closed())
  }

  close (link) {
    this.link = null
    this.redis._traffic.lost()
    this.redis.stream.close()
    link.close()
    this.closed()
  }

  /** There is no connection any more: is there to be another one? */
  closed () {
    const { redis } = this
    const { retryStrategy, maxRetriesPerRequest: most, autoResubscribe } = redis.options
    clearTimeout(this.loadingTimer)
    this.setStatus('close')
    this.settle(new Error(CONNECTION_CLOSED_ERROR_MSG))
    if (autoResubscribe === false) redis._pubsub.forget()
    if (redis.manuallyClosing) {
      redis.manuallyClosing = false
      return this.end()
    }
    if (typeof retryStrategy !== 'function') return this.end()
    const delay = retryStrategy(++redis.retryAttempts)
    if (typeof delay !== 'number') return this.end()
    this.setStatus('reconnecting', delay)
    redis.reconnectTimeout = setTimeout(() => {
      redis.reconnectTimeout = null
      redis.connect().catch(() => {})
    }, delay)
    const isOver = typeof most === 'number' && most >= 0 && redis.retryAttempts % (most + 1) === 0
    if (isOver) redis._traffic.flush(new MaxRetriesPerRequestError(most), null)
  }

  end () {
    const { redis } = this
    redis.manuallyClosing = false
    this.setStatus('end')
    redis._pubsub.end()
    redis._traffic.flush(closed('no'), null)
  }

  forgetRetry () {
    const { redis } = this
    if (redis.reconnectTimeout === null) return
    clearTimeout(redis.reconnectTimeout)
    redis.reconnectTimeout = null
  }

  setStatus (status, detail) {
    const { redis } = this
    redis.status = status
    nextTick(() => redis.emit(status, detail))
  }

  /** An error reply: `reconnectOnError` says whether the connection is to blame. */
  judge (error, command) {
    const { redis } = this
    const { reconnectOnError } = redis.options
    const isAsked = typeof reconnectOnError === 'function' && command.facts.lower !== 'client'
    let verdict
    try {
      verdict = isAsked ? reconnectOnError(error) : false
    } catch (thrown) {
      command.fail(error)
      throw thrown
    }
    if (verdict !== true && verdict !== 1 && verdict !== 2) return command.fail(error)
    if (verdict !== 2) command.fail(error)
    if (redis.status !== 'reconnecting') redis.disconnect(true)
    if (verdict === 2) redis._traffic.again(command)
  }
}

/** What ioredis calls the condition of a connection; libraries look into it. */
function conditionOf ({ username, password, protocol, replyMapping }, select) {
  return {
    select,
    auth: username ? [username, password] : password,
    subscriber: false,
    protocol,
    replyMapping: protocol === 3 && replyMapping === 'resp3' ? 'resp3' : 'legacy',
    handshake: false
  }
}

function fieldsOf (text) {
  const lines = text.split('\r\n').map(line => line.split(/:(.*)/s))
  return Object.fromEntries(lines.filter(([, value]) => value))
}

const BUSY = new Set(['connecting', 'connect', 'ready'])
const INFO = { text: '*1\r\n$4\r\nINFO\r\n', row: { command: 'INFO', reply: undefined } }

module.exports = { Life }
