'use strict'

/*
 * What one client listens to, on its side of the native boundary.
 *
 * Owns the listeners of each channel, pattern and shard channel, and of MONITOR; the tokens that
 * messages carry instead of names; the promises of requests. All listeners of a name share one
 * subscription of the server. The native side knows what is wanted and keeps it so over any loss.
 *
 * Invariant: a listener is called only for what came between its subscribing and its
 * unsubscribing; what it throws reaches neither another listener nor the native side.
 */

/** Kinds of subscriptions: the numbers are those of `src/pubsub/topic.rs`. */
const CHANNELS = 0
const PATTERNS = 1
const SHARD_CHANNELS = 2
const MONITOR = 3

/** By topic: the commands, for errors. */
const SUBSCRIBE = ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR']
const UNSUBSCRIBE = SUBSCRIBE.map(name => name.replace('SUB', 'UNSUB'))

/** The lowest bits of a token: Buffers are wanted; a channel stands in front of the payload. */
const BUFFERS = 1
const NAMED = 2
const BITS = 2

class Subscriptions {
  /** @param {import('./bridge').Bridge} bridge */
  constructor (bridge) {
    this.bridge = bridge
    /** By topic: the subscriptions by name, as a binary string. */
    this.topics = [new Map(), new Map(), new Map(), new Map()]
    /** By the upper bits of their token. */
    this.byId = new Map()
    this.nextId = 0
    /** The promises of requests that the server has not confirmed yet. */
    this.tickets = new Map()
    this.nextTicket = 1
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
    if (this.bridge.isReferenced) this.bridge.keepAlive(true)
    return promise.then(() => {
      for (const subscription of chosen) subscription.keep(listener, isBuffer)
    }, error => {
      this.take(topic, chosen, subscription => subscription.release(listener, isBuffer))
      throw error
    })
  }

  /**
   * Takes listeners away: all of `names`, or only `listener`; without `names` all of the topic.
   * None of them is called again. Resolves when the server has confirmed what nobody listens to.
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

  /** Forgets all listeners, since nothing comes any more. */
  clear () {
    for (const subscription of this.byId.values()) subscription.clear()
    for (const topic of this.topics) topic.clear()
    this.byId.clear()
  }

  subscription (topic, name) {
    const key = keyOf(name)
    let subscription = this.topics[topic].get(key)
    if (subscription === undefined) {
      // Ids come round after 2^30 subscriptions; some of the first ones may still be there.
      do this.nextId = (this.nextId + 1) % (2 ** (32 - BITS)); while (this.byId.has(this.nextId))
      subscription = new Subscription(topic, name, key, this.nextId)
      this.topics[topic].set(key, subscription)
      this.byId.set(this.nextId, subscription)
    }
    return subscription
  }

  /** Tells the native side of `subscriptions`, which may be new or have a new token. */
  want (topic, subscriptions, timeout) {
    const names = subscriptions.map(({ name }) => name)
    const tokens = Uint32Array.from(subscriptions, subscription => subscription.token())
    const { core } = this.bridge
    if (timeout === undefined) return core.subscribe(0, topic, names, tokens, 0)
    return this.request(SUBSCRIBE[topic], ticket =>
      core.subscribe(ticket, topic, names, tokens, timeout))
  }

  /** Removes listeners of `subscriptions`. Without a timeout nobody waits for the outcome. */
  take (topic, subscriptions, remove, timeout) {
    const unheard = []
    const changed = []
    for (const subscription of subscriptions) {
      const before = subscription.token()
      remove(subscription)
      // One that was unsubscribed meanwhile may have a successor of the same name.
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
      // Nothing may come any more that would let the process end.
      return this.bridge.drained()
    }
    return this.request(UNSUBSCRIBE[topic], ticket =>
      core.unsubscribe(ticket, topic, names, timeout))
  }

  /** A promise for what `send` asks; its error will say which command it was. */
  request (command, send) {
    const ticket = this.nextTicket
    // 0 stands for none.
    this.nextTicket = (ticket % 0xffffffff) + 1
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

  /** Messages: a token and a payload each, in front of which a pattern has the channel. */
  dispatch (values) {
    for (let i = 0; i < values.length;) {
      const token = values[i++]
      const channel = (token & NAMED) === 0 ? undefined : values[i++]
      const payload = values[i++]
      const subscription = this.byId.get(token >>> BITS)
      // Nobody listens any more to what was under way.
      if (subscription === undefined) continue
      if ((token & BUFFERS) === 0) {
        call(subscription.strings, payload, channel ?? subscription.text)
      } else {
        call(subscription.buffers, payload, channel ?? Buffer.from(subscription.name))
        if (subscription.strings.size > 0) {
          call(subscription.strings, payload.toString(), channel?.toString() ?? subscription.text)
        }
      }
    }
  }
}

/** One name and its listeners. */
class Subscription {
  constructor (topic, name, key, id) {
    this.key = key
    this.id = id
    this.name = Buffer.from(name)
    this.text = topic === MONITOR ? undefined : this.name.toString()
    this.isNamed = topic === PATTERNS
    /** Listeners, with the number of requests under way that hold each; see `keep`. */
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

  /** A request has succeeded: others that fail do not take the listener away any more. */
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
  // One that a listener adds has to wait for the next message.
  for (const listener of isOne ? listeners.keys() : [...listeners.keys()]) {
    // Another listener may have taken it away just now.
    if (!isOne && !listeners.has(listener)) continue
    try {
      listener(message, channel)
    } catch (error) {
      // As uncaught as it would be in an EventEmitter, but after everybody has had the message.
      process.nextTick(rethrow, error)
    }
    if (isOne) return
  }
}

function rethrow (error) {
  throw error
}

/** One key for a name, whether it came as a string or as a Buffer: its bytes, a char each. */
function keyOf (name) {
  if (typeof name !== 'string') return Buffer.from(name).latin1Slice()
  return ASCII.test(name) ? name : Buffer.from(name).latin1Slice()
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/

module.exports = { CHANNELS, MONITOR, PATTERNS, SHARD_CHANNELS, Subscriptions }
