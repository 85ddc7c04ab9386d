'use strict'

/*
 * A command that the caller has put together, with the key that decides where it goes:
 * `cluster.sendCommand(firstKey, isReadonly, args, options)`.
 *
 * Owns the redirects of commands whose keys nobody else knows. Where the command table finds the
 * same slot by itself the native side sends it as any other.
 */

const { Arguments, isText } = require('../arguments')
const { RedisClient } = require('../client/client')
const { at } = require('./commands')
const { isRedirect } = require('../error-replies')
const { MaxCommandRedirectionsError } = require('../errors')
const native = require('../native')
const { parseCommandOptions } = require('../options/client')
const { slotOf } = require('./key-slot')

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
  // Wrong arguments, and a client that is closed, are refused there as well.
  if (cluster._bridge.way === undefined || !args.every(isText) || slotOfAll(args) === slot) {
    return send.call(cluster, args, options)
  }
  const command = parseCommandOptions(options, cluster._command)
  const start = performance.now()
  let target
  for (let redirects = 0; ; redirects++) {
    const bridge = cluster._bridge
    const left = remaining(command, start)
    const place = target?.place ?? bridge.core?.primaryOf(slot) ?? await found(bridge, slot, left)
    try {
      return await sendTo(cluster, bridge.way(place), args, left, target !== undefined)
    } catch (error) {
      if (!isRedirect(error.code) || cluster._bridge.way === undefined) throw error
      if (redirects === MOST_REDIRECTS) throw tooMany(error)
      const [, , address] = error.message.split(' ')
      target = error.code === 'ASK' ? cluster.nodeByAddress.get(address) : undefined
      if (target === undefined) await bridge.refresh()
    }
  }
}

function sendTo (cluster, way, args, options, isAsked) {
  cluster._bridge.flush()
  // One batch: nothing can get between the two.
  if (isAsked) way.send(ASKING, 0, options.timeout, ASKING_ROW, undefined).catch(() => {})
  const view = Object.create(at(cluster, way), { _command: { value: options } })
  const sent = send.call(view, args)
  way.flush()
  return sent
}

async function found (bridge, slot, { timeout, signal }) {
  if (!bridge.isKnown) await bridge.known(timeout, signal)
  return bridge.primary(slot)
}

/** The slot of the keys that the command table finds; null if it finds none. */
function slotOfAll (args) {
  const w = new Arguments()
  w.reset(null)
  for (const arg of args) w.arg(arg, 'args')
  const text = (w.chunks ?? []).join('') + w.body
  return native.slotOfCommand(Buffer.from(`*${args.length}\r\n${text}`, 'latin1'))
}

/** `options` with what is left of the timeout; 1 ms where that is nothing. */
function remaining (options, start) {
  if (options.timeout === 0) return options
  const left = Math.ceil(options.timeout - (performance.now() - start))
  return { ...options, timeout: Math.max(1, left) }
}

function tooMany (cause) {
  return new MaxCommandRedirectionsError(`the cluster has sent the command on ${MOST_REDIRECTS} ` +
    'times: its nodes do not agree on who has its slot', { retryable: true, cause })
}

const { sendCommand: send } = RedisClient.prototype

const ASKING = '*1\r\n$6\r\nASKING\r\n'
const ASKING_ROW = { command: 'ASKING', reply: undefined }

/** As many as other commands follow by default. */
const MOST_REDIRECTS = 5

module.exports = { sendByKey }
