'use strict'

/*
 * Chains of a cluster's client.
 *
 * Owns where a chain goes that has no key: to the node of the `routing` key of `multi(routing)`.
 * All others go where their keys are, which the native side finds out; a transaction with keys of
 * several slots is refused there before anything is sent.
 */

const { callback } = require('../methods/from-rows')
const native = require('../native')

/**
 * The class of the chains of a cluster's client.
 * @param {Function} Multi the class of the client's chains
 */
function clusterMulti (Multi) {
  return class RedisMulti extends Multi {
    #route

    /**
     * @param {object} target the client, view or session that executes the chain
     * @param {number} [slot] of the routing key
     */
    constructor (target, slot) {
      const route = { slot, hasKey: false, target, bridge: () => target._bridge }
      super(slot === undefined ? target : routed(target, route))
      this.#route = route
    }

    /** As on other chains; or in node-redis's form for clusters, whose key and flag say no more. */
    addCommand (args, transform, ...rest) {
      return Array.isArray(args) || rest.length === 0
        ? super.addCommand(args, transform)
        : super.addCommand(...rest)
    }

    _add (row, head, w) {
      const { slot, hasKey } = this.#route
      if (slot !== undefined && !hasKey) this.#route.hasKey = hasKeys(head, w)
      return super._add(row, head, w)
    }

    exec (execAsPipeline, done) {
      if (typeof execAsPipeline === 'function') return this.exec(false, execAsPipeline)
      const { slot, hasKey, bridge } = this.#route
      const { core, known } = bridge()
      // Without `known` the client is closed, or a session.
      if (slot === undefined || hasKey || !known || core.primaryOf(slot) !== null) {
        return super.exec(execAsPipeline, done)
      }
      const { timeout, signal } = this.#route.target._command
      const found = bridge().known(timeout, signal).then(() => super.exec(execAsPipeline))
      return typeof done === 'function' ? callback(found, done) : found
    }

    EXEC (execAsPipeline, done) {
      return this.exec(execAsPipeline, done)
    }
  }
}

/** `target`, whose commands go to the node of the slot as long as the chain has no key. */
function routed (target, route) {
  return Object.create(target, {
    _bridge: {
      get () {
        const bridge = route.bridge()
        const place = route.hasKey ? null : bridge.core?.primaryOf(route.slot) ?? null
        return place === null || bridge.way === undefined ? bridge : bridge.way(place)
      }
    }
  })
}

/** Whether the command that was written has keys. */
function hasKeys (head, { chunks, body }) {
  const text = chunks === null ? head + body : `${head}${chunks.join('')}${body}`
  return native.slotOfCommand(Buffer.from(text, 'latin1')) !== null
}

module.exports = { clusterMulti }
