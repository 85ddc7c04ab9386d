'use strict'

// The test support's own tests: a fault test proves nothing when the fault never happened.

const assert = require('node:assert')
const { execFileSync, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { after, afterEach, before, beforeEach, describe, it } = require('node:test')
const tls = require('node:tls')

const { startFakeCluster } = require('./support/fake-cluster')
const { startFakeServer } = require('./support/fake-server')
const { startFaultProxy } = require('./support/fault-proxy')
const { keyIn, slotOf } = require('./support/hash-slot')
const { startOracle } = require('./support/oracle')
const { BLOCK, freePort, lastingRange, listenAnywhere } = require('./support/ports')
const { startCluster } = require('./support/redis-cluster')
const { skipBefore7, skipWithoutTls, startServer } = require('./support/redis-server')
const { startSentinels } = require('./support/redis-sentinel')

// For suites within one that runs them at the same time.
const IN_ORDER = { concurrency: false }

describe('a started server', () => {
  let server
  before(async () => { server = await startServer({ unixSocket: true }) })
  after(() => server.stop())

  it('answers on its port and on its Unix socket', async () => {
    assert.strictEqual(await ask(net.connect(server.port, server.host), 'PING\r\n'), '+PONG\r\n')
    assert.strictEqual(await ask(net.connect(server.unixSocket), 'PING\r\n'), '+PONG\r\n')
  })

  it('restarts on the same port with no data', async () => {
    const { port, pid } = server
    await ask(net.connect(port, server.host), 'SET k v\r\n')
    await server.restart()
    assert.notStrictEqual(server.pid, pid)
    assert.strictEqual(server.port, port)
    assert.strictEqual(await ask(net.connect(port, server.host), 'GET k\r\n'), '$-1\r\n')
  })

  it('answers after a pause what it was asked during it', async () => {
    server.pause()
    const socket = net.connect(server.port, server.host)
    const answer = ask(socket, 'PING\r\n')
    await once(socket, 'connect')
    server.resume()
    assert.strictEqual(await answer, '+PONG\r\n')
  })

  it('starts on other ports when somebody else takes the chosen ones', async t => {
    const thief = net.createServer()
    const port = await listenAnywhere(thief)
    t.after(() => thief.close())
    for (const [name, cluster] of [['--port', false], ['--port', true], ['--cluster-port', true]]) {
      if (cluster && skipBefore7()) continue
      let attempts = 0
      // The last option counts, so the first attempt finds its port taken.
      const args = () => attempts++ === 0 ? [name, String(port)] : []
      const other = await startServer({ cluster, args })
      assert.strictEqual(attempts, 2)
      assert.strictEqual(await ask(net.connect(other.port, other.host), 'PING\r\n'), '+PONG\r\n')
      await other.stop()
    }
  })

  it('waits for its port when it is started again and somebody else has taken it', async () => {
    const other = await startServer()
    const { port } = other
    await other.kill()
    const thief = net.createServer()
    await once(thief.listen(port, '127.0.0.1'), 'listening')
    const launched = []
    const { launch } = other
    other.launch = function () {
      launched.push(this.port)
      // Not before the first attempt has failed.
      if (launched.length === 2) thief.close()
      return launch.call(this)
    }
    await other.start()
    assert.ok(launched.length >= 2 && launched.every(one => one === port), String(launched))
    assert.strictEqual(await ask(net.connect(port, other.host), 'PING\r\n'), '+PONG\r\n')
    await other.stop()
  })

  it('asks for its password', async () => {
    const locked = await startServer({ requirepass: 'a b' })
    assert.ok(locked.url.includes(':a%20b@'))
    assert.match(await ask(net.connect(locked.port, locked.host), 'PING\r\n'), /^-NOAUTH/)
    await locked.stop()
  })

  it('dies with the process that started it, even by SIGKILL', async () => {
    const support = JSON.stringify(path.join(__dirname, 'support', 'redis-server'))
    const child = spawn(process.execPath, ['-e', `
      require(${support}).startServer().then(({ port }) => {
        console.log(port)
        setInterval(() => {}, 1000)
      })`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(child.stdout, 'data')
    const socket = net.connect(Number(line), '127.0.0.1')
    await once(socket, 'connect')
    child.kill('SIGKILL')
    socket.resume()
    await once(socket, 'close').catch(error => assert.strictEqual(error.code, 'ECONNRESET'))
  })

  it('names the reason when it cannot start', async () => {
    await assert.rejects(startServer({ args: ['--no-such-option', '1'] }), /no-such-option/)
  })
})

describe('a server with TLS', { skip: skipWithoutTls() }, () => {
  let server
  before(async () => { server = await startServer({ tls: { authClients: true } }) })
  after(() => server.stop())

  const read = file => fs.readFileSync(file)
  const connect = pair => tls.connect({
    host: 'localhost',
    port: server.port,
    ca: read(server.certificates.ca),
    cert: pair && read(pair.cert),
    key: pair && read(pair.key)
  })

  it('is trusted by its authority and takes the client certificate', async () => {
    const socket = connect(server.certificates.client)
    assert.strictEqual(await ask(socket, 'PING\r\n'), '+PONG\r\n')
  })

  it('refuses a client without a certificate', async () => {
    await assert.rejects(ask(connect(), 'PING\r\n'))
  })

  it('comes with an expired certificate', () => {
    const { cert } = server.certificates.expired
    assert.throws(() => execFileSync('openssl', ['x509', '-checkend', '0', '-in', cert], QUIET))
  })
})

describe('the fake server', () => {
  let fake
  before(async () => { fake = await startFakeServer() })
  after(() => fake.stop())

  it('shakes hands in RESP2 and RESP3 by itself', async () => {
    const two = await ask(net.connect(fake.port), command('HELLO', '2'))
    const three = await ask(net.connect(fake.port), command('HELLO', '3'))
    assert.match(two, /^\*14\r\n/)
    assert.match(three, /^%7\r\n/)
  })

  it('hands over commands that arrive byte by byte, in order', async () => {
    const seen = []
    const script = (args, reply) => { seen.push(args); reply.bulk(args[1]) }
    fake.on('command', script)
    const socket = net.connect({ port: fake.port, noDelay: true })
    for (const byte of command('ECHO', 'é') + command('ECHO', '')) socket.write(byte)
    assert.strictEqual(await read(socket, 14), '$2\r\né\r\n$0\r\n\r\n')
    assert.deepStrictEqual(seen.map(args => [...args]), [['ECHO', 'é'], ['ECHO', '']])
    fake.off('command', script)
    socket.destroy()
  })

  it('leaves a command unanswered until the script answers', async () => {
    const socket = net.connect(fake.port)
    const answer = ask(socket, command('GET', 'k'))
    const { args, reply } = await fake.next('get')
    assert.deepStrictEqual([...args], ['GET', 'k'])
    reply.null()
    assert.strictEqual(await answer, '$-1\r\n')
  })

  it('resets a connection', async () => {
    const socket = net.connect(fake.port)
    const answer = ask(socket, command('GET', 'k'))
    const { reply } = await fake.next('GET')
    reply.reset()
    await assert.rejects(answer, { code: 'ECONNRESET' })
  })

  it('knows no HELLO when it plays an old server', async () => {
    const old = await startFakeServer({ hello: false })
    assert.match(await ask(net.connect(old.port), command('HELLO', '3')), /^-ERR unknown/)
    await old.stop()
  })
})

describe('the fault proxy', () => {
  let target, proxy
  before(async () => {
    target = net.createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => {}).pipe(socket)
    })
    await once(target.listen(0, '127.0.0.1'), 'listening')
    proxy = await startFaultProxy({ port: target.address().port })
  })
  after(async () => {
    await proxy.stop()
    target.close()
  })

  const connect = () => net.connect({ port: proxy.port, host: proxy.host, noDelay: true })

  it('passes bytes and the end of the stream', async () => {
    const socket = connect()
    socket.end('hello')
    assert.strictEqual(await read(socket, 5), 'hello')
    await once(socket, 'close')
  })

  it('adds latency without changing the order', async () => {
    proxy.latency(30, { jitter: 20 })
    const socket = connect()
    const started = performance.now()
    for (let n = 0; n < 10; n++) socket.write(String(n))
    assert.strictEqual(await read(socket, 10), '0123456789')
    assert.ok(performance.now() - started >= 20, 'at least the shortest way there and back')
    proxy.heal()
    socket.destroy()
  })

  it('slices into single bytes', async () => {
    proxy.slice(1, { direction: 'down' })
    const socket = connect()
    const text = 'x'.repeat(200)
    socket.write(text)
    let chunks = 0
    socket.on('data', () => chunks++)
    assert.strictEqual(await read(socket, text.length), text)
    assert.ok(chunks > 10, `only ${chunks} chunks`)
    proxy.heal()
    socket.destroy()
  })

  it('limits the bandwidth', async () => {
    proxy.bandwidth(10_000, { direction: 'down' })
    const socket = connect()
    const started = performance.now()
    socket.write('x'.repeat(1000))
    await read(socket, 1000)
    assert.ok(performance.now() - started >= 50, '1,000 bytes at 10,000 a second')
    proxy.heal()
    socket.destroy()
  })

  it('holds everything in a black hole until it is healed', async () => {
    const socket = connect()
    await once(socket, 'connect')
    proxy.blackHole()
    socket.write('late')
    let early = true
    const answer = read(socket, 4).then(text => ({ text, early }))
    await ask(net.connect(target.address().port, '127.0.0.1'), 'meanwhile')
    early = false
    proxy.heal()
    assert.deepStrictEqual(await answer, { text: 'late', early: false })
    socket.destroy()
  })

  it('says when a hole holds bytes, so that a reset can lose a reply for certain', async () => {
    const socket = connect()
    await once(socket, 'connect')
    proxy.blackHole({ direction: 'down' })
    socket.write('lost')
    const [direction] = await once(proxy, 'held')
    assert.strictEqual(direction, 'down')
    const closed = assert.rejects(once(socket, 'close'), { code: 'ECONNRESET' })
    proxy.reset()
    await closed
    assert.strictEqual(socket.bytesRead, 0)
    proxy.heal()
  })

  it('cuts after an exact number of bytes', async () => {
    proxy.cutAfter(3)
    const socket = connect()
    socket.write('abcdef')
    let text = ''
    socket.setEncoding('latin1').on('data', piece => { text += piece })
    // libuv reports a reset that comes together with the last bytes as an ordinary end.
    await once(socket, 'close').catch(error => assert.strictEqual(error.code, 'ECONNRESET'))
    assert.strictEqual(text, 'abc')
    proxy.heal()
  })

  it('closes instead of resetting when asked to', async () => {
    proxy.cutAfter(3, { how: 'close' })
    const socket = connect()
    socket.write('abcdef')
    assert.strictEqual(await read(socket, 3), 'abc')
    await once(socket, 'close')
    proxy.heal()
  })

  it('swallows and injects', async () => {
    const socket = connect()
    await ask(socket, 'ready', { keep: true })
    proxy.swallow(3)
    socket.write('abcdef')
    assert.strictEqual(await read(socket, 3), 'def')
    proxy.inject('pushed')
    assert.strictEqual(await read(socket, 6), 'pushed')
    proxy.heal()
    socket.destroy()
  })

  it('refuses connections while it is down, and above its limit', async () => {
    const open = connect()
    await ask(open, 'ready', { keep: true })
    await Promise.all([assert.rejects(once(open, 'close'), { code: 'ECONNRESET' }), proxy.down()])
    await assert.rejects(once(connect(), 'connect'), { code: 'ECONNREFUSED' })
    await proxy.up()
    proxy.limit(0)
    await assert.rejects(ask(connect(), 'x'), /closed|ECONNRESET/)
    proxy.heal()
    assert.strictEqual(await ask(connect(), 'back'), 'back')
  })
})

