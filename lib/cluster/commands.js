'use strict'

/*
 * The commands of a cluster's client that are for more than one node.
 *
 * Owns which nodes get them, in which order beside the client's other commands, and what a failure
 * of some means: `commands/policies.js` says which commands, `cluster-replies.js` what becomes of
 * the replies. Keys of several slots become a command for each slot, which goes the common way and
 * follows redirects; whatever is for whole nodes goes to each over a way of its own.
 *
 * Invariant: whatever is called in one turn reaches each node in the order of the calls.
 */

const { Arguments, isText, prefixed } = require('../arguments')
const { callback } = require('../methods/from-rows')
const { commands } = require('../commands')
const { REPEATABLE, flagsOf } = require('../commands/flags')
const { policyOf } = require('../commands/policies')
const { merge } = require('./replies')
const { isRoleChange } = require('../error-replies')
const { ConnectionError, ErrorReply, OxidisError, TimeoutError } = require('../errors')
const { slotOf } = require('./key-slot')

/** Replaces those of the methods of `prototype` whose commands one node alone cannot answer. */
function addClusterCommands (prototype) {
  for (const row of commands) {
    const policy = policyOf(row.command)
    const one = prototype[row.name]
    let value
    if (SCANS.has(row.name)) value = refusing(row)
    else if (policy === undefined) continue
    else if (policy.nodes === 'multi_shard') value = splitting(row, policy, one)
    else value = spreading(row, policy, one)
    for (const name of [row.name, row.upper, ...row.aliases]) {
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
    }
  }
}

/** A method whose cursor would be of one node. */
function refusing (row) {
  const text = `${row.name}: a cursor belongs to one node: ` + (row.name === 'scan'
    ? 'use scanIterator(), which goes through all of them, or nodeClient(node)'
    : 'use nodeClient(node)')
  return function (...args) {
    return withCallback(args, () => Promise.reject(new TypeError(text)))
  }
}

/** A method whose keys may be in several slots. */
function splitting (row, policy, one) {
  const split = row.name === 'mSet' ? pairsBySlot : keysBySlot
  return function (list) {
    const groups = split(list, this._keyPrefix)
    // Of wrong arguments and keys of one slot the common method knows more.
    if (groups === null) return one.apply(this, arguments)
    const args = Array.prototype.slice.call(arguments, 1)
    return withCallback(args, async rest => {
      const sent = groups.map(({ items }) => one.call(this, items, ...rest))
      const outcomes = await Promise.allSettled(sent)
      checkAll(outcomes)
      const replies = outcomes.map(({ value }) => value)
      return row.name === 'mGet' ? inOrder(groups, replies) : merge(policy.reply, replies)
    })
  }
}

/** A method for all nodes, or for all primaries. */
function spreading (row, policy, one) {
  return function (...args) {
    return withCallback(args, args => {
      // A closed client has no way to any node, and says so.
      if (this._bridge.way === undefined) return one.apply(this, args)
      return spread(this, { row, policy, one, args })
    })
  }
}

async function spread (cluster, call) {
  const start = performance.now()
  let view = cluster
  if (cluster.masters.length === 0) {
    const { _bridge: bridge, _command: { timeout, signal } } = cluster
    // Whoever waits may change his Buffers, and wrong arguments need no server to be refused.
    call = { ...call, args: checked(call.row, call.args, cluster._keyPrefix) }
    await bridge.known(timeout, signal)
    view = withRest(cluster, start)
  }
  const { row: { command }, policy } = call
  const isRepeatable = (flagsOf(command[0], command[1]) & REPEATABLE) !== 0
  let outcomes = await attempt(view, call, isRepeatable)
  if (isRepeatable && outcomes.some(({ reason }) => mayPass(reason))) {
    await cluster._bridge.refresh?.()
    const { timeout } = cluster._command
    // Without any time left what was heard first tells more.
    if (timeout === 0 || performance.now() - start < timeout) {
      outcomes = await attempt(withRest(cluster, start), call, isRepeatable)
    }
  }
  if (policy.reply === 'one_succeeded') {
    const first = outcomes.find(({ status }) => status === 'fulfilled')
    if (first !== undefined) return first.value
  }
  checkAll(outcomes)
  return merge(policy.reply, outcomes.map(({ value }) => value))
}

/** A view of `cluster` with what is left of the deadline of a call that began at `start`. */
function withRest (cluster, start) {
  const options = cluster._command
  if (options.timeout === 0) return cluster
  const timeout = Math.max(1, Math.ceil(options.timeout - (performance.now() - start)))
  return Object.create(cluster, { _command: { value: { ...options, timeout } } })
}

/** Sends to each node what `call` says; resolves to what has come of each. */
function attempt (cluster, { policy, one, args }, isRepeatable) {
  const { _bridge: bridge } = cluster
  if (bridge.way === undefined) return Promise.allSettled([one.apply(cluster, args)])
  const nodes = policy.nodes === 'all_nodes'
    ? [...cluster.nodeByAddress.values()]
    : cluster.masters
  // What was called before goes out before, and what is called afterwards goes out afterwards.
  bridge.flush()
  return Promise.allSettled(nodes.map(node => {
    const way = bridge.way(node.place)
    const sent = one.apply(at(cluster, way), args)
    way.flush()
    return told(node, isRepeatable ? unlessReplaced(cluster, node, sent) : sent)
  }))
}

