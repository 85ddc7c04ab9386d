'use strict'

// A server, a client with a cache, and another client that changes what is cached.

const { createClient, BasicClientSideCache } = require('../..')
const { heard } = require('../behaviour/eventually')
const { startServer } = require('../support/redis-server')

/**
 * @param {object} [options] of the client with the cache
 * @param {object} [cacheOptions] of its cache
 * @param {object} [serverOptions] of the server
 */
async function startScene (options = {}, cacheOptions = {}, serverOptions = {}) {
  const server = await startServer(serverOptions)
  const scene = new Scene(server)
  scene.add(options, cacheOptions)
  return scene
}

class Scene {
  constructor (server) {
    this.server = server
    this.other = quiet(createClient(server.url))
    this.clients = [this.other]
  }

  /** Makes the client with the cache. */
  add (options = {}, cacheOptions = {}, make = createClient) {
    this.cache = new BasicClientSideCache(cacheOptions)
    this.client = quiet(make({ url: this.server.url, clientSideCache: this.cache, ...options }))
    this.clients.push(this.client)
    return this.client
  }

  /** Resolves once the cache was told of `key`, which `change` changes. */
  async told (key, change) {
    const told = hearsOf(this.cache, key)
    await change()
    await told
  }

  /** How often the server was asked for what `run` reads, and what `run` resolves to. */
  async misses (run) {
    const before = this.cache.stats()
    const result = await run()
    const { hitCount, missCount } = this.cache.stats()
    // A read past the cache is no miss either.
    if (hitCount + missCount === before.hitCount + before.missCount) {
      throw new Error('nothing was looked for in the cache')
    }
    return { result, misses: missCount - before.missCount }
  }

  async reset () {
    await this.other.flushAll()
    await this.client.ping()
    this.cache.clear()
  }

  async stop () {
    for (const client of this.clients) client.destroy()
    await this.server.stop()
  }
}

/** Resolves once `cache` has heard that `key` has changed. */
async function hearsOf (cache, key) {
  for (;;) {
    const told = await heard(cache, 'invalidate')
    if (told !== null && Buffer.from(told).equals(Buffer.from(key))) return
  }
}

/** A lost connection is part of many tests. */
function quiet (client) {
  return client.on('error', () => {})
}

module.exports = { hearsOf, quiet, startScene }
