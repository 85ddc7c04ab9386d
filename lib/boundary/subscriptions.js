'use strict'

/*
 * What a client listens to.
 *
 * Owns the listeners of each channel, pattern and shard channel, and of MONITOR. Owns the tokens
 * that messages carry instead of names, and the promises of requests to the server. All listeners
 * of a name share one subscription on the server. The native side knows which names are wanted, and
 * subscribes to them again after a loss of the connection.
 *
 * Invariant: a listener is called only for messages that came between its subscribing and its
 * unsubscribing. What it throws reaches neither another listener nor the native side.
 */

const { constants: { MAX_STRING_LENGTH } } = require('node:buffer')

const { pubSubChannel } = require('../channels')
const { nextTick } = require('../timers')
const { Ids } = require('./ids')

/** The topics, which are kinds of subscriptions. `src/pubsub/topic.rs` has the same numbers. */
const CHANNELS = 0
const PATTERNS = 1
const SHARD_CHANNELS = 2
const MONITOR = 3

/** By topic: the command that an error names. */
const SUBSCRIBE = ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR']
const UNSUBSCRIBE = SUBSCRIBE.map(name => name.replace('SUB', 'UNSUB'))

/** The lowest bits of a token: listeners want Buffers; messages name their channel. */
const BUFFERS = 1
const NAMED = 2
const BITS = 2

/** What stands in the place of Maps until there is something to put into them. */
const NOTHING = new Map()
const NO_TOPICS = Object.freeze(SUBSCRIBE.map(() => NOTHING))

class Subscriptions {
  /** @param {import('./bridge').Bridge} bridge */
  constructor (bridge) {
    this.bridge = bridge
    /** By topic: name (a char for each byte) -> subscription. */
    this.topics = NO_TOPICS
    /** The upper bits of its token -> subscription. */
    this.byId = NOTHING
    this.nextId = 0
    /** Ticket -> the promise of a request that the server has not confirmed yet. */
    this.tickets = NOTHING
    this.ticketIds = new Ids(1, MOST_TICKETS, () => this.tickets.keys())
    this.isUsed = false
  }

  /** Whether anything is subscribed to, or about to be. */
  get isActive () {
    return this.byId.size > 0 || this.tickets.size > 0
  }

  /** Whether channels, patterns or shard channels are subscribed to. */
  get isPubSubActive () {
    return this.byId.size > this.topics[MONITOR].size
  }

  /** The listeners of a topic: a Map of names to `{ buffers, strings }`, copies of its own. */
  listenersOf (topic) {
    const all = [...this.topics[topic].values()].filter(({ isHeard }) => isHeard)
    return new Map(all.map(({ text, buffers, strings }) =>
      [text, { buffers: new Set(buffers.keys()), strings: new Set(strings.keys()) }]))
  }

  /** Requests that have not ended. */
  get pending () {
    return this.tickets.size
  }

  /**
   * Adds `listener` to each of `names`. Resolves when the server has confirmed those that are new.
   * A failure takes the listener away again.
   * @param {number} topic
   * @param {(string | Buffer)[]} names
   * @param {Function} listener
   * @param {boolean} isBuffer whether it wants Buffers
   * @param {number} timeout in ms; 0 for none
   */
  subscribe (topic, names, listener, isBuffer, timeout) {
    this.isUsed = true
    const chosen = [...new Set(names.map(name => this.subscription(topic, name)))]
    for (const subscription of chosen) subscription.hold(listener, isBuffer)
    const promise = this.want(topic, chosen, timeout)
    this.bridge.keepAlive.stay()
    return promise.then(() => {
      for (const subscription of chosen) subscription.keep(listener, isBuffer)
    }, error => {
      this.take(topic, chosen, subscription => subscription.release(listener, isBuffer))
      throw error
    })
  }

  /**
   * Takes listeners of `names` away: all of them, or only `listener`. Without `names` it takes
   * those of the whole topic. They are not called again. Resolves when the server has confirmed the
   * end of each subscription that has no listener left.
   */
  unsubscribe (topic, names, listener, isBuffer, timeout) {
    const all = this.topics[topic]
    const chosen = names === undefined
      ? [...all.values()]
      : [...new Set(names.map(keyOf))].map(key => all.get(key)).filter(Boolean)
    const remove = listener === undefined
      ? subscription => subscription.clear()
      : subscription => subscription.listeners(isBuffer).delete(listener)
    return this.take(topic, chosen, remove, timeout)
  }

