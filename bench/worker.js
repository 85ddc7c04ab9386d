'use strict'

// The child process of one client in one workload. It does what the parent asks, one request at a
// time, and answers each with one message; between requests it sleeps.

const { CLIENTS } = require('./clients')
const { drive } = require('./load')
const { WORKLOADS } = require('./workloads')

let client, workload, operation

const REQUESTS = {
  async open ({ name, server, workload: wanted }) {
    workload = WORKLOADS.find(one => one.name === wanted)
    client = await CLIENTS[name].open(server)
    const missing = workload?.needs.find(method => !client[method])
    if (missing) return { missing }
    operation = workload?.operation(client)
    return {}
  },

  run: ({ ms }) => drive(operation, workload.inFlight, ms, workload.isBrief),

  // RSS in bytes: connected and idle, then with `count` commands in flight.
  async memory ({ count }) {
    const connected = process.memoryUsage.rss()
    const replies = []
    for (let index = 0; index < count; index++) replies.push(client.get('bench:memory'))
    const issued = process.memoryUsage.rss()
    await Promise.all(replies)
    return { connected, loaded: Math.max(issued, process.memoryUsage.rss()) }
  }
}

process.on('message', async ({ request, ...details }) => {
  try {
    answer({ result: await REQUESTS[request](details) })
  } catch (error) {
    answer({ error: error?.stack ?? String(error) })
  }
})

// Once the parent has gone nobody is there to measure for.
process.on('disconnect', () => process.exit())

function answer (message) {
  if (process.connected) process.send(message)
}
