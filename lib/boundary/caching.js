'use strict'

/*
 * The senders of a client with a cache.
 *
 * Owns what the cache has to hear of: each command that may change keys, whichever way it goes, and
 * what the native side reads from the sockets. A client without a cache has the senders that are
 * extended here, as they are.
 *
 * Invariant: no command that may change a key is handed over before the cache has forgotten the
 * key.
 */

const {
  ALL, ANY, CHAIN, CONNECTION, EVERYTHING, FIRST, NOTHING, WATCH, effectOf, visitArguments
} = require('../cache/own-writes')
const { LAST_LANE_ID } = require('./bridge')

/**
 * The class of the bridges of clients with a cache.
 * @param {typeof import('./bridge').Bridge} Base
 */
function caching (Base) {
  let made = CACHING.get(Base)
  if (made === undefined) CACHING.set(Base, made = extended(Base))
  return made
}

function extended (Base) {
  return class CachingBridge extends Base {
    constructor (...args) {
      super(...args)
      /** @type {import('../cache/table').Table} both set by `useCache` */
      this.table = undefined
      this.cache = undefined
      /** Whether reads go past the cache, because the next transaction acts on what they find. */
      this.isWatching = false
      /** Whether what is called later runs later, so that a read finds what was written before. */
      this.keepsOrder = this.lanes === 1 && !this.readsReplicas
    }

    /**
     * Keeps replies in `cache` from now on.
     * @param {import('../cache/caches').BasicClientSideCache} cache
     * @param {string} endpoint what the client is connected to
     */
    useCache (cache, endpoint) {
      const { core } = this
      this.cache = cache
      this.table = cache._join(endpoint)
      this.table.identity = this.identity
      const cell = core.trackingCell()
      const refresh = cell === null ? array => core.readTracking(array) : null
      const news = { refresh, take: () => core.takeInvalidations() }
      this.table.attach(cell ?? new Uint32Array(2), news)
    }

    /** Names of keys that have changed, a char for each byte. */
    invalidated (keys) {
      const { table } = this
      for (const key of keys) {
        table.invalidate(key)
        table.tell('invalidate', key)
      }
    }

    /**
     * Sends a read whose reply is to be kept. As `send`, for a caller that has made the promise.
     * @param {(value: unknown) => void} resolve
     * @param {(error: Error) => void} reject
     */
    load (encoded, mode, timeout, row, context, resolve, reject) {
      if (this.promises.pending >= this.limits.maxCommands ||
        this.queued + this.batch.text.length + encoded.length > this.watermark) {
        const refusal = this.refusal(encoded.length, 1, encoded)
        if (refusal !== null) return reject(refusal)
      }
      this.batch.add(encoded, encoded.length, mode, timeout)
      const id = this.nextId
      this.nextId = (id + 1) & LAST_LANE_ID
      this.promises.put(id, resolve, reject, row, context)
    }

    send (encoded, mode, timeout, row, context) {
      const effect = effectOf(row, mode)
      if (effect === NOTHING) return super.send(encoded, mode, timeout, row, context)
      const refusal = this.#note(effect, null, encoded)
      if (refusal !== null) return Promise.reject(refusal)
      const promise = super.send(encoded, mode, timeout, row, context)
      return this.#forgetAgain(promise, effect, null, encoded)
    }

    sendLarge (chunks, tail, mode, timeout, row, context) {
      const effect = effectOf(row, mode)
      // The sender changes the list.
      const kept = [...chunks]
      const refusal = this.#note(effect, kept, tail)
      if (refusal !== null) return Promise.reject(refusal)
      const promise = super.sendLarge(chunks, tail, mode, timeout, row, context)
      return this.#forgetAgain(promise, effect, kept, tail)
    }

    sendTogether (commands, timeout, taken) {
      const effects = commands.map(({ row, mode }) => effectOf(row, mode))
      const kept = commands.map(({ chunks }) => chunks && [...chunks])
      commands.forEach(({ text }, i) => this.forget(effects[i], kept[i], text))
      const promises = super.sendTogether(commands, timeout, taken)
      return promises.map((promise, i) =>
        this.#forgetAgain(promise, effects[i], kept[i], commands[i].text))
    }

    /** Takes notice of a command that is about to go over a lane. Returns the refusal, or null. */
    #note (effect, chunks, tail) {
      if (effect === CONNECTION) return this.#refusal(chunks, tail)
      if (effect === CHAIN) this.isWatching = false
      else if (effect === WATCH) this.isWatching = isWatch(chunks?.[0] ?? tail)
      this.forget(effect, chunks, tail)
      return null
    }

    /** Where the order is not kept, a read may have run before the write and be kept after it. */
    #forgetAgain (promise, effect, chunks, tail) {
      if (effect === NOTHING || (this.keepsOrder && effect !== ALL)) return promise
      return this.forgetLater(promise, effect, chunks, tail)
    }

    /** Forgets once more when the command is answered, before its caller hears of that. */
    forgetLater (promise, effect, chunks, tail) {
      if (effect === NOTHING) return promise
      const again = () => { this.forget(effect, chunks, tail) }
      promise.then(again, again)
      return promise
    }

    /** Forgets what a command may change. */
    forget (effect, chunks, tail) {
      const { table } = this
      if (effect === ALL) {
        table.clear()
      } else if (effect === FIRST) {
        visitArguments(chunks, tail, (argument, place) => {
          if (place === 0) return true
          table.forget(argument)
          return false
        })
      } else if (effect === ANY) {
        visitArguments(chunks, tail, (argument, place) => { if (place > 0) table.forget(argument) })
      } else if (effect === CHAIN) {
        visitArguments(chunks, tail, (argument, place) => {
          if (place === 0 && changesAll(argument)) table.clear()
          table.forget(argument)
        })
      }
    }

    /** Without RESP3 and tracking nothing would be told of changes. */
    #refusal (chunks, tail) {
      const words = []
      visitArguments(chunks, tail, argument => words.push(argument.toUpperCase()) < 2)
      const [name, word] = words
      if (name === 'CLIENT' && (word === 'TRACKING' || word === 'CACHING')) {
        return new TypeError(`CLIENT ${word}: the connection tracks keys for clientSideCache`)
      }
      if (name === 'HELLO' && word !== undefined && word !== '3') {
        return new TypeError('HELLO: clientSideCache needs RESP3')
      }
      // Another login may not read what this one could.
      if (name === 'HELLO') this.table.clear()
      return null
    }

    startOver () {
      this.isWatching = false
      this.table.clear()
      super.startOver()
    }

    sessionBridge (target) {
      return watched(super.sessionBridge(target))
    }

    nodeBridge (place) {
      return watched(super.nodeBridge(place))
    }

    close () {
      super.close()
      this.cache._leave(this.table)
    }
  }
}

