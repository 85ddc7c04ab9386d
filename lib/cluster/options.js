'use strict'

/*
 * The options of a cluster's client: those of the client of each node, and those of the whole.
 *
 * Owns the names and checks of the options of the whole. The TLS options and the login of the root
 * nodes are used for all nodes, so all root nodes must have the same. In node-redis they are used
 * for the root nodes only.
 */

const { isAbsent, isNoObject } = require('../options/check')
const { parseOptions } = require('../options/client')
const {
  addressMap, addressesOf, count, divide, documentedOf, flag, group, list, reads, readsOf
} = require('../options/several-nodes')
const { withoutUrl } = require('../options/url')

/** name -> [check, default, meaning]. All other options are those of the client of each node. */
const CLUSTER = {
  rootNodes: [list, undefined, 'client options or URLs of some nodes; default `127.0.0.1:6379`'],
  defaults: [group, undefined, 'client options of all nodes; they win over those of `rootNodes`'],
  useReplicas: [flag, false, 'read from replicas: `readStrategy: \'replica\'`'],
  readStrategy: [reads, 'primary',
    'who serves reads: `primary`, `replica`, `nearest` or `{ zone: \'name\' }`'],
  maxCommandRedirections: [count, 5, 'redirects of one command; at most 15 are followed'],
  nodeAddressMap: [addressMap, undefined,
    'addresses as this client reaches them: `{ \'10.0.0.1:6379\': { host, port } }`, or a ' +
    'function'],
  minimizeConnections: [flag, false, 'accepted for compatibility; lanes open on demand anyway']
}

/** Options of node-redis that are not needed here. They are accepted and ignored. */
const NEEDLESS = ['topologyRefreshOnReconnectionAttemptStrategy']

/**
 * @param {object | undefined} given
 * @returns {{ client: object, topology: object, own: object }} options of each node's client, the
 *   core's, and those of the whole
 */
function parseClusterOptions (given) {
  const whole = given ?? {}
  if (isNoObject(whole)) throw new TypeError('options of a cluster must be an object')
  const needed = Object.entries(whole).filter(([name]) => !NEEDLESS.includes(name))
  const { own, rest: common } = divide(Object.fromEntries(needed), CLUSTER)
  const roots = own.rootNodes ?? [{ socket: { host: '127.0.0.1' } }]
  const isEmpty = roots.length === 0
  const clients = (isEmpty ? [{}] : roots).map((root, index) => (
    clientOptions(root, index, own.defaults, common)))
  const parsed = clients.map((client, index) => check(client, index))
  parsed.forEach((options, index) => agree(parsed[0], options, index))
  const strategy = own.readStrategy ?? (own.useReplicas ? 'replica' : 'primary')
  return {
    client: clients[0],
    topology: {
      // Without a seed connect() rejects, as in node-redis.
      seeds: isEmpty ? [] : parsed.map(({ socket: { host, port } }) => ({ host, port })),
      maxRedirects: own.maxCommandRedirections ?? CLUSTER.maxCommandRedirections[1],
      ...readsOf(strategy),
      ...addressesOf(own.nodeAddressMap)
    },
    own
  }
}

/** The options of the client of one root node. Its address is that of the root node. */
function clientOptions (root, index, defaults, common) {
  const own = typeof root === 'string' ? { url: root } : root
  if (isNoObject(own)) {
    throw new TypeError(`option "rootNodes[${index}]" must be an object, or a URL as a string`)
  }
  const layers = [own, defaults ?? {}, common].map(layer => given(withoutUrl(layer)))
  const { host, port, path } = layers[0].socket ?? {}
  const place = given({ host, port, path })
  const socket = Object.assign({}, ...layers.map(({ socket }) => given(socket ?? {})), place)
  return Object.assign({}, ...layers, { socket })
}

/** The fields of `options` that are set, so that others do not hide those of another layer. */
function given (options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => !isAbsent(value)))
}

function check (client, index) {
  const options = parseOptions(client)
  const refuse = (name, text) => {
    throw new TypeError(`option "${name}" of rootNodes[${index}] ${text}`)
  }
  if (options.socket.path !== undefined) refuse('socket.path', 'must not be set in a cluster')
  if (options.database !== 0) refuse('database', 'must be 0: a cluster has no other')
  if (options.lanes !== 1) refuse('lanes', 'must be 1: a cluster has a lane for each node')
  return options
}

/** Throws unless the root nodes agree on login and TLS. */
function agree (first, other, index) {
  for (const name of ['username', 'password']) {
    if (first[name] !== other[name]) {
      throw new TypeError(`option "${name}" of rootNodes[${index}] differs from that of ` +
        'rootNodes[0]: the nodes of a cluster have one login')
    }
  }
  if ((first.tls === undefined) !== (other.tls === undefined)) {
    throw new TypeError(`option "socket.tls" of rootNodes[${index}] differs from that of ` +
      'rootNodes[0]: either all nodes of a cluster use TLS or none')
  }
}

/** Every option by its name, for the documents. */
function documentedCluster () {
  return documentedOf(CLUSTER)
}

module.exports = { documentedCluster, parseClusterOptions }