describe('the oracle', () => {
  // A client that is right, on a Map; each test bends one of its commands.
  function honestClient () {
    const data = new Map()
    const turn = value => new Promise(resolve => { setImmediate(resolve, value) })
    return {
      data,
      incr: key => turn(data.set(key, (data.get(key) ?? 0) + 1).get(key)),
      echo: text => turn(text),
      get: key => turn(data.get(key) ?? null),
      set: (key, value) => { data.set(key, value); return turn('OK') }
    }
  }

  async function judge (client, options) {
    const oracle = startOracle(client, { workers: 4 })
    await oracle.healed()
    await oracle.stop()
    return oracle.verify(client, options)
  }

  it('is content with a client that is right', () => judge(honestClient()))

  it('finds a reply that belongs to somebody else', async () => {
    const client = honestClient()
    let previous = 'nobody'
    client.echo = async text => [previous, previous = text][0]
    await assert.rejects(judge(client), /ECHO of/)
  })

  it('finds a doubled INCR', async () => {
    const client = honestClient()
    const { incr } = client
    client.incr = key => { incr(key); return incr(key) }
    await assert.rejects(judge(client), /at most 1 was asked for/)
  })

  it('finds a lost write, unless the server was emptied', async () => {
    const client = honestClient()
    client.get = async () => null
    await assert.rejects(judge(client), /was missing/)
    await judge(client, { emptied: true })
  })

  it('counts a failure as unknown, unless the error says that nothing was applied', async () => {
    const client = honestClient()
    const { incr } = client
    let calls = 0
    client.incr = key => {
      const kind = calls++ % 3
      if (kind === 0) return incr(key).then(() => { throw new Error('lost on the way back') })
      if (kind === 1) throw Object.assign(new Error('never sent'), { applied: 'no' })
      return incr(key)
    }
    await judge(client)
  })

  it('names a promise that never settles', async () => {
    const client = honestClient()
    client.echo = () => new Promise(() => {})
    const oracle = startOracle(client, { workers: 2 })
    await assert.rejects(oracle.stop({ within: 50 }), /2 promises never settled: ECHO of worker 0/)
  })
})

