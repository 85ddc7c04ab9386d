'use strict'

/*
 * Metrics, made of what the diagnostics channels tell, under the names of node-redis.
 */

const {
  batchChannel, cacheEvictionChannel, cacheRequestChannel, closedChannel, commandChannel,
  errorChannel, pubSubChannel, readyChannel, replyChannel, waitChannel
} = require('../channels')
const { isElsewhere } = require('../error-replies')
const { identities } = require('../observability/identity')
const { performance } = require('../timers')
const { COMMON, clientOf, errorOf, serverOf, withValues } = require('./attributes')
const { filter } = require('./options')

/** @param {{ createHistogram: Function }} meter @param {object} options checked ones */
function record (meter, options) {
  for (const [name, begin] of Object.entries(GROUPS)) {
    if (options.enabledMetricGroups.includes(name)) begin(meter, options)
  }
}

const GROUPS = {
  command (meter, options) {
    const duration = histogram(meter, 'db.client.operation.duration',
      'Duration of a command, or of a chain of commands', options.bucketsOperationDuration)
    const isWanted = filter(options)
    const since = new WeakMap()
    const start = name => message => {
      if (isWanted(name(message))) since.set(message, performance.now())
    }
    const end = name => message => {
      const begun = since.get(message)
      if (begun === undefined) return
      since.delete(message)
      duration.record((performance.now() - begun) / 1000, {
        ...COMMON,
        ...serverOf(message),
        'db.operation.name': name(message),
        ...('error' in message && errorOf(message.error))
      })
    }
    for (const [channel, name] of [
      [commandChannel, ({ command }) => command],
      [batchChannel, ({ batchMode }) => batchMode]
    ]) {
      channel.start.subscribe(start(name))
      channel.asyncEnd.subscribe(end(name))
    }
  },

  'connection-basic' (meter, options) {
    const createTime = histogram(meter, 'db.client.connection.create_time',
      'Time that it took to make a connection', options.bucketsConnectionCreateTime)
    readyChannel.subscribe(message => {
      const { serverAddress, serverPort, clientId, createTimeMs } = message
      createTime.record(createTimeMs / 1000,
        { ...COMMON, ...clientOf(clientId), ...serverOf({ serverAddress, serverPort }) })
    })
    const count = meter.createObservableUpDownCounter('db.client.connection.count',
      { unit: '{connection}', description: 'Connections that are in the state' })
    count.addCallback(result => {
      for (const { clientId, pool } of clients()) {
        for (const [state, value] of [['idle', pool.idle], ['used', pool.total - pool.idle]]) {
          result.observe(value,
            { ...COMMON, ...clientOf(clientId), 'db.client.connection.state': state })
        }
      }
    })
    const whole = meter.createObservableGauge('redis.client.connection.count',
      { unit: '{connection}', description: 'Connections that stand' })
    whole.addCallback(result => {
      for (const { clientId, pool } of clients()) {
        if (pool.total > 0) result.observe(pool.total, { ...COMMON, ...clientOf(clientId) })
      }
    })
  },

  'connection-advanced' (meter, options) {
    const waitTime = histogram(meter, 'db.client.connection.wait_time',
      'Time that callers waited for a connection of the pool', options.bucketsConnectionWaitTime)
    waitChannel.subscribe(({ clientId, waitStartTimestamp }) => {
      waitTime.record((performance.now() - waitStartTimestamp) / 1000,
        { ...COMMON, ...clientOf(clientId) })
    })
    const closed = counter(meter, 'redis.client.connection.closed', '{connection}',
      'Connections that were closed')
    closedChannel.subscribe(({ clientId, reason }) => {
      closed.add(1,
        { ...COMMON, ...clientOf(clientId), 'redis.client.connection.close.reason': reason })
    })
  },

  resiliency (meter) {
    const errors = counter(meter, 'redis.client.errors', '{error}',
      'Errors of connections and of commands')
    const add = (error, attributes) => {
      // A redirect is followed, and is no error.
      if (isElsewhere(error?.code)) return
      errors.add(1, { ...COMMON, ...errorOf(error), ...attributes })
    }
    errorChannel.subscribe(({ error, clientId, internal, retryCount }) => add(error, withValues({
      ...clientOf(clientId),
      'redis.client.errors.internal': internal,
      'redis.client.operation.retry_attempts': retryCount
    })))
    commandChannel.error.subscribe(message => add(message.error, {
      ...clientOf(message.clientId),
      ...serverOf(message),
      'redis.client.errors.internal': false
    }))
  },

  pubsub (meter, { hidePubSubChannelNames: isHidden }) {
    const messages = counter(meter, 'redis.client.pubsub.messages', '{message}',
      'Messages that were received or published')
    const add = (clientId, direction, channel, sharded) => messages.add(1, withValues({
      ...COMMON,
      ...clientOf(clientId),
      'redis.client.pubsub.message.direction': direction,
      'redis.client.pubsub.sharded': sharded,
      'redis.client.pubsub.channel': isHidden || channel === undefined ? undefined : String(channel)
    }))
    pubSubChannel.subscribe(({ clientId, direction, channel, sharded }) =>
      add(clientId, direction, channel, sharded ?? false))
    replyChannel.subscribe(({ clientId, args: [name, channel] }) => {
      const command = name.toUpperCase()
      if (command !== 'PUBLISH' && command !== 'SPUBLISH') return
      add(clientId, 'out', channel, command === 'SPUBLISH')
    })
  },

  streaming (meter, options) {
    const lag = histogram(meter, 'redis.client.stream.lag',
      'Time from the adding of an entry to its reading', options.bucketsStreamProcessingDuration)
    replyChannel.subscribe(({ clientId, args, reply }) => {
      const command = args[0].toUpperCase()
      if ((command !== 'XREAD' && command !== 'XREADGROUP') || !Array.isArray(reply)) return
      const at = command === 'XREADGROUP' ? args.findIndex(arg => /^GROUP$/i.test(arg)) : -1
      const now = Date.now()
      for (const { name, messages } of reply) {
        const attributes = withValues({
          ...COMMON,
          ...clientOf(clientId),
          'redis.client.stream.name': options.hideStreamNames ? undefined : String(name),
          'redis.client.stream.consumer_group': at < 0 ? undefined : args[at + 1]
        })
        for (const { id } of messages ?? []) {
          // An id begins with the ms of a clock, unless the application makes its own.
          const added = Number.parseInt(String(id), 10)
          if (Number.isFinite(added)) lag.record((now - added) / 1000, attributes)
        }
      }
    })
  },

  'client-side-caching' (meter) {
    const requests = counter(meter, 'redis.client.csc.requests', '{request}',
      'Questions to the client-side cache')
    const evictions = counter(meter, 'redis.client.csc.evictions', '{eviction}',
      'Entries that the client-side cache has dropped')
    const saved = counter(meter, 'redis.client.csc.network_saved', 'By',
      'Bytes of replies that the client-side cache has given in place of the server')
    cacheRequestChannel.subscribe(({ clientId, result, bytesSaved }) => {
      const attributes = { ...COMMON, ...clientOf(clientId) }
      requests.add(1, { ...attributes, 'redis.client.csc.result': result })
      if (bytesSaved > 0) saved.add(bytesSaved, attributes)
    })
    cacheEvictionChannel.subscribe(({ clientId, reason, count }) => {
      evictions.add(count ?? 1,
        { ...COMMON, ...clientOf(clientId), 'redis.client.csc.reason': reason })
    })
    const items = meter.createObservableGauge('redis.client.csc.items',
      { unit: '{item}', description: 'Entries of the client-side cache' })
    items.addCallback(result => {
      for (const identity of identities()) {
        const { clientId, cachedItems } = identity
        if (cachedItems !== undefined) {
          result.observe(cachedItems, { ...COMMON, ...clientOf(clientId) })
        }
      }
    })
  }
}

/** The clients that are in use, each with the numbers of its pool. */
function * clients () {
  for (const identity of identities()) {
    const { clientId, pool } = identity
    if (pool !== undefined) yield { clientId, pool }
  }
}

function histogram (meter, name, description, explicitBucketBoundaries) {
  const advice = { explicitBucketBoundaries }
  return meter.createHistogram(name, { unit: 's', description, advice })
}

function counter (meter, name, unit, description) {
  return meter.createCounter(name, { unit, description })
}

module.exports = { record }