/** A view of `cluster` whose commands go over `way`. */
function at (cluster, way) {
  return Object.create(cluster, { _bridge: { value: way } })
}

/** The outcome of `sent`, or an error as soon as `node` is known to be what it was no more. */
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

/** An error says which node it is from. */
async function told (node, sent) {
  try {
    return await sent
  } catch (error) {
    if (OF_NODES.some(type => error instanceof type)) {
      const message = `${error.message} (from the node ${node.address})`
      // The stack begins with the message as it was, and is what consoles show.
      error.stack = error.stack.replace(error.message, () => message)
      error.message = message
    }
    throw error
  }
}

/** Whether a failure may be over once it is known who is who. */
function mayPass (error) {
  if (error instanceof ErrorReply) return isRoleChange(error.code)
  return error instanceof ConnectionError
}

/**
 * Throws the first error, if there is one. Others may have been applied then, so it must not say
 * that nothing was.
 */
function checkAll (outcomes) {
  const failed = outcomes.filter(({ status }) => status === 'rejected')
  if (failed.length === 0) return
  const error = failed[0].reason
  const isUntouched = failed.length === outcomes.length &&
    failed.every(({ reason }) => !(reason instanceof OxidisError) || reason.applied === 'no')
  if (error instanceof OxidisError && error.applied === 'no' && !isUntouched) {
    error.applied = 'unknown'
  }
  throw error
}

/** Throws if `row` refuses `args`; returns them with copies of their Buffers. */
function checked (row, args, prefix) {
  const w = new Arguments()
  w.reset(prefix)
  try {
    row.args?.(w, ...args)
  } catch (error) {
    if (error instanceof TypeError) error.message = `${row.name}: ${error.message}`
    throw error
  }
  return args.map(arg => arg instanceof Uint8Array ? Buffer.from(arg) : arg)
}

/**
 * `{ items, indexes }` for each slot of `keys`. Null if there is one slot only, or if the keys are
 * no list of keys.
 */
function keysBySlot (keys, prefix) {
  if (!Array.isArray(keys) || keys.length < 2) return null
  const slots = new Array(keys.length)
  let isMixed = false
  for (let i = 0; i < keys.length; i++) {
    if (!isText(keys[i])) return null
    slots[i] = slotOf(whole(keys[i], prefix))
    isMixed ||= slots[i] !== slots[0]
  }
  return isMixed ? grouped(keys, slots) : null
}

/** The same for the pairs of MSET, in any of its forms. */
function pairsBySlot (toSet, prefix) {
  const pairs = pairsOf(toSet)
  if (pairs === null || pairs.length < 2) return null
  const isPair = pair => Array.isArray(pair) && isText(pair[0]) && isText(pair[1])
  if (!pairs.every(isPair)) return null
  const slots = pairs.map(([key]) => slotOf(whole(key, prefix)))
  return slots.some(slot => slot !== slots[0]) ? grouped(pairs, slots) : null
}

/** The pairs of `[key, value, ...]`, `[[key, value]]` or `{ key: value }`; null of others. */
function pairsOf (toSet) {
  if (toSet === null || typeof toSet !== 'object' || isText(toSet)) return null
  if (!Array.isArray(toSet)) return Object.keys(toSet).map(key => [key, toSet[key]])
  if (Array.isArray(toSet[0])) return toSet
  if (toSet.length % 2 !== 0) return null
  return Array.from({ length: toSet.length / 2 }, (_, i) => [toSet[2 * i], toSet[2 * i + 1]])
}

function grouped (items, slots) {
  const groups = new Map()
  for (let i = 0; i < items.length; i++) {
    let group = groups.get(slots[i])
    if (group === undefined) groups.set(slots[i], group = { items: [], indexes: [] })
    group.items.push(items[i])
    group.indexes.push(i)
  }
  return [...groups.values()]
}

/** The elements of each group's list, where their keys were. */
function inOrder (groups, replies) {
  const all = []
  groups.forEach(({ indexes }, group) => {
    indexes.forEach((index, i) => { all[index] = replies[group][i] })
  })
  return all
}

function whole (key, prefix) {
  return prefix ? prefixed(prefix, key, 'key') : key
}

/** Calls `run` with `args`; a callback behind them hears of the outcome instead of the caller. */
function withCallback (args, run) {
  if (typeof args.at(-1) !== 'function') return run(args)
  callback(run(args.slice(0, -1)), args.at(-1))
}

const SCANS = new Set(['scan', 'blessScan'])

/** Errors that come from one node, and not from what the caller does. */
const OF_NODES = [ConnectionError, ErrorReply, TimeoutError]

module.exports = { addClusterCommands, at, mayPass, unlessReplaced }
