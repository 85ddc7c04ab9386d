'use strict'

/*
 * The commands that oxidis sends of its own accord, encoded, each with its row.
 *
 * A row says what an error calls the command (`command`) and what becomes of its reply (`reply`).
 */

/** Asks a server for a sign of life. Any reply, an error too, shows that the connection works. */
const PING = {
  text: '*1\r\n$4\r\nPING\r\n',
  row: { command: 'PING', reply: undefined }
}

/**
 * Lets a node of a cluster run the next command although its slot is still being imported
 * (https://redis.io/docs/latest/commands/asking/).
 */
const ASKING = {
  text: '*1\r\n$6\r\nASKING\r\n',
  row: { command: 'ASKING', reply: undefined }
}

/**
 * SELECT of `database`, encoded.
 * @param {number} database
 */
function encodedSelect (database) {
  const text = String(database)
  return `*2\r\n$6\r\nSELECT\r\n$${text.length}\r\n${text}\r\n`
}

/**
 * A message to `channel` without content, encoded. SPUBLISH, because a node of a cluster keeps such
 * a message to its own shard (https://redis.io/docs/latest/commands/spublish/).
 * @param {string} channel
 */
function encodedSilence (channel) {
  return `*3\r\n$8\r\nSPUBLISH\r\n$${channel.length}\r\n${channel}\r\n$0\r\n\r\n`
}

module.exports = { ASKING, PING, encodedSelect, encodedSilence }
