'use strict'

// Clients of the server or the cluster that a program was given.

const { createClient, createCluster } = require('redis')

/** A client of what was given, connected. */
async function connected ({ url, rootNodes }, options) {
  const client = url === undefined
    ? createCluster({ rootNodes, ...options }) : createClient({ url, ...options })
  await client.connect()
  return client
}

function closeAll (clients) {
  return Promise.all(clients.map(client => client.close()))
}

module.exports = { closeAll, connected }
