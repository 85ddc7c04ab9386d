'use strict'

// Cache-aside: look into Redis, compute what is not there, keep it for a while. The cache may be
// slow or away. That costs the caller a short wait at most, and never an error.
//
//   REDIS_URL=redis://localhost:6379 node examples/cache-aside.js
//
// Shows a miss, a hit, twenty callers who share one computation, a caller who gives up, and a
// cache without a server. Ends by itself.

const { AbortError, OxidisError, createClient } = require('oxidis')

const cacheOf = url => createClient({
  url,
  keyPrefix: `example:cache:${process.pid}:`,
  // Computing takes 600 ms here: waiting longer for the cache would be worse than not having one.
  commandOptions: { timeout: 500 }
})

class Cache {
  constructor (client, compute) {
    this.client = client
    this.compute = compute
    this.underway = new Map()
  }

  /** The value of `key`, from the cache if it answers in time; `signal` ends the wait. */
  async get (key, signal) {
    signal?.throwIfAborted()
    const client = signal ? this.client.withAbortSignal(signal) : this.client
    const cached = await this.tolerate(client.get(key))
    if (cached !== null) return { value: cached, from: 'cache' }
    return { value: await this.fresh(key), from: 'computation' }
  }

  /** Computes `key` once for all who ask meanwhile, and keeps it for ten seconds. */
  fresh (key) {
    const running = this.underway.get(key) ?? this.compute(key).then(async value => {
      await this.tolerate(this.client.set(key, value, { expiration: { type: 'EX', value: 10 } }))
      return value
    }).finally(() => this.underway.delete(key))
    this.underway.set(key, running)
    return running
  }

  /** null instead of a failure of the cache. An abort by the caller stays an error. */
  async tolerate (reply) {
    try {
      return await reply
    } catch (error) {
      if (error instanceof AbortError || !(error instanceof OxidisError)) throw error
      print(`  (the cache failed: ${error.code}, applied ${error.applied}, because of ` +
        `${error.cause?.code ?? 'nothing known'})`)
      return null
    }
  }
}

let computations = 0

async function compute (key) {
  computations++
  await new Promise(resolve => { setTimeout(resolve, 600) })
  return `value of ${key}`
}

async function main () {
  const client = await cacheOf(process.env.REDIS_URL ?? 'redis://localhost:6379').connect()
  const cache = new Cache(client, compute)
  try {
    print(`first: from ${(await cache.get('a')).from}`)
    print(`again: from ${(await cache.get('a')).from}`)

    computations = 0
    await Promise.all(Array.from({ length: 20 }, () => cache.get('b')))
    print(`20 callers at once: ${computations} computation`)

    const leaving = new AbortController()
    const left = cache.get('a', leaving.signal)
    leaving.abort()
    await left.catch(error => print(`a caller who left: ${error.code}, applied ${error.applied}`))
  } finally {
    await client.unlink(['a', 'b'])
    await client.close()
  }

  // Port 1 of this machine: nobody listens there.
  const nobody = cacheOf('redis://127.0.0.1:1')
  print(`without a cache: from ${(await new Cache(nobody, compute).get('c')).from}`)
  nobody.destroy()
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

main().catch(error => {
  console.error(`cache-aside: ${error.message}`)
  process.exitCode = 1
})