  /** Forgets all listeners: the client is closed. */
  clear () {
    for (const subscription of this.byId.values()) subscription.clear()
    this.topics = NO_TOPICS
    this.byId = NOTHING
  }

  /** Most clients listen to nothing, and the Maps of a listener take a kilobyte. */
  begin () {
    if (this.topics !== NO_TOPICS) return
    this.topics = NO_TOPICS.map(() => new Map())
    this.byId = new Map()
  }

  subscription (topic, name) {
    this.begin()
    const key = keyOf(name)
    let subscription = this.topics[topic].get(key)
    if (subscription === undefined) {
      // Ids repeat after 2^30 subscriptions, and one of the first may still be in use.
      do this.nextId = (this.nextId + 1) % (2 ** (32 - BITS)); while (this.byId.has(this.nextId))
      subscription = new Subscription(topic, name, key, this.nextId)
      this.topics[topic].set(key, subscription)
      this.byId.set(this.nextId, subscription)
    }
    return subscription
  }

  /** Tells the native side that `subscriptions` are wanted. They are new or have a new token. */
  want (topic, subscriptions, timeout) {
    const names = subscriptions.map(({ name }) => name)
    const tokens = Uint32Array.from(subscriptions, subscription => subscription.token())
    const { core } = this.bridge
    if (timeout === undefined) return core.subscribe(0, topic, names, tokens, 0)
    return this.request(SUBSCRIBE[topic], ticket =>
      core.subscribe(ticket, topic, names, tokens, timeout))
  }

  /**
   * Removes listeners of `subscriptions` by `remove`, and unsubscribes from what nobody listens to
   * any more. Without `timeout` (ms) the caller does not wait for the server.
   */
  take (topic, subscriptions, remove, timeout) {
    const unheard = []
    const changed = []
    for (const subscription of subscriptions) {
      const before = subscription.token()
      remove(subscription)
      // It may have been unsubscribed meanwhile, and its name may have a new subscription.
      if (this.byId.get(subscription.id) !== subscription) continue
      if (!subscription.isHeard) {
        unheard.push(subscription)
        this.byId.delete(subscription.id)
        this.topics[topic].delete(subscription.key)
      } else if (subscription.token() !== before) {
        changed.push(subscription)
      }
    }
    if (this.bridge.isClosed) return Promise.resolve()
    if (changed.length > 0) this.want(topic, changed)
    const names = unheard.map(({ name }) => name)
    if (names.length === 0) return Promise.resolve()
    const { core } = this.bridge
    if (timeout === undefined) {
      core.unsubscribe(0, topic, names, 0)
      // No answer is awaited, so nothing else would let the process end.
      return this.bridge.drained()
    }
    return this.request(UNSUBSCRIBE[topic], ticket =>
      core.unsubscribe(ticket, topic, names, timeout))
  }

  /** Calls `send` with a new ticket. Resolves or rejects when that ticket is settled. */
  request (command, send) {
    if (this.tickets === NOTHING) this.tickets = new Map()
    const ticket = this.ticketIds.take()
    return new Promise((resolve, reject) => {
      this.tickets.set(ticket, { command, resolve, reject })
      try {
        send(ticket)
      } catch (error) {
        this.tickets.delete(ticket)
        reject(error)
      }
    })
  }

  settle (ticket, error) {
    const promise = this.tickets.get(ticket)
    if (promise === undefined) return
    this.tickets.delete(ticket)
    if (error === null) return promise.resolve()
    error.command = promise.command
    promise.reject(error)
  }

