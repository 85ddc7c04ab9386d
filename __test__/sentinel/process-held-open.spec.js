'use strict'

// A program ends by itself when nothing is pending, although a sentinel is listened to.

const assert = require('node:assert')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { it } = require('node:test')
const { promisify } = require('node:util')

const { skipBefore7 } = require('../support/redis-server')
const { scene } = require('./scene')

it('a program that does not close its client ends by itself', { skip: skipBefore7() }, async t => {
  const { set } = await scene(t, { replicas: 0, sentinels: 1 })
  const { name, sentinelRootNodes } = set
  const program = `
    const { createSentinel } = require(${JSON.stringify(path.join(__dirname, '..', '..'))})
    const client = createSentinel(${JSON.stringify({ name, sentinelRootNodes })})
    client.once('topology-change', () => {})
    client.incr('n').then(reply => console.log(reply))`
  // Far longer than it takes; a program that is held open would never end.
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['-e', program], { timeout: 20_000 })
  assert.strictEqual(stdout, '1\n')
})
