'use strict'

/*
 * Commands for all nodes, or for all primaries: FLUSHALL, DBSIZE, KEYS, SCRIPT LOAD and alike.
 *
 * Owns which nodes get them, in which order beside the client's other commands, and what a failure
 * of some nodes means.
 *
 * Invariant: whatever is called in one turn reaches each node in the order of the calls.
 */

const { isUint8Array } = require('node:util').types

const { Arguments, named } = require('../arguments')
const { REPEATABLE, flagsOf } = require('../commands/flags')
const { ConnectionError, ErrorReply, TimeoutError } = require('../errors')
const { withCallback } = require('../methods/callback')
const { isOver, withRest } = require('../methods/deadline')
const { performance } = require('../timers')
const { checkAll, mayPass } = require('./outcomes')
const { merge } = require('./replies')
const { viewOver, viewWith } = require('./views')

/**
 * The method for a row whose command is for several nodes.
 * @param {object} row
 * @param {{ nodes: 'all_nodes' | 'all_shards', reply: string }} policy
 * @param {Function} one the method for one node
 */
function spreading (row, policy, one) {
  return function (...args) {
    return withCallback(args, args => {
      // The method for one node refuses it with the right words.
      if (this._bridge.isClosed) return one.apply(this, args)
      return spread(this, { row, policy, one, args })
    })
  }
}

async function spread (cluster, call) {
  const start = performance.now()
  let view = cluster
  if (cluster.masters.length === 0) {
    const { _bridge: bridge, _command: { timeout, signal } } = cluster
    // Wrong arguments are refused without a server. Buffers are copied, because the caller may
    // change them while this waits.
    call = { ...call, args: checked(call.row, call.args, cluster) }
    await bridge.known(timeout, signal)
    view = viewWith(cluster, withRest(cluster._command, start))
  }
  const { row: { command }, policy } = call
  const isRepeatable = (flagsOf(command[0], command[1]) & REPEATABLE) !== 0
  let outcomes = await attempt(view, call, isRepeatable)
  if (isRepeatable && outcomes.some(({ reason }) => mayPass(reason))) {
    await cluster._bridge.refresh()
    // Once the deadline has passed, the first error says more than a timeout would.
    if (!isOver(cluster._command, start)) {
      const rest = viewWith(cluster, withRest(cluster._command, start))
      outcomes = await attempt(rest, call, isRepeatable)
    }
  }
  if (policy.reply === 'one_succeeded') {
    const first = outcomes.find(({ status }) => status === 'fulfilled')
    if (first !== undefined) return first.value
  }
  checkAll(outcomes)
  return merge(policy.reply, outcomes.map(({ value }) => value))
}

/** Sends the command to each node that it is for; resolves to what has come of each. */
function attempt (cluster, { policy, one, args }, isRepeatable) {
  const { _bridge: bridge } = cluster
  if (bridge.isClosed) return Promise.allSettled([one.apply(cluster, args)])
  const nodes = policy.nodes === 'all_nodes'
    ? [...cluster.nodeByAddress.values()]
    : cluster.masters
  // Flushed before and after, so that calls before it go out before it, and later ones after it.
  bridge.flush()
  return Promise.allSettled(nodes.map(node => {
    const way = bridge.way(node.place)
    const sent = one.apply(viewOver(cluster, way), args)
    way.flush()
    return withNode(node, isRepeatable ? unlessReplaced(cluster, node, sent) : sent)
  }))
}

/**
 * Resolves as `sent` does. Rejects as soon as `node` is known to have left the cluster or changed
 * its role, because it may never answer.
 */
function unlessReplaced (cluster, node, sent) {
  const isThere = () => {
    const now = cluster.nodeByAddress.get(node.address)
    return now !== undefined && now.id === node.id && now.readonly === node.readonly
  }
  return new Promise((resolve, reject) => {
    const forget = cluster._bridge.watch(() => {
      if (isThere()) return
      forget()
      reject(new ConnectionError('the node was replaced', {
        code: 'SUPERSEDED', applied: 'unknown', retryable: true
      }))
    })
    sent.finally(forget).then(resolve, reject)
  })
}

/** Resolves as `sent` does. An error that comes from the node names it. */
async function withNode (node, sent) {
  try {
    return await sent
  } catch (error) {
    if (OF_NODES.some(type => error instanceof type)) {
      const message = `${error.message} (from the node ${node.address})`
      // Consoles show the stack, which begins with the old message.
      error.stack = error.stack.replace(error.message, () => message)
      error.message = message
    }
    throw error
  }
}

/** Throws if `row` refuses `args`. Returns them with copies of their Buffers. */
function checked (row, args, { _keyPrefix, _command }) {
  const w = new Arguments()
  w.reset(_keyPrefix, _command.isStrict)
  try {
    row.args?.(w, ...args)
  } catch (error) {
    throw named(row.name, error)
  }
  return args.map(arg => isUint8Array(arg) ? Buffer.from(arg) : arg)
}

/** Errors that come from a node, not from the caller. */
const OF_NODES = [ConnectionError, ErrorReply, TimeoutError]

module.exports = { spreading, unlessReplaced }
