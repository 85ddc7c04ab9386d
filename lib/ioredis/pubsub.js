'use strict'

/*
 * Pub/Sub and MONITOR of one instance.
 *
 * Messages come over a connection of their own, which connects again by itself and subscribes to
 * what is wanted; its statistics say what was lost. The numbers that subscriptions resolve to are
 * counted here, as the server counts them for one connection.
 *
 * Invariant: one listener of the instance for each name, whatever listens to its events.
 */

const { CHANNELS, MONITOR, PATTERNS, SHARD_CHANNELS } = require('../boundary/subscriptions')
const { ReplyError, closed, replyBehind } = require('./errors')
const facts = require('./facts')

/** The topic of a command by its first letter: PSUBSCRIBE, SSUBSCRIBE, SUBSCRIBE. */
const TOPICS = [
  { topic: CHANNELS, names: /^(?:un)?subscribe$/, event: 'message' },
  { topic: PATTERNS, names: /^p(?:un)?subscribe$/, event: 'pmessage' },
  { topic: SHARD_CHANNELS, names: /^s(?:un)?subscribe$/, event: 'smessage' }
]

class PubSub {
  /** @param {import('./redis').Redis} redis */
  constructor (redis) {
    this.redis = redis
    this.bridge = null
    /** By topic: the text of a name -> its listener. */
    this.listeners = [new Map(), new Map(), new Map()]
  }

  /** A SUBSCRIBE or an UNSUBSCRIBE. */
  dispatch (command) {
    const { lower, kind } = command.facts
    const { topic, event } = TOPICS.find(({ names }) => names.test(lower))
    if (kind === facts.SUBSCRIBE) this.subscribe(command, topic, event)
    else this.unsubscribe(command, topic)
  }

  subscribe (command, topic, event) {
    const { args: names } = command
    if (names.length === 0) {
      return command.fail(Object.assign(
        new ReplyError(`ERR wrong number of arguments for '${command.facts.lower}' command`),
        { command: { name: command.name, args: [] } }))
    }
    const { subscriptions } = this.open()
    const known = this.listeners[topic]
    const before = this.count(topic)
    const added = []
    const all = names.map(name => {
      const text = String(name)
      const listener = known.get(text) ?? this.listener(event, text)
      if (!known.has(text)) added.push(text)
      known.set(text, listener)
      return subscriptions.subscribe(topic, [name], listener, true, this.redis._traffic.timeout)
    })
    const count = before + added.length
    this.changed()
    Promise.all(all).then(() => command.resolve(this.number(count)), error => {
      for (const text of added) known.delete(text)
      this.changed()
      this.failed(command, error)
    })
  }

  unsubscribe (command, topic) {
    const known = this.listeners[topic]
    const names = command.args.length === 0 ? [...known.keys()] : command.args
    for (const name of names) known.delete(String(name))
    const count = this.count(topic)
    this.changed()
    if (this.bridge === null) return command.resolve(this.number(count))
    const { subscriptions } = this.bridge
    const ended = names.length === 0
      ? Promise.resolve()
      : subscriptions.unsubscribe(topic, names, undefined, true, this.redis._traffic.timeout)
    ended.then(() => command.resolve(this.number(count)), error => this.failed(command, error))
  }

  /** The server counts channels and patterns together, and shard channels by themselves. */
  count (topic) {
    const [channels, patterns, shardChannels] = this.listeners.map(({ size }) => size)
    return topic === SHARD_CHANNELS ? shardChannels : channels + patterns
  }

  number (count) {
    return this.redis.options.stringNumbers ? String(count) : count
  }

  failed (command, error) {
    const reply = replyBehind(error)
    if (reply === null) return command.fail(closed(error.applied ?? 'unknown', error))
    command.fail(Object.assign(new ReplyError(reply.message),
      { command: { name: command.name, args: command.args } }))
  }

  /** The listener of one name. Text is decoded only if somebody listens to text. */
  listener (event, name) {
    const { redis } = this
    if (event !== 'pmessage') {
      return (message, channel) => {
        if (redis.listenerCount(event) > 0) redis.emit(event, name, message.toString())
        redis.emit(`${event}Buffer`, channel, message)
      }
    }
    return (message, channel) => {
      if (redis.listenerCount(event) > 0) {
        redis.emit(event, name, channel.toString(), message.toString())
      }
      redis.emit('pmessageBuffer', name, channel, message)
    }
  }

  /** What is subscribed to has changed. */
  changed () {
    const { condition, _traffic: traffic } = this.redis
    const isSubscribed = this.listeners.some(({ size }) => size > 0)
    if (condition) condition.subscriber = isSubscribed ? this.names() : false
    traffic.restore()
  }

  /** The names by kind, as ioredis's `condition.subscriber` has them. */
  names () {
    const lists = this.listeners.map(known => [...known.keys()])
    const kinds = ['subscribe', 'psubscribe', 'ssubscribe']
    return {
      channels: kind => lists[kinds.indexOf(kind)] ?? [],
      isEmpty: () => lists.every(list => list.length === 0)
    }
  }

  /** The connection of the instance stands: what `monitor()` has asked for can begin. */
  ready () {
    const { redis } = this
    this.changed()
    if (!redis.options.monitor) return
    const { subscriptions } = this.open()
    this.monitoring ??= line => redis.emit('monitor', ...partsOf(line))
    subscriptions.subscribe(MONITOR, [''], this.monitoring, false, 0)
      .then(() => redis._life.setStatus('monitoring'), error => redis.silentEmit('error', error))
  }

  /** The bridge that messages come over. */
  open () {
    if (this.bridge !== null) return this.bridge
    this.bridge = this.redis._life.openSubscriber()
    return this.bridge
  }

  /** Nothing is subscribed to any more. */
  forget () {
    for (const known of this.listeners) known.clear()
    this.end()
  }

  /** The instance has ended. What was subscribed to begins again with another connection. */
  end () {
    const { bridge } = this
    this.bridge = null
    for (const known of this.listeners) known.clear()
    if (bridge !== null) bridge.close()
    if (this.redis.condition) this.redis.condition.subscriber = false
  }
}

/** A line of MONITOR: `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`. */
function partsOf (line) {
  const [time] = line.split(' ', 1)
  const start = line.indexOf('"')
  const [database, source] = line.slice(time.length + 2, start - 2).split(' ')
  const args = line.slice(start + 1, -1).split('" "').map(arg => arg.replace(/\\"/g, '"'))
  return [time, args, source, database]
}

module.exports = { PubSub }
