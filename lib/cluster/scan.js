'use strict'

/*
 * `scanIterator` of a cluster: the keys of all primaries, one page a step.
 *
 * Owns which slots were scanned. A slot is done if the same node owned it before and after its
 * scan. A slot that has moved meanwhile, or that is about to move, is scanned again on the node
 * that it goes to. If a node goes away, its successor is scanned from the beginning. So a key that
 * exists during the whole iteration comes at least once; it may come more often.
 */

const { RedisClient } = require('../client/client')
const { text } = require('../commands/shapes')
const { ConnectionError, ErrorReply, OxidisError, TimeoutError, misshapen } = require('../errors')
const { performance } = require('../timers')
const { mayPass } = require('./outcomes')
const { unlessReplaced } = require('./spread')
const { viewOver, viewWith } = require('./views')

/**
 * The pages of all primaries.
 * @param {object} cluster the client, or a view of it
 * @param {() => object | undefined} options as those of `scan`, asked for before each page
 */
async function * scanAll (cluster, options) {
  const { _bridge: bridge, _command: { timeout, signal } } = cluster
  if (!bridge.isClosed && cluster.masters.length === 0) await bridge.known(timeout, signal)
  const progress = new Progress(cluster)
  const scans = new Map()
  let moved = performance.now()
  while (progress.isLeft) {
    const node = progress.next()
    const steps = new NodeScan(cluster, node, options)
    for (let isMore = true; isMore;) {
      let page
      try {
        if (steps.before === null) {
          await steps.begin()
          // The node has given the slots away since the client has learned where they are.
          if (!progress.wants(node.id, steps.before)) throw nobody()
          count(scans, node)
        }
        page = await steps.step()
      } catch (error) {
        const mayGoOn = mayPass(error) || error instanceof TimeoutError
        if (!mayGoOn || performance.now() - moved > PATIENCE) throw error
        await cluster._bridge.refresh()
        break
      }
      moved = performance.now()
      isMore = !steps.isDone
      // Done before the page is handed out, because the caller may take long with it.
      if (steps.isDone) progress.settle(node.id, steps.before, steps.after)
      yield page
    }
  }
}

/** One scan of the keys of one node, with the slots that it owned before and afterwards. */
class NodeScan {
  constructor (cluster, node, options) {
    this.cluster = cluster
    this.node = node
    this.options = options
    this.cursor = '0'
    this.isDone = false
    this.before = null
    this.after = null
  }

  async begin () {
    if (this.node === undefined) throw nobody()
    this.before = await this.ask()
  }

  /** The next page. */
  async step () {
    const { cursor, keys } =
      await this.send(client => SCAN.call(client, this.cursor, this.options()))
    this.cursor = cursor
    // A Buffer where bulk strings are mapped to Buffers.
    if (String(cursor) === '0') {
      this.after = await this.ask()
      this.isDone = true
    }
    return keys
  }

  async ask () {
    try {
      const text = await this.send(client => {
        return NODES.call(viewWith(client, { ...client._command, typeMapping: undefined, mode: 0 }))
      })
      return slotsOf(text)
    } catch (error) {
      // A user without permission to ask has to rely on what the client has learned.
      if (!(error instanceof ErrorReply) || error.code !== 'NOPERM') throw error
      await this.cluster._bridge.refresh()
      return { owned: this.ranges(), leaving: new Map(), arriving: new Set() }
    }
  }

  ranges () {
    const owned = new Set()
    this.cluster.slots.forEach((shard, slot) => {
      if (shard?.master.id === this.node.id) owned.add(slot)
    })
    return owned
  }

  /** Sends what `run` sends to this node. Rejects as soon as it is known to be no primary. */
  send (run) {
    const { cluster, node } = this
    const { _bridge: bridge } = cluster
    if (bridge.isClosed) return run(cluster)
    const way = bridge.way(node.place)
    bridge.flush()
    const sent = run(viewOver(cluster, way))
    way.flush()
    return unlessReplaced(cluster, node, sent)
  }
}

