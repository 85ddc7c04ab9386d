'use strict'

// The demo of a cluster shows what it says, notices what must not happen, and leaves no server.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')
const path = require('node:path')
const { describe, it } = require('node:test')

const { ErrorReply } = require('../..')
const { startLoad } = require('../../scripts/demo-cluster/load')
const { slotOf } = require('../support/hash-slot')
const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')

const root = path.join(__dirname, '..', '..')

describe('npm run demo -- --cluster', { skip: skipBefore7() }, () => {
  it('shows a failover and a migration, and ends by itself with nothing broken', async () => {
    const demo = start()
    const [status] = await once(demo.child, 'close')
    const { text } = demo
    assert.strictEqual(status, 0, text)
    for (const part of [
      /killed the primary [\d.:]+: nobody serves 5,46\d slots/,
      /promoted: [\d.:]+ has taken over, [\d,]+ ms after the kill/,
      /recovered: all of its slots take writes, [\d,]+ ms later/,
      /[\d.:]+ is back, as a replica/,
      /moved in [\d,]+ ms: [\d,]+ commands were sent on by MOVED, ASK or TRYAGAIN, 0 failed/,
      /No error for any other slot, no acknowledged write lost/
    ]) assert.match(text, part)
    // A table of six nodes at each event: address, role, state, slots, commands/s, errors.
    const row = /^ {2}[\d.]+:\d+ +(primary|replica of \d+|-) +(up|killed|starting|g\w+ slots) +/gm
    assert.ok(text.match(row).length >= 6 * 6, text)
    const redirects = Number(/redirects +([\d,]+)/.exec(text)[1].replaceAll(',', ''))
    assert.ok(redirects > 0, text)
    await assertGone(text)
  })

  it('ends its servers when it is interrupted', async () => {
    const demo = start()
    await demo.heard(/killed the primary/)
    demo.child.kill('SIGINT')
    const [status] = await once(demo.child, 'close')
    assert.strictEqual(status, 130, demo.text)
    await assertGone(demo.text)
  })
})

describe('the load of the demo', () => {
  const other = () => {}

  it('finds nothing wrong with a server that is right', async () => {
    assert.deepStrictEqual(await broken(other), [])
  })

  for (const [failure, what, sabotage] of [
    ['an INCR that is run twice', /run twice/, (name, data, key) => {
      if (name === 'incr') data.set(key, Number(data.get(key) ?? 0) + 1)
    }],
    ['an INCR that is lost', /acknowledged INCR is lost/, (name, data, key) => {
      if (name === 'incr' && data.get(key) === 3) data.set(key, 0)
    }],
    ['a SET that is lost', /acknowledged SET is lost/, (name, data, key) => {
      if (name === 'get') data.delete(key)
    }],
    ['a foreign reply', /foreign reply/, (name, data, key) => {
      if (name === 'get') data.set(key, '{demo:x} 1')
    }],
    ['an error', /which was not affected: TRYAGAIN/, name => {
      if (name === 'set') throw new ErrorReply('TRYAGAIN not now')
    }]
  ]) {
    it(`notices ${failure}`, async () => {
      const found = await broken(sabotage)
      assert.ok(found.some(text => what.test(text)), found.join('\n'))
    })
  }
})

/** What the load finds to be broken with a server whose commands go through `sabotage` first. */
async function broken (sabotage) {
  const data = new Map()
  const command = (name, run) => async (key, value) => {
    sabotage(name, data, key)
    return run(key, value)
  }
  const cluster = {
    slots: [],
    incr: command('incr', key => data.set(key, Number(data.get(key) ?? 0) + 1).get(key)),
    set: command('set', (key, value) => { data.set(key, value) }),
    get: command('get', key => data.get(key) ?? null),
    mGet: async keys => keys.map(key => data.get(key) ?? null)
  }
  const load = startLoad(cluster, slotOf)
  while (load.pairs[0].written < 6) await new Promise(resolve => { setTimeout(resolve, 5) })
  await load.stop()
  await load.verify()
  return load.broken
}

function start () {
  const script = path.join(root, 'scripts', 'demo.js')
  const child = spawn(process.execPath, [script, '--cluster'], {
    cwd: root, stdio: ['ignore', 'pipe', 'inherit'], timeout: TIMEOUT
  })
  const demo = {
    child,
    text: '',
    heard: what => new Promise((resolve, reject) => {
      const look = () => { if (what.test(demo.text)) resolve() }
      child.stdout.on('data', look)
      child.once('close', () => reject(new Error(`never heard ${what}:\n${demo.text}`)))
    })
  }
  child.stdout.setEncoding('utf8').on('data', text => { demo.text += text })
  return demo
}

/** Nobody listens any more at the addresses that `text` names, or will in a moment. */
async function assertGone (text) {
  const ports = new Set([...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port)))
  assert.strictEqual(ports.size, 6)
  for (const port of ports) await until(`nobody listens at port ${port}`, () => isRefused(port))
}

function isRefused (port) {
  const socket = net.connect({ host: '127.0.0.1', port })
  return new Promise(resolve => {
    socket.once('connect', () => { socket.destroy(); resolve(false) })
    socket.once('error', () => resolve(true))
  })
}

// It takes 15 seconds; a busy machine may need several times that.
const TIMEOUT = 120_000