// They spend their time waiting, which they can do together.
describe('several servers', { concurrency: true, skip: skipBefore7() }, () => {
  describe('a started cluster', IN_ORDER, () => {
    let cluster, everything
    before(async () => {
      cluster = await startCluster()
      everything = remember(cluster.nodes)
    })
    after(async () => {
      await cluster.stop()
      await everything.isGone()
    })

    it('has 3 primaries with all slots and 3 replicas, when it is handed over', async () => {
      assert.deepStrictEqual(cluster.primaries.map(({ slots }) => slots).sort(),
        [[[0, 5461]], [[10923, 16383]], [[5462, 10922]]])
      assert.deepStrictEqual(new Set(cluster.replicas.map(({ primary }) => primary)),
        new Set(cluster.primaries))
      for (const node of cluster.nodes) {
        assert.match(await cluster.command(node, 'CLUSTER', 'INFO'), /cluster_state:ok/)
      }
      assert.strictEqual(cluster.rootNodes.length, 6)
    })

    it('knows where its keys are', async () => {
      for (const node of cluster.primaries) {
        const key = cluster.keyOn(node)
        assert.strictEqual(await cluster.command(node, 'SET', key, 'v'), 'OK')
        assert.strictEqual(await cluster.command(node, 'CLUSTER', 'KEYSLOT', key), slotOf(key))
        assert.strictEqual(cluster.nodeOf(slotOf(key)), node)
      }
    })

    it('stops in the middle of moving a slot, and goes on', async () => {
      const [from, to] = cluster.primaries
      const key = nth => cluster.keyOn(from, nth)
      const slot = slotOf(key(0))
      const keys = [key(0), key(1)]
      for (const key of keys) await cluster.command(from, 'SET', key, 'v')
      await cluster.beginMigration(slot, from, to)
      await cluster.moveKeys(slot, from, to, { keys: [keys[0]] })
      await assert.rejects(cluster.command(from, 'GET', keys[0]), /^Error: ASK/)
      await assert.rejects(cluster.command(from, 'MGET', ...keys), /^Error: TRYAGAIN/)
      await cluster.moveKeys(slot, from, to)
      await cluster.finishMigration(slot, from, to)
      assert.deepStrictEqual(await cluster.command(to, 'MGET', ...keys), ['v', 'v'])
      await assert.rejects(cluster.command(from, 'GET', keys[0]), /^Error: MOVED/)
      await cluster.waitUntilAgreed()
      assert.strictEqual(cluster.nodeOf(slot), to)
      await cluster.migrateSlot(slot, to, from)
    })

    it('replaces a primary that was killed, and takes it back as a replica', async () => {
      const [killed] = cluster.primaries
      const heir = cluster.replicas.find(({ primary }) => primary === killed)
      const before = performance.now()
      await cluster.kill(killed)
      const { node, at } = await cluster.waitForPromotion(killed)
      assert.strictEqual(node, heir)
      assert.ok(at > before)
      assert.strictEqual(heir.role, 'primary')
      assert.ok(!cluster.primaries.includes(killed))
      await cluster.restart(killed)
      await cluster.waitUntilHealthy()
      assert.strictEqual(killed.primary, heir)
    })

    it('fails over by command', async () => {
      const [replica] = cluster.replicas
      const { primary } = replica
      await cluster.failover(replica, 'TAKEOVER')
      assert.strictEqual((await cluster.waitForPromotion(primary)).node, replica)
      await cluster.waitUntilHealthy()
      assert.strictEqual(primary.primary, replica)
    })

    it('takes nodes in, and lets them go', async () => {
      const node = await cluster.addNode()
      everything.add(node)
      const [from] = cluster.primaries
      const slot = from.slots[0][0]
      await cluster.migrateSlot(slot, from, node)
      await assert.rejects(cluster.removeNode(node), /has slots/)
      await cluster.migrateSlot(slot, node, from)
      await cluster.removeNode(node)
      await cluster.waitUntilHealthy()
      assert.strictEqual(cluster.nodes.length, 6)
    })

    it('announces other names for its nodes', async () => {
      const [node, other] = cluster.nodes
      const proxy = await startFaultProxy(node)
      await cluster.announce(node, { port: proxy.port, hostname: 'localhost' })
      const [, , ...lines] = (await cluster.command(other, 'CLUSTER', 'SLOTS')).flat()
      assert.ok(lines.some(line => Array.isArray(line) && line[1] === proxy.port))
      await cluster.announce(node, { port: node.port })
      await proxy.stop()
    })
  })

  describe('a cluster with a password and TLS', { skip: skipWithoutTls() }, () => {
    it('moves keys, and fails over', async () => {
      const cluster = await startCluster({ requirepass: 'a b', tls: { authClients: true } })
      const [from, to] = cluster.primaries
      const key = cluster.keyOn(from)
      await cluster.command(from, 'SET', key, 'v')
      await cluster.migrateSlot(slotOf(key), from, to)
      assert.strictEqual(await cluster.command(to, 'GET', key), 'v')
      await cluster.failover(cluster.replicas.find(({ primary }) => primary === to))
      await cluster.waitForPromotion(to)
      await cluster.stop()
    })
  })

  describe('started Sentinels', IN_ORDER, () => {
    let set, everything
    before(async () => {
      set = await startSentinels({ requirepass: 'one', sentinelPassword: 'two' })
      everything = remember([...set.servers, ...set.sentinels])
    })
    after(async () => {
      await set.stop()
      await everything.isGone()
    })

    it('name the primary', async () => {
      assert.strictEqual(set.sentinelRootNodes.length, 3)
      for (const sentinel of set.sentinels) {
        assert.deepStrictEqual(await set.addressFrom(sentinel),
          { host: set.primary.host, port: set.primary.port })
      }
    })

    it('replace a healthy primary by command', async () => {
      const { primary } = set
      const everySentinel = set.sentinels.map(on => set.waitForSwitch({ on }))
      await set.failover()
      const changes = await Promise.all(everySentinel)
      assert.deepStrictEqual(changes.map(({ sentinel }) => sentinel), set.sentinels)
      assert.ok(changes.every(({ server }) => server === set.primary && server !== primary))
    })

    it('replace a primary that was killed, while one of them is dead', async () => {
      const { primary } = set
      await set.kill(set.sentinels[0])
      const change = set.waitForSwitch()
      await set.kill(primary)
      assert.notStrictEqual((await change).server, primary)
      await set.restart(set.sentinels[0])
      await set.restart(primary)
      await set.waitUntilHealthy()
      assert.ok(set.replicas.includes(primary))
    })

    it('do not see at once that a primary was demoted', async () => {
      const { primary } = set
      await set.demote(primary, set.replicas[0])
      assert.strictEqual((await set.command(primary, 'ROLE'))[0], 'slave')
      assert.strictEqual((await set.addressFrom(set.sentinels[0])).port, primary.port)
    })
  })
})

