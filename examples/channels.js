'use strict'

// What oxidis tells to those who watch: a line for each message on its diagnostics channels.
//
//   REDIS_URL=redis://localhost:6379 node examples/channels.js
//
// Does some of everything, so that each channel has something to tell, and removes what it wrote.
// Values are never told: look at the arguments.

const diagnostics = require('node:diagnostics_channel')

const { CHANNELS, createClient } = require('oxidis')

const url = process.env.REDIS_URL ?? 'redis://localhost:6379'
const prefix = `example:channels:${process.pid}:`

/** Fields of messages that would fill the lines. A reply is in clear. */
const UNSHOWN = ['clientId', 'error', 'reply']

const { TRACE_BATCH, TRACE_COMMAND, TRACE_CONNECT } = CHANNELS

// A tracing channel tells of a beginning and of an end; the message is the same object.
for (const name of [TRACE_COMMAND, TRACE_BATCH, TRACE_CONNECT]) {
  const since = new WeakMap()
  diagnostics.tracingChannel(name).subscribe({
    start: message => since.set(message, performance.now()),
    asyncEnd: message => {
      const took = (performance.now() - since.get(message)).toFixed(1)
      const { args, batchMode, batchSize, error } = message
      const what = args?.join(' ') ?? (batchMode ? `${batchMode} of ${batchSize}` : '')
      show(name, `${what} took ${took} ms${error ? `, and failed: ${error.code}` : ''}`)
    },
    end () {},
    asyncStart () {},
    error () {}
  })
}

for (const name of Object.values(CHANNELS)) {
  if ([TRACE_COMMAND, TRACE_BATCH, TRACE_CONNECT].includes(name)) continue
  diagnostics.subscribe(name, message => {
    const details = Object.entries(message).filter(([field]) => !UNSHOWN.includes(field))
      .map(([field, value]) => `${field}=${value}`).join(' ')
    show(name, message.error ? `${message.error.code} ${details}` : details)
  })
}

async function main () {
  const client = await createClient({ url, keyPrefix: prefix }).connect()
  await client.set('visits', 'a value that nobody sees')
  await client.incr('visits').catch(() => {})
  await client.multi().set('a', 1).incr('a').exec()
  await client.multi().get('a').get('visits').execAsPipeline()

  const heard = new Promise(resolve => { client.subscribe(`${prefix}news`, resolve) })
  while (await client.publish(`${prefix}news`, 'hello') === 0) await client.ping()
  await heard

  await client.session(session => session.get('a'))
  await client.unlink(['visits', 'a'])
  await client.close()
}

function show (channel, text) {
  process.stdout.write(`${channel.padEnd(32)}${text}\n`)
}

main().catch(error => {
  console.error(`channels: ${error.message}`)
  process.exitCode = 1
})