  /**
   * Calls the listeners.
   * @param {unknown[]} values for each message its token, its channel if the token says so
   *   (`NAMED`), and its payload
   */
  dispatch (values) {
    const isHeard = pubSubChannel.hasSubscribers
    for (let i = 0; i < values.length;) {
      const token = values[i++]
      const channel = (token & NAMED) === 0 ? undefined : values[i++]
      const payload = values[i++]
      const subscription = this.byId.get(token >>> BITS)
      // The last listener was removed while the message was under way.
      if (subscription === undefined) continue
      if (isHeard) this.tell(subscription, channel)
      if ((token & BUFFERS) === 0) {
        call(subscription.strings, payload, channel ?? subscription.text)
      } else {
        call(subscription.buffers, payload, channel ?? Buffer.from(subscription.name))
        if (subscription.strings.size > 0) {
          call(subscription.strings, textOf(payload), channel?.toString() ?? subscription.text)
        }
      }
    }
  }

  /** Tells those who watch of one message. The lines of MONITOR are none. */
  tell ({ topic, text }, channel) {
    if (topic === MONITOR) return
    pubSubChannel.publish({
      direction: 'in',
      clientId: this.bridge.identity?.clientId,
      channel: channel?.toString() ?? text,
      sharded: topic === SHARD_CHANNELS
    })
  }
}

/** One name and its listeners. */
class Subscription {
  constructor (topic, name, key, id) {
    this.topic = topic
    this.key = key
    this.id = id
    this.name = Buffer.from(name)
    this.text = topic === MONITOR ? undefined : this.name.toString()
    this.isNamed = topic === PATTERNS
    /** Listener -> the number of requests under way that want it; Infinity once one succeeded. */
    this.strings = new Map()
    this.buffers = new Map()
  }

  get isHeard () {
    return this.strings.size > 0 || this.buffers.size > 0
  }

  listeners (isBuffer) {
    return isBuffer ? this.buffers : this.strings
  }

  /** A request wants the listener. */
  hold (listener, isBuffer) {
    const listeners = this.listeners(isBuffer)
    listeners.set(listener, (listeners.get(listener) ?? 0) + 1)
  }

  /** A request has succeeded: another one that fails does not take the listener away any more. */
  keep (listener, isBuffer) {
    const listeners = this.listeners(isBuffer)
    if (listeners.has(listener)) listeners.set(listener, Infinity)
  }

  /** A request has failed: the listener goes unless another request holds it. */
  release (listener, isBuffer) {
    const listeners = this.listeners(isBuffer)
    const holds = listeners.get(listener) - 1
    if (holds > 0) listeners.set(listener, holds)
    else listeners.delete(listener)
  }

  clear () {
    this.strings.clear()
    this.buffers.clear()
  }

  token () {
    const bits = (this.isNamed ? NAMED : 0) | (this.buffers.size > 0 ? BUFFERS : 0)
    return ((this.id << BITS) | bits) >>> 0
  }
}

function call (listeners, message, channel) {
  const isOne = listeners.size === 1
  // The list is copied: a listener that is added meanwhile waits for the next message.
  for (const listener of isOne ? listeners.keys() : [...listeners.keys()]) {
    // A listener before it may have removed it.
    if (!isOne && !listeners.has(listener)) continue
    try {
      listener(message, channel)
    } catch (error) {
      // It becomes an uncaught exception, as in an EventEmitter, once all listeners were called.
      nextTick(rethrow, error)
    }
    if (isOne) return
  }
}

/**
 * A payload without Buffers. It is a list or null where the server tells which keys have changed
 * (`__redis__:invalidate`). A Buffer that is too long for a string stays one.
 */
function textOf (payload) {
  if (Array.isArray(payload)) return payload.map(textOf)
  if (!Buffer.isBuffer(payload) || payload.length > MAX_STRING_LENGTH) return payload
  return payload.toString()
}

function rethrow (error) {
  throw error
}

/** The bytes of a name, a char for each: the same for a string and for a Buffer. */
function keyOf (name) {
  if (typeof name !== 'string') return Buffer.from(name).latin1Slice()
  return ASCII.test(name) ? name : Buffer.from(name).latin1Slice()
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/
/** Tickets are 1 to 2^31 - 2: 0 means that nobody waits, and from 2^31 on ids are of sessions. */
const MOST_TICKETS = 2 ** 31 - 2

module.exports = { CHANNELS, MONITOR, PATTERNS, SHARD_CHANNELS, Subscriptions }