describe('the fake cluster', () => {
  let fake, sockets
  beforeEach(async () => {
    fake = await startFakeCluster({ replicas: 1 })
    sockets = new Map()
  })
  afterEach(async () => {
    for (const socket of sockets.values()) socket.destroy()
    await fake.stop()
  })

  // One connection to each node; resolves with all that comes back at once.
  function say (node, ...args) {
    if (!sockets.has(node)) sockets.set(node, net.connect(node.port))
    return ask(sockets.get(node), command(...args), { keep: true })
  }

  it('serves keys where they belong and redirects elsewhere', async () => {
    const [owner, other] = fake.primaries
    const key = fake.keyOn(owner)
    assert.strictEqual(await say(owner, 'SET', key, 'v'), '+OK\r\n')
    assert.strictEqual(await say(owner, 'GET', key), '$1\r\nv\r\n')
    const moved = `-MOVED ${slotOf(key)} ${owner.host}:${owner.port}\r\n`
    assert.strictEqual(await say(other, 'GET', key), moved)
    const replica = fake.replicas.find(({ primary }) => primary === owner)
    assert.strictEqual(await say(replica, 'GET', key), moved)
    await say(replica, 'READONLY')
    assert.strictEqual(await say(replica, 'GET', key), '$1\r\nv\r\n')
    assert.strictEqual(await say(replica, 'SET', key, 'w'), moved)
  })

  it('describes itself as a real cluster does', async () => {
    const [node] = fake.nodes
    const [first] = (await say(node, 'CLUSTER', 'SLOTS')).split('127.0.0.1')
    assert.strictEqual(first, '*3\r\n*4\r\n:0\r\n:5461\r\n*4\r\n$9\r\n')
    assert.match(await say(node, 'CLUSTER', 'NODES'), /myself,master - 0 0 1 connected 0-5461\n/)
    assert.match(await say(node, 'CLUSTER', 'SHARDS'), /^\*3\r\n\*4\r\n\$5\r\nslots\r\n\*2\r\n:0/)
    assert.strictEqual(await say(node, 'CLUSTER', 'MYID'), `$40\r\n${node.id}\r\n`)
    assert.strictEqual(fake.refreshes.length, 3)
  })

  it('asks for ASKING right before the command while a slot is on its way', async () => {
    const [from, to] = fake.primaries
    const slot = slotOf('{a}')
    fake.moveSlot(slot, from)
    await say(from, 'SET', '{a}1', 'v')
    fake.beginMigration(slot, to)
    assert.strictEqual(await say(from, 'GET', '{a}1'), '$1\r\nv\r\n')
    assert.match(await say(from, 'GET', '{a}2'), new RegExp(`^-ASK ${slot} .*:${to.port}`))
    assert.match(await say(from, 'MGET', '{a}1', '{a}2'), /^-TRYAGAIN/)
    fake.moveKeys(slot, ['{a}1'])
    assert.match(await say(to, 'GET', '{a}1'), /^-MOVED/)
    await say(to, 'ASKING')
    assert.strictEqual(await say(to, 'GET', '{a}1'), '$1\r\nv\r\n')
    assert.match(await say(to, 'GET', '{a}1'), /^-MOVED/)
    assert.deepStrictEqual(fake.received({ node: to, command: 'get' }).map(one => one.isAsking),
      [false, true, false])
    fake.moveSlot(slot, to)
    assert.strictEqual(await say(to, 'GET', '{a}1'), '$1\r\nv\r\n')
  })

  it('answers what it is told to, as often as it is told to', async () => {
    const [node] = fake.primaries
    const key = fake.keyOn(node)
    fake.answer({ command: 'GET', slot: slotOf(key), times: 1 }, 'MOVED 1 __proto__:70000')
    assert.strictEqual(await say(node, 'GET', key), '-MOVED 1 __proto__:70000\r\n')
    assert.strictEqual(await say(node, 'GET', key), '$-1\r\n')
    const takeBack = fake.answer({ command: ['PING', 'CLUSTER SLOTS'] }, (args, reply) =>
      args[0] === 'CLUSTER' && reply.error('LOADING'))
    assert.strictEqual(await say(node, 'PING'), '+PONG\r\n')
    assert.strictEqual(await say(node, 'CLUSTER', 'SLOTS'), '-LOADING\r\n')
    takeBack()
    assert.match(await say(node, 'CLUSTER', 'SLOTS'), /^\*/)
  })

  it('hangs, resets connections, dies and comes back', async () => {
    const [first, second, third] = fake.primaries
    fake.answer({ node: first, command: 'GET' }, 'hang')
    fake.answer({ node: second }, 'reset')
    const silence = assert.rejects(say(first, 'GET', 'k'))
    await assert.rejects(say(second, 'PING'), { code: 'ECONNRESET' })
    await Promise.all([silence, first.stop()])
    await third.stop()
    await assert.rejects(once(net.connect(third.port), 'connect'), { code: 'ECONNREFUSED' })
    await third.start()
    assert.strictEqual(await say(third, 'PING'), '+PONG\r\n')
  })

  it('runs transactions, and refuses those with a command for another node', async () => {
    const [node, other] = fake.primaries
    const key = fake.keyOn(node)
    await say(node, 'MULTI')
    assert.strictEqual(await say(node, 'SET', key, '1'), '+QUEUED\r\n')
    await say(node, 'INCR', key)
    assert.strictEqual(await say(node, 'EXEC'), '*2\r\n+OK\r\n:2\r\n')
    await say(node, 'MULTI')
    assert.match(await say(node, 'GET', fake.keyOn(other)), /^-MOVED/)
    assert.match(await say(node, 'EXEC'), /^-EXECABORT/)
  })

  it('promotes a replica', async () => {
    const [old] = fake.primaries
    const key = fake.keyOn(old)
    const heir = fake.replicas.find(({ primary }) => primary === old)
    await say(old, 'SET', key, 'v')
    fake.promote(heir)
    assert.strictEqual(await say(heir, 'GET', key), '$1\r\nv\r\n')
    assert.strictEqual(await say(old, 'GET', key), `-${heir.moved(slotOf(key))}\r\n`)
  })
})

