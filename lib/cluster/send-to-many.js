'use strict'

/*
 * `sendCommand` of a command that is for more than one node: it goes where its method goes, and the
 * replies become one as there. The reply is as the servers send it, without what the method makes
 * of it.
 */

const { isUint8Array } = require('node:util').types

const { isText } = require('../arguments')
const { RedisClient } = require('../client/client')
const { judge, laneRefusal } = require('../commands/guards')
const { policyOf } = require('../commands/policies')
const { splitting } = require('./split-keys')
const { spreading } = require('./spread')

/**
 * Resolves to the reply of a command for several nodes; null if `args` is for one node.
 * @param {object} cluster the client, or a view of it
 * @param {unknown} args the name and the arguments
 * @param {object} [options] command options
 * @returns {Promise<unknown> | null}
 */
function sendToMany (cluster, args, options) {
  if (cluster._bridge.isClosed || !Array.isArray(args) || !args.every(isText)) return null
  const { name: full, flags } = judge(args)
  if (laneRefusal(full, flags) !== null) return null
  const words = full?.split(' ') ?? []
  const policy = policyOf(words)
  if (policy === undefined) return null
  const [name] = words
  if (policy.nodes === 'multi_shard') {
    const head = args[0]
    const row = { name: name === 'MSET' ? 'mSet' : name === 'MGET' ? 'mGet' : name }
    const one = items => send.call(cluster, [head, ...items.flat()], options)
    // The keys are as they are sent: the client's prefix is not put in front of them.
    const bare = Object.create(cluster, { _keyPrefix: { value: undefined } })
    return splitting(row, policy, one).call(bare, args.slice(1))
  }
  // Copied, because they may have to wait until it is known which nodes there are.
  const copies = args.map(arg => isUint8Array(arg) ? Buffer.from(arg) : arg)
  const one = function () { return send.call(this, copies, options) }
  return spreading({ name: 'sendCommand', command: words }, policy, one).call(cluster)
}

const { sendCommand: send } = RedisClient.prototype

module.exports = { sendToMany }