/** The slots of which some keys may not have been seen. */
class Progress {
  #cluster
  /** Slot -> id of the node that its keys are moving to; undefined if they do not move. */
  #left = new Map()

  constructor (cluster) {
    this.#cluster = cluster
    cluster.slots.forEach((shard, slot) => {
      if (shard !== undefined) this.#left.set(slot, undefined)
    })
  }

  get isLeft () {
    return this.#left.size > 0
  }

  /** A node that has keys of slots that are left; undefined if no node has at the moment. */
  next () {
    const { masters, slots } = this.#cluster
    for (const [slot, id] of this.#left) {
      const node = masters.find(master => master.id === id) ?? slots[slot]?.master
      if (node !== undefined) return node
    }
  }

  /** Whether the node with this id, which owns the slots `owned`, has keys of what is left. */
  wants (id, { owned }) {
    for (const [slot, target] of this.#left) {
      if (target === id || owned.has(slot)) return true
    }
    return false
  }

  /** All keys of the node with this id were seen; `before` and `after` say which slots it had. */
  settle (id, before, after) {
    for (const [slot, target] of this.#left) {
      const hasStayed = after.owned.has(slot) && !after.leaving.has(slot)
      if (before.owned.has(slot)) {
        // If a migration was given up, keys that have come back may have been missed.
        if (hasStayed && !before.leaving.has(slot)) this.#left.delete(slot)
        else this.#left.set(slot, after.leaving.get(slot) ?? before.leaving.get(slot))
      } else if (target === id) {
        if (hasStayed || after.arriving.has(slot)) this.#left.delete(slot)
        else this.#left.set(slot, after.leaving.get(slot))
      }
    }
  }
}

/** What a node's answer to CLUSTER NODES says of its own slots. */
function slotsOf (reply) {
  const [, , , , , , , , ...words] = text(reply).split('\n').find(isOwn)?.split(' ') ?? []
  const owned = new Set()
  const leaving = new Map()
  const arriving = new Set()
  let named = 0
  for (const word of words) {
    // `[slot->-id]` goes to that node, `[slot-<-id]` comes from it.
    const [, moving, arrow, id] = /^\[(\d+)-([<>])-(\w+)\]/.exec(word) ?? []
    if (arrow === '>') leaving.set(Number(moving), id)
    else if (arrow === '<') arriving.add(Number(moving))
    else {
      const [first, last = first] = word.split('-').map(Number)
      // Each slot is named once, so more names would be a loop for as long as the server likes.
      named += last - first + 1
      if (!(last < SLOTS && named <= SLOTS)) throw misshapen(': these are no slots')
      for (let slot = first; slot <= last; slot++) owned.add(slot)
    }
  }
  return { owned, leaving, arriving }
}

function isOwn (line) {
  return line.split(' ')[2]?.split(',').includes('myself')
}

function count (scans, node) {
  const times = (scans.get(node.id) ?? 0) + 1
  if (times > MOST_SCANS) {
    throw new OxidisError(`scanIterator: the slots of the node ${node.address} do not stay: it ` +
      `was scanned ${MOST_SCANS} times`, { code: 'TOPOLOGY', retryable: true })
  }
  scans.set(node.id, times)
}

function nobody () {
  return new ConnectionError('no node of the cluster has some of the slots', {
    code: 'CLUSTERDOWN', applied: 'no', retryable: true
  })
}

const { scan: SCAN, clusterNodes: NODES } = RedisClient.prototype

/**
 * How long (ms) a step may wait for a primary that does not answer. A cluster with default settings
 * replaces a primary within 20 s.
 */
const PATIENCE = 30_000

/** The slots of a cluster, whatever its size. */
const SLOTS = 16_384

/** How often one node is scanned: again after each loss, and when slots have come to it. */
const MOST_SCANS = 100

module.exports = { scanAll }
