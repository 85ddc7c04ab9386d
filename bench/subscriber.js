'use strict'

// The child process of one subscribed client: counts what its listener is called with.

const net = require('node:net')

const { CLIENTS } = require('./clients')
const { CREDIT, PAYLOAD } = require('./messages')

let count = 0
let link

function listener (message) {
  if (message.length !== PAYLOAD.length) throw new Error('a message is not as it was sent')
  if (++count % CREDIT === 0) link.write('.')
}

async function open ({ name, server, channel, credit }) {
  link = net.connect(credit, '127.0.0.1').setNoDelay(true)
  const client = await CLIENTS[name].open(server)
  await client.subscribe(channel, listener)
  return {}
}

async function run ({ ms }) {
  const before = count
  const cpu = process.cpuUsage()
  const utilization = performance.eventLoopUtilization()
  const started = performance.now()
  await new Promise(resolve => { setTimeout(resolve, ms) })
  const elapsed = performance.now() - started
  const { active } = performance.eventLoopUtilization(utilization)
  const { user, system } = process.cpuUsage(cpu)
  const messages = count - before
  if (messages === 0) throw new Error('no message came')
  return {
    ops: messages / elapsed * 1000,
    loop: active * 1000 / messages,
    cpu: (user + system) / messages
  }
}

// The publisher has stopped: what is under way still comes, each message once.
async function drain ({ published }) {
  const end = performance.now() + PATIENCE
  while (count !== published) {
    if (count > published || performance.now() > end) {
      throw new Error(`${count} of ${published} messages came`)
    }
    await new Promise(resolve => { setTimeout(resolve, 5) })
  }
  return {}
}

process.on('message', async request => {
  try {
    if (request.name) process.send(await open(request))
    else if (request.published !== undefined) process.send(await drain(request))
    else process.send(await run(request))
  } catch (error) {
    process.send({ error: error?.stack ?? String(error) })
  }
})
process.on('disconnect', () => process.exit())

/** How long (ms) the last messages may take; they are under way already. */
const PATIENCE = 10_000
