'use strict'

/*
 * Who a client is, for those who watch it: an id, the server it leads to, and its database.
 *
 * The id is made when it is first asked for: most programs are not watched. From then on the client
 * is found by it, as long as it exists.
 */

class Identity {
  #id
  #names
  #client

  /**
   * @param {{ socket: object, database: number }} options parsed options
   * @param {{ seeds: object[], sentinel?: { seeds: object[] } } | undefined} topology what a client
   *   of several nodes knows of them
   * @param {{ _database: number, _serverAt: (place?: number | null) => object | undefined }} client
   */
  constructor ({ socket, database }, topology, client) {
    const { host, port, path } = socket
    const seeds = topology?.sentinel?.seeds ?? topology?.seeds
    this.#names = seeds === undefined
      ? `${path ?? `${host}:${port}`}/${database}`
      : seeds.map(({ host, port }) => `${host}:${port}`).join(',')
    this.#client = client
    this.socket = socket
  }

  /** `host:port/database-hash`, as in node-redis; a cluster's names its root nodes. */
  get clientId () {
    if (this.#id === undefined) {
      this.#id = idOf(this.#names)
      KNOWN.set(this.#id, new WeakRef(this))
      FORGOTTEN.register(this, this.#id)
    }
    return this.#id
  }

  /** The numbers of its pool, as `stats()` has them; undefined if it is not in use. */
  get pool () {
    return this.#client._bridge.stats()?.pool
  }

  /** How many replies its client-side cache has; undefined if there is none. */
  get cachedItems () {
    return this.#client._cachedItems
  }

  get database () {
    return this.#client._database
  }

  /**
   * The server that takes a command, as fields of a message.
   * @param {number | null} [place] of a node, where there are several
   */
  server (place) {
    const node = this.#client._serverAt(place)
    if (node !== undefined) return { serverAddress: node.host, serverPort: node.port }
    const { path, host, port } = this.socket
    if (path) return { serverAddress: path, serverPort: undefined }
    return { serverAddress: host, serverPort: port }
  }
}

/** The client that was told of under this id; undefined if there is none any more. */
function identityOf (clientId) {
  return KNOWN.get(clientId)?.deref()
}

/** All clients that were told of and are still there. */
function * identities () {
  for (const reference of KNOWN.values()) {
    const identity = reference.deref()
    if (identity !== undefined) yield identity
  }
}

/** Id -> client. A client that was never told of is in no list, and each can be collected. */
const KNOWN = new Map()
const FORGOTTEN = new FinalizationRegistry(id => KNOWN.delete(id))

function idOf (names) {
  const hash = Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0')
  const room = LONGEST - hash.length - 1
  return `${names.length > room ? `${names.slice(0, room - 3)}...` : names}-${hash}`
}

/** As in node-redis: reasonable for attributes and logs. */
const LONGEST = 128

module.exports = { Identity, identities, identityOf }