/**
 * Makes a sender to one session or node tell the cache of its client what it may change. What it
 * sends has no order beside what the lanes send, so the cache forgets twice.
 */
function watched (sender) {
  const { bridge } = sender
  const prototype = Object.getPrototypeOf(sender)
  sender.send = function (encoded, mode, timeout, row, context) {
    const effect = effectOn(row, mode)
    bridge.forget(effect, null, encoded)
    const promise = prototype.send.call(this, encoded, mode, timeout, row, context)
    return bridge.forgetLater(promise, effect, null, encoded)
  }
  sender.sendLarge = function (chunks, tail, mode, timeout, row, context) {
    const effect = effectOn(row, mode)
    const kept = [...chunks]
    bridge.forget(effect, kept, tail)
    const promise = prototype.sendLarge.call(this, chunks, tail, mode, timeout, row, context)
    return bridge.forgetLater(promise, effect, kept, tail)
  }
  return sender
}

/** The effect of a command that goes over a connection of its own, which may be changed. */
function effectOn (row, mode) {
  const effect = effectOf(row, mode)
  return effect === CONNECTION || effect === WATCH ? NOTHING : effect
}

/** Whether a command of a chain, by its name, changes all keys. */
function changesAll (name) {
  const upper = name.toUpperCase()
  // EXEC ends the chain. What it selects ends with it, or is selected by another one.
  return upper !== 'EXEC' && upper !== 'SELECT' && EVERYTHING.has(upper)
}

function isWatch (text) {
  let name
  visitArguments(null, text, argument => {
    name = argument
    return false
  })
  return name.toUpperCase() === 'WATCH'
}

/** Class of bridges -> the one with a cache. */
const CACHING = new Map()

module.exports = { caching }
