'use strict'

/*
 * What can happen to each scene. A fault is `{ name, run (random) }`; when `run` resolves, the
 * fault is over, and the scene has to serve again.
 */

const { Worker } = require('node:worker_threads')

/** The faults of a scene. */
function faultsOf (scene) {
  const own = { server: ofServer, cluster: ofCluster, sentinel: ofSentinel }[scene.name](scene)
  return [...own, blockedEventLoop]
}

function ofServer (scene) {
  const { server, proxy } = scene
  return [
    fault('server killed and restarted', async random => {
      await server.kill()
      // The server begins with the password of its command line.
      scene.password = scene.firstPassword
      await rest(random.between(0, 1500))
      await server.start()
    }),
    fault('server stopped', async random => {
      server.pause()
      await rest(random.between(500, 5000))
      server.resume()
    }),
    fault('connections reset', () => proxy.reset()),
    fault('reply cut', async random => {
      proxy.cutAfter(random.integer(1, 4000))
      await rest(500)
      proxy.heal()
    }),
    fault('slow network', async random => {
      proxy.latency(random.between(10, 150), { jitter: random.between(0, 100) })
      await rest(random.between(1000, 4000))
      proxy.heal()
    }),
    fault('narrow network', async random => {
      proxy.bandwidth(random.integer(50_000, 500_000))
      await rest(random.between(1000, 3000))
      proxy.heal()
    }),
    fault('small packets', async random => {
      proxy.slice(random.integer(1, 7))
      await rest(1000)
      proxy.heal()
    }),
    fault('black hole', async random => {
      proxy.blackHole()
      await rest(random.between(500, 6000))
      if (random.next() < 0.5) proxy.reset()
      proxy.heal()
    }),
    fault('proxy down', async random => {
      await proxy.down()
      await rest(random.between(100, 2000))
      await proxy.up()
    }),
    fault('CLIENT KILL', () => scene.admin.clientKill({ filter: 'TYPE', type: 'NORMAL' })),
    fault('password rotated', async random => {
      const [before, after] = [scene.password, `soak-${random.integer(1, 1_000_000)}`]
      if (before === after) return
      // Both are good for a while, as operators do it: a connection that is being made right now
      // may have asked for its password before.
      await scene.admin.aclSetUser('default', `>${after}`)
      scene.password = after
      await rest(500)
      await scene.admin.aclSetUser('default', `<${before}`)
      // Connections that are logged in stay so: new ones have to be made to notice.
      await scene.admin.clientKill({ filter: 'TYPE', type: 'NORMAL' })
    }),
    fault('worker terminated', async random => {
      const { host, port } = server
      const { password } = scene
      const entry = require.resolve('../..')
      const worker = new Worker(WORKER, { eval: true, workerData: { entry, host, port, password } })
      await new Promise(resolve => { worker.once('message', resolve).once('error', resolve) })
      await rest(random.between(0, 300))
      await worker.terminate()
    })
  ]
}

function ofCluster ({ cluster }) {
  return [
    fault('planned failover', async random => {
      const replica = random.oneOf(cluster.replicas)
      const { primary } = replica
      await cluster.failover(replica)
      await cluster.waitForPromotion(primary)
      await cluster.waitUntilHealthy()
    }),
    fault('primary killed', async random => {
      const node = random.oneOf(cluster.primaries)
      await cluster.kill(node)
      await cluster.waitForPromotion(node)
      await cluster.restart(node)
      await cluster.waitUntilHealthy()
    }),
    fault('primary stopped', async random => {
      const node = random.oneOf(cluster.primaries)
      cluster.pause(node)
      await rest(random.between(200, 1000))
      cluster.resume(node)
      await cluster.waitUntilHealthy()
    }),
    fault('slots moved', async random => {
      const [from, to] = shuffled(cluster.primaries, random)
      const [[first, last]] = from.slots
      const slot = random.integer(first, last)
      await cluster.migrateSlot(slot, from, to)
      await cluster.migrateSlot(slot, to, from)
    }),
    fault('CLIENT KILL', async random => {
      const node = random.oneOf(cluster.primaries)
      await cluster.command(node, 'CLIENT', 'KILL', 'TYPE', 'normal')
    })
  ]
}

function ofSentinel ({ set }) {
  return [
    fault('planned failover', async () => {
      const switched = set.waitForSwitch()
      await set.failover()
      await switched
      await set.waitUntilHealthy()
    }),
    fault('primary killed', async () => {
      const switched = set.waitForSwitch()
      const old = set.primary
      await set.kill(old)
      await switched
      await set.restart(old)
      await set.waitUntilHealthy()
    }),
    fault('primary stopped', async () => {
      const switched = set.waitForSwitch()
      const old = set.primary
      set.pause(old)
      await switched
      set.resume(old)
      await set.waitUntilHealthy()
    }),
    fault('sentinel killed', async random => {
      const sentinel = random.oneOf(set.sentinels)
      await set.kill(sentinel)
      await rest(random.between(500, 2000))
      await set.restart(sentinel)
      await set.waitUntilHealthy()
    }),
    fault('CLIENT KILL', () => set.command(set.primary, 'CLIENT', 'KILL', 'TYPE', 'normal'))
  ]
}

const blockedEventLoop = fault('event loop blocked', random => {
  const end = performance.now() + random.between(200, 2000)
  while (performance.now() < end) Math.random()
})

function fault (name, run) {
  return { name, run: async random => run(random) }
}

function shuffled (list, random) {
  const from = random.oneOf(list)
  return [from, random.oneOf(list.filter(one => one !== from))]
}

function rest (ms) {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}

/** A thread that has commands under way when it is ended. */
const WORKER = `
const { parentPort, workerData: { entry, host, port, password } } = require('node:worker_threads')
const client = require(entry).createClient({ socket: { host, port }, password })
client.on('error', () => {})
client.ping().then(() => parentPort.postMessage('ready'), () => parentPort.postMessage('failed'))
setInterval(() => { for (let i = 0; i < 1000; i++) client.incr('soak:worker').catch(() => {}) }, 5)`

module.exports = { faultsOf }
