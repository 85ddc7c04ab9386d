'use strict'

// What the specs of sessions and blocking commands share: a server that speaks plainly and one that
// encrypts, in both protocols. Plain connections are served by the event loop, encrypted ones by
// the I/O thread, so both are tested.

const fs = require('node:fs')
const { after, before, describe } = require('node:test')

const { createClient } = require('../..')
const { skipWithoutTls, startServer } = require('../support/redis-server')
const { eventually } = require('./eventually')

/**
 * Declares `tests ({ client, options, server })` once for each kind of connection. `options` lead
 * a client there; `client (t, more)` makes one that ends with test `t`.
 */
function overEveryWire (name, tests) {
  for (const tls of [false, true]) {
    for (const RESP of [2, 3]) {
      const title = `${name}, over ${tls ? 'TLS' : 'plain TCP'} in RESP${RESP}`
      describe(title, { skip: tls && skipWithoutTls() }, () => {
        const scene = { server: undefined, options: undefined, client: undefined }
        before(async () => {
          scene.server = await startServer({ tls })
          const socket = tls ? { ca: fs.readFileSync(scene.server.certificates.ca, 'utf8') } : {}
          scene.options = { url: scene.server.url, RESP, socket }
          scene.client = (t, more) => {
            const client = createClient({ ...scene.options, ...more })
            t.after(() => client.destroy())
            return client
          }
        })
        after(() => scene.server.stop())
        tests(scene)
      })
    }
  }
}

/** The error that `promise` is rejected with. */
function failure (promise) {
  return promise.then(value => { throw new Error(`expected a failure, got ${value}`) },
    error => error)
}

/** Waits until the server blocks exactly `count` clients, as `witness` sees it. */
function blocked (witness, count) {
  return eventually(async () => (await witness.info('clients'))
    .includes(`blocked_clients:${count}\r`), `${count} blocked clients`)
}

/** Waits until `client` has no exclusive connection out. */
function allReturned (client) {
  return eventually(() => client.stats().pool.inUse === 0, 'the return of all sessions')
}

module.exports = { allReturned, blocked, failure, overEveryWire }
