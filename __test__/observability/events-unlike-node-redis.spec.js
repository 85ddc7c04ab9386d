'use strict'

// One program that runs on node-redis and on oxidis is told of in the same way: the same channels,
// the same phases in the same order, the same fields. `comparable` takes out what differs.

const assert = require('node:assert')
const { after, before, describe, it } = require('node:test')

const oxidis = require('../..')
const redis = require('redis')

const { CHANNELS } = oxidis
const { startServer } = require('../support/redis-server')
const { listen } = require('./listening')

describe('the events of one program', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  const programs = {
    'of commands': async client => {
      await client.set('k', 'v')
      await client.get('k')
      await client.mGet(['k', 'l'])
      await client.lPush('k', 'x').catch(() => {})
      await client.sendCommand(['PING'])
      await client.hSet('h', { a: 'b' })
      await client.hGetAll('h')
      await client.select(1)
      await client.get('k')
      await client.select(0)
    },
    'of commands that fail on their own': async client => {
      await client.sendCommand(['NOSUCH']).catch(() => {})
      await client.set('k', 'v')
      await client.incr('k').catch(() => {})
    },
    'of a transaction': async client => {
      await client.multi().set('a', '1').get('a').exec()
      await client.multi().set('a', '1').exec()
    },
    'of a transaction that a watched key has stopped': async client => {
      await client.watch('w')
      await client.set('w', '1')
      await client.multi().set('a', '1').exec().catch(() => {})
    },
    'of a pipeline': async client => {
      await client.multi().set('a', '1').get('a').execAsPipeline()
    },
    'of a pipeline of which a command fails': async client => {
      await client.set('k', 'v')
      await client.multi().incr('k').get('a').execAsPipeline().catch(() => {})
    },
    'of a script': async client => {
      await client.eval('return redis.call("GET", KEYS[1])', { keys: ['k'], arguments: ['x'] })
    },
    'of a client that is closed': async client => {
      await client.close()
      await client.get('k').catch(() => {})
    },
    'of a client that is destroyed': client => client.destroy()
  }

  for (const [name, program] of Object.entries(programs)) {
    it(name, async () => {
      const theirs = await run(redis, server, program)
      const ours = await run(oxidis, server, program)
      assert.ok(theirs.length > 2)
      assert.deepStrictEqual(ours.map(comparable), theirs.map(comparable))
    })
  }

  it('of messages', async () => {
    const heard = []
    for (const lib of [redis, oxidis]) {
      const channel = `news-${lib === oxidis}`
      const [publisher, subscriber] = [0, 0].map(() => quiet(lib.createClient({ url: server.url })))
      await Promise.all([publisher.connect(), subscriber.connect()])
      await subscriber.subscribe(channel, () => {})
      await subscriber.pSubscribe(`${channel}*`, () => {})
      await subscriber.sSubscribe(channel, () => {})
      const listening = listen([CHANNELS.PUBSUB])
      await publisher.publish(channel, 'm')
      await publisher.sPublish(channel, 'm')
      await listening.until(({ message }) => message.sharded)
      listening.stop()
      await Promise.all([publisher.close(), subscriber.close()])
      heard.push(listening.events.map(({ message }) => ({
        ...message, clientId: typeof message.clientId, channel: String(message.channel) === channel
      })))
    }
    assert.strictEqual(heard[0].length, 3)
    const order = (a, b) => Number(a.sharded) - Number(b.sharded)
    assert.deepStrictEqual(heard[1].toSorted(order), heard[0].toSorted(order))
  })

  it('of a server that cannot be reached', async () => {
    const { port } = await gone()
    const heard = []
    for (const lib of [redis, oxidis]) {
      const listening = listen()
      const client = quiet(lib.createClient({
        socket: { port, host: '127.0.0.1', reconnectStrategy: () => false }
      }))
      await assert.rejects(client.connect())
      client.destroy()
      await new Promise(resolve => { setImmediate(resolve) })
      client.destroy()
      listening.stop()
      heard.push(listening.events.map(({ channel, phase, message: { error, origin, internal } }) =>
        ({ channel, phase, origin, internal, hasError: error instanceof Error })))
    }
    const [theirs, ours] = heard
    const of = (events, name) => events.filter(({ channel }) => channel === name)
    for (const name of [CHANNELS.TRACE_CONNECT, CHANNELS.CONNECTION_CLOSED]) {
      assert.deepStrictEqual(of(ours, name), of(theirs, name))
    }
    // Theirs tells of the error that ends it twice.
    assert.deepStrictEqual(of(ours, CHANNELS.ERROR)[0], of(theirs, CHANNELS.ERROR)[0])
  })

  it('of the names of the channels', () => {
    assert.deepStrictEqual(CHANNELS, require('@redis/client').CHANNELS ??
      require('@redis/client/dist/lib/client/tracing').CHANNELS)
  })

  it('differ by an error for a transaction of which a command has failed', async () => {
    const program = async client => {
      await client.set('k', 'v')
      await client.multi().incr('k').exec().catch(() => {})
    }
    const failures = async lib => (await run(lib, server, program))
      .filter(({ channel, phase }) => channel === CHANNELS.TRACE_BATCH && phase === 'error').length
    assert.deepStrictEqual([await failures(redis), await failures(oxidis)], [0, 1])
  })
})

/** What is told while `program` runs on a client of `lib`, from its making to its end. */
async function run (lib, server, program) {
  await emptied(server)
  const listening = listen()
  const client = quiet(lib.createClient({ url: server.url }))
  await client.connect()
  await program(client)
  if (client.isOpen) await client.close()
  listening.stop()
  return listening.events
}

/** Removes all keys, so that both libraries find the same. */
async function emptied (server) {
  const client = quiet(redis.createClient({ url: server.url }))
  await client.connect()
  await client.flushAll()
  await client.close()
}

/** An event without what is a number of its own, or what differs for a reason. */
function comparable ({ channel, phase, message }) {
  const fields = { ...message }
  if ('clientId' in fields) fields.clientId = ID.test(fields.clientId)
  if ('createTimeMs' in fields) fields.createTimeMs = fields.createTimeMs > 0
  if (fields.error) fields.error = fields.error instanceof Error
  // Ours hide all that is no name and no key.
  if (fields.args) fields.args = fields.args.map((arg, i) => i === 0 ? arg : '?')
  // Theirs is what the server has sent, ours what the method resolves to.
  delete fields.result
  if (channel === CHANNELS.COMMAND_REPLY) fields.reply = JSON.stringify(fields.reply)
  return { channel, phase, fields: Object.fromEntries(Object.entries(fields).toSorted()) }
}

function quiet (client) {
  return client.on('error', () => {})
}

const ID = /^127\.0\.0\.1:\d+\/0-[0-9a-f]{8}$/

/** A port of 127.0.0.1 at which nobody listens any more. */
async function gone () {
  const server = await startServer()
  await server.stop()
  return { port: server.port }
}
