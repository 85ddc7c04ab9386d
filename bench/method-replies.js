'use strict'

// Replies for methods.js: what a real server sends for the calls of each method that transforms
// its reply, as the native side hands it over.

const fs = require('node:fs')
const path = require('node:path')

const { createClient } = require('..')
const { dataFor } = require('../__test__/commands/data')

/**
 * Asks a server for them, on the data that the tests lay for a method. Calls that it refuses, or
 * that may wait there, have none.
 * @param {{ row: object, calls: unknown[][] }[]} methods
 * @returns {Promise<Map<unknown[], unknown>>} by a call's arguments
 */
async function recordReplies (methods) {
  const replies = new Map()
  const transforming = methods.filter(({ row, isSessionOnly }) =>
    row.reply !== undefined && !isSessionOnly)
  if (transforming.length === 0) return replies
  const server = await require('../__test__/support/redis-server').startServer()
  const client = createClient({ socket: { host: server.host, port: server.port } })
  try {
    await client.connect()
    const lay = createClient({ socket: { host: server.host, port: server.port } })
    handOver(client._bridge)
    for (const { row, calls } of transforming) {
      for (const args of calls) {
        await layData(lay, row)
        const owner = row.namespace === undefined ? client : client[row.namespace]
        const reply = await owner[row.name](...args).catch(() => undefined)
        if (reply !== undefined) replies.set(args, reply)
      }
    }
    await lay.close()
  } finally {
    await client.close()
    await server.stop()
  }
  return replies
}

/** Lets replies through as they come, and refuses what would wait. */
function handOver (bridge) {
  const { send } = bridge
  bridge.send = (encoded, mode, timeout, row, context) =>
    send.call(bridge, encoded, mode, timeout, { ...row, reply: undefined }, context)
  bridge.sendBlocking = () => Promise.reject(new Error('it would wait'))
}

async function layData (client, row) {
  const group = snapshot[row.command[0]]?.group
  const { clean, lay } = dataFor(group, row.name)
  // Old servers have no functions, and no vector sets.
  await Promise.allSettled([...clean, ...lay].map(command => client.sendCommand(command)))
}

const snapshot = JSON.parse(
  fs.readFileSync(path.join(__dirname, '..', 'commands', 'redis.json'), 'utf8')).commands

module.exports = { recordReplies }
