'use strict'

/*
 * A command that the caller has put together, with the key that decides where it goes:
 * `cluster.sendCommand(firstKey, isReadonly, args, options)`.
 *
 * Where the command table finds the same slot in the command, the native side sends it like any
 * other. Otherwise it is sent to the node of `firstKey`, and this module follows its redirects.
 */

const { Arguments, isText } = require('../arguments')
const { bytesOf } = require('../boundary/batch')
const { ASKING } = require('../boundary/internal-commands')
const { RedisClient } = require('../client/client')
const { OPAQUE } = require('../commands/flags')
const { judge } = require('../commands/guards')
const { isRedirect, isServerText } = require('../error-replies')
const { withRest } = require('../methods/deadline')
const native = require('../native')
const { parseCommandOptions } = require('../options/client')
const { performance } = require('../timers')
const { slotOf } = require('./key-slot')
const { viewOver } = require('./views')

/**
 * @param {object} cluster the client, or a view of it
 * @param {string | Buffer | undefined} firstKey as it is sent: without the client's prefix
 * @param {(string | Buffer)[]} args
 * @param {object} [options] command options
 */
async function sendByKey (cluster, firstKey, args, options) {
  if (firstKey === undefined || firstKey === null) return send.call(cluster, args, options)
  if (!isText(firstKey)) {
    throw new TypeError('sendCommand: argument "firstKey" must be a string, a Buffer or undefined')
  }
  const slot = slotOf(firstKey)
  // The common method also refuses wrong arguments, and everything on a closed client.
  const isRight = Array.isArray(args) && args.every(isText)
  if (cluster._bridge.isClosed || !isRight || slotOfAll(args) === slot) {
    return send.call(cluster, args, options)
  }
  const command = parseCommandOptions(options, cluster._command)
  const start = performance.now()
  // A script's own error may begin like a redirect, after the script has written.
  const isOpaque = (judge(args).flags & OPAQUE) !== 0
  // The place of the node that an ASK has named.
  let asked
  for (let redirects = 0; ; redirects++) {
    const bridge = cluster._bridge
    const left = withRest(command, start)
    const place = asked ?? bridge.primaryOf(slot) ?? await found(bridge, slot, left)
    try {
      return await sendTo(cluster, bridge.way(place), args, left, asked !== undefined)
    } catch (error) {
      const isRefused = isRedirect(error.code) && (!isOpaque || isServerText(error.message))
      if (!isRefused || cluster._bridge.isClosed) throw error
      asked = await bridge.redirected(error, redirects, slot)
    }
  }
}

function sendTo (cluster, way, args, options, isAsked) {
  cluster._bridge.flush()
  // Both are in one batch, so nothing can come between them.
  if (isAsked) way.send(ASKING.text, 0, options.timeout, ASKING.row, undefined).catch(() => {})
  const sent = send.call(viewOver(cluster, way, options), args)
  way.flush()
  return sent
}

async function found (bridge, slot, { timeout, signal }) {
  if (bridge.isClosed || !bridge.isKnown) await bridge.known(timeout, signal)
  return bridge.primary(slot)
}

/** The slot of the keys that the command table finds; null if it finds none. */
function slotOfAll (args) {
  const w = new Arguments()
  w.reset(null, false)
  for (const arg of args) w.arg(arg, 'args')
  const head = Buffer.from(`*${args.length}\r\n`)
  return native.slotOfCommand(Buffer.concat([head, bytesOf(w.chunks, w.body)]))
}

const { sendCommand: send } = RedisClient.prototype

module.exports = { sendByKey }
