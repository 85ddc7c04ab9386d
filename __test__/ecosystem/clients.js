'use strict'

// Clients of the server or the cluster that a program was given.

const { createClient, createCluster } = require('redis')

/** A client of what was given, connected. */
async function connected ({ url, rootNodes }) {
  const client = url === undefined
    ? createCluster({ rootNodes, defaults: { commandOptions } })
    : createClient({ url, commandOptions })
  await client.connect()
  return client
}

/** Both have 5 s, which a busy machine may exceed. Deadlines are not what is compared here. */
const commandOptions = { timeout: 60_000 }

function closeAll (clients) {
  return Promise.all(clients.map(client => client.close()))
}

module.exports = { closeAll, connected }
