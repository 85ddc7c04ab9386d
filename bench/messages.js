'use strict'

// Messages per second that one subscriber takes.
//
// A part of run.js; by itself: node bench/messages.js [--clients oxidis,node-redis] [--rounds 5]
// [--ms 800]
//
// As in run.js each client has its turn in each round, and medians are compared. A round counts
// what listeners were called with; a message that is lost or doubled ends the benchmark.

const { fork } = require('node:child_process')
const path = require('node:path')

const PAYLOAD = 'abcdefghijklmnopqrstuvwxyz0123456789'.padEnd(64, '-')
/** Messages under way at once: below the 10,000 that oxidis keeps for a busy event loop. */
const WINDOW = 8192
/** Messages that one byte of credit stands for. */
const CREDIT = 1024

/** Who takes part, and by which ways the messages come. */
const CLIENTS = ['oxidis', 'node-redis', 'ioredis']
const WAYS = {
  direct: 'messages of 64 B, written by a stand-in for the server: the subscriber is the limit',
  server: 'messages of 64 B, PUBLISH to a real server on the same machine'
}

/**
 * Measures each of `names` by one way: `{ name: { ops, slowest, fastest, loop, cpu } }`, with
 * messages per second, and event-loop and CPU time in µs per message.
 */
async function compete (way, names, { host, port }, { rounds, ms }) {
  const scenes = []
  try {
    for (const name of names) scenes.push(await Scene.open(name, way, { host, port }))
    for (const scene of scenes) await scene.run(ms)
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < scenes.length; turn++) {
        const scene = scenes[(round + turn) % scenes.length]
        scene.runs.push(await scene.run(ms))
      }
    }
    return Object.fromEntries(scenes.map(({ name, runs }) => [name, medians(runs)]))
  } finally {
    for (const scene of scenes) scene.stop()
  }
}

/** A subscriber and its publisher, each in a process of its own. */
class Scene {
  static async open (name, way, { host, port }) {
    const scene = new Scene()
    scene.name = name
    scene.runs = []
    // Of its own: several subscribers share one server.
    const channel = `bench:messages:${name}`
    scene.publisher = fork(path.join(__dirname, 'publisher.js'),
      [way, host, String(port), channel])
    const ports = await answer(scene.publisher)
    scene.subscriber = fork(path.join(__dirname, 'subscriber.js'))
    const server = ports.server === undefined ? { host, port } : { host, port: ports.server }
    scene.subscriber.send({ name, server, channel, credit: ports.credit })
    await answer(scene.subscriber)
    return scene
  }

  async run (ms) {
    this.subscriber.send({ ms })
    this.publisher.send(true)
    const result = await answer(this.subscriber)
    this.publisher.send(false)
    this.subscriber.send(await answer(this.publisher))
    await answer(this.subscriber)
    return result
  }

  stop () {
    this.publisher.kill('SIGKILL')
    this.subscriber.kill('SIGKILL')
  }
}

function answer (child) {
  return new Promise((resolve, reject) => {
    const settle = (action, value) => {
      child.off('message', onMessage).off('exit', onExit)
      action(value)
    }
    const onMessage = value =>
      value.error ? settle(reject, new Error(value.error)) : settle(resolve, value)
    const onExit = code =>
      settle(reject, new Error(`a process of the benchmark ended with ${code}`))
    child.on('message', onMessage).on('exit', onExit)
  })
}

function medians (runs) {
  const { median } = require('./load')
  const figures = ['ops', 'loop', 'cpu'].map(name => [name, median(runs.map(run => run[name]))])
  const rates = runs.map(run => run.ops)
  return {
    ...Object.fromEntries(figures),
    slowest: Math.min(...rates),
    fastest: Math.max(...rates)
  }
}

function print (title, figures) {
  const lines = Object.entries(figures).map(([name, { ops, slowest, fastest, loop, cpu }]) =>
    `  ${name.padEnd(14)}${Math.round(ops).toLocaleString('en').padStart(12)} messages/s ` +
    `(${Math.round(slowest / 1000)}-${Math.round(fastest / 1000)} k)  ` +
    `loop ${loop.toFixed(2)} µs, CPU ${cpu.toFixed(2)} µs each`)
  const peers = Object.keys(figures).filter(name => name !== 'oxidis')
  const best = Math.max(...peers.map(name => figures[name].ops))
  if (figures.oxidis && peers.length > 0) {
    lines.push(`  oxidis against the best peer: ${(figures.oxidis.ops / best).toFixed(2)}x`)
  }
  process.stdout.write(`${title}\n${lines.join('\n')}\n\n`)
}

async function main () {
  const { values } = require('node:util').parseArgs({
    options: {
      clients: { type: 'string', default: CLIENTS.join() },
      rounds: { type: 'string', default: '5' },
      ms: { type: 'string', default: '800' }
    }
  })
  const { CLIENTS: known, locate } = require('./clients')
  const names = values.clients.split(',').filter(name => {
    return locate(known[name].package) !== undefined
  })
  const plan = { rounds: Number(values.rounds), ms: Number(values.ms) }
  const server = await require('../__test__/support/redis-server').startServer()
  try {
    for (const [way, title] of Object.entries(WAYS)) {
      print(title, await compete(way, names, server, plan))
    }
  } finally {
    await server.stop()
  }
}

if (require.main === module) main()

module.exports = { CLIENTS, CREDIT, PAYLOAD, WAYS, WINDOW, compete, print }