describe('a port for a server', () => {
  it('is outside of the range of outgoing connections, wherever that is', async () => {
    assert.deepStrictEqual(lastingRange('32768\t60999\n'), [10_000, 32_768])
    assert.deepStrictEqual(lastingRange('1024\t40000\n'), [40_001, 65_536])
    assert.deepStrictEqual(lastingRange('1024\t65535\n'), [10_000, 65_536])
    const [first, end] = lastingRange()
    const port = await freePort()
    assert.ok(port >= first && port < end, `${port} is not from ${first} to ${end}`)
  })

  it('is given away once, also to those who ask at the same time', async () => {
    const ports = await Promise.all(Array.from({ length: 100 }, freePort))
    assert.strictEqual(new Set(ports).size, 100)
  })

  it('is in a block that this process has to itself, by listening on the first port', async () => {
    const port = await freePort()
    const [lowest] = lastingRange()
    const first = port - (port - lowest) % BLOCK
    const socket = net.connect(first, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })
})

describe('a key of a slot', () => {
  it('is found for every slot, and more than one', () => {
    for (const slot of [0, 1, 8191, 16383]) {
      assert.strictEqual(slotOf(keyIn(slot)), slot)
      assert.strictEqual(slotOf(keyIn(slot, 1)), slot)
      assert.notStrictEqual(keyIn(slot, 1), keyIn(slot))
    }
  })

  it('has the slot that the specification gives it', () => {
    assert.strictEqual(slotOf('123456789'), 0x31c3)
    assert.strictEqual(slotOf('foo{123456789}bar'), 0x31c3)
    assert.strictEqual(slotOf('{}123456789'), slotOf(Buffer.from('{}123456789')))
    assert.notStrictEqual(slotOf('{}a'), slotOf('{}b'))
  })
})

// What servers have of the machine, to look for after they were stopped.
function remember (servers) {
  const traces = []
  const add = ({ pid, folder, port }) => traces.push({ pid, folder, port })
  servers.forEach(add)
  return {
    add,
    async isGone () {
      for (const { pid, folder, port } of traces) {
        assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
        assert.ok(!fs.existsSync(folder), folder)
        await assert.rejects(once(net.connect(port, '127.0.0.1'), 'connect'),
          { code: 'ECONNREFUSED' })
      }
    }
  }
}

function command (...args) {
  const bulks = args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${bulks.join('')}`
}

// Sends text and resolves with the first bytes that come back.
async function ask (socket, text, { keep = false } = {}) {
  const answer = read(socket, 1)
  socket.write(text)
  try {
    return await answer
  } finally {
    if (!keep) socket.destroy()
  }
}

// Resolves once at least `count` bytes have come, with all of them.
function read (socket, count) {
  return new Promise((resolve, reject) => {
    const chunks = []
    let length = 0
    const stop = () => socket.off('data', receive).off('error', reject).off('close', closed)
    const closed = () => reject(new Error('the connection was closed'))
    const receive = chunk => {
      chunks.push(chunk)
      length += chunk.length
      if (length < count) return
      stop()
      resolve(Buffer.concat(chunks).toString())
    }
    socket.on('data', receive).on('error', reject).on('close', closed)
  })
}

const QUIET = { stdio: 'ignore' }
