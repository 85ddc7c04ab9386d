'use strict'

/*
 * Chains of a cluster's client.
 *
 * A chain goes where its keys are, which the native side finds out; it refuses a transaction with
 * keys of several slots before anything is sent. A chain without keys goes to the node that has the
 * `routing` key of `multi(routing)`.
 */

const { bytesOf } = require('../boundary/batch')
const { settleWith } = require('../methods/callback')
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
      const route = { slot, hasKey: false, target }
      super(slot === undefined ? target : routed(target, route))
      this.#route = route
    }

    /** As on other chains. Node-redis's form for clusters has two arguments in front: ignored. */
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
      const { slot, hasKey, target } = this.#route
      const { _bridge: bridge, _command: { timeout, signal } } = target
      const isReady = slot === undefined || hasKey || bridge.isClosed ||
        bridge.primaryOf(slot) !== null
      if (isReady) return super.exec(execAsPipeline, done)
      const found = bridge.known(timeout, signal).then(() => super.exec(execAsPipeline))
      return settleWith(found, done)
    }

    EXEC (execAsPipeline, done) {
      return this.exec(execAsPipeline, done)
    }
  }
}

/** A view of `target` whose commands go to the node of the slot as long as the chain has no key. */
function routed (target, route) {
  return Object.create(target, {
    _bridge: {
      get () {
        const { _bridge: bridge } = target
        const place = route.hasKey ? null : bridge.primaryOf(route.slot)
        return place === null ? bridge : bridge.way(place)
      }
    }
  })
}

/** Whether the command that was written has keys. */
function hasKeys (head, { chunks, body }) {
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), bytesOf(chunks, body)])
  return native.slotOfCommand(bytes) !== null
}

module.exports = { clusterMulti }
