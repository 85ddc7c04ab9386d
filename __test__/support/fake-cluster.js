'use strict'

// A cluster of fake servers in this process, which lies, stalls and redirects as it is told.
//
// Left alone it is an honest cluster: every node describes the layout, serves the keys of its own
// slots from memory, and sends clients elsewhere for others, with ASK and TRYAGAIN while a slot
// is on its way. Tests put answers in front of that, for a node, a command or a slot, and find in
// `log` what each node was sent, on which connection, and when.

const { EventEmitter, once } = require('node:events')

const { startFakeServer } = require('./fake-server')
const topology = require('./fake-topology')
const { covers, evenly, keyIn, slotOf, without } = require('./hash-slot')

/**
 * Starts the nodes. Options, all of them optional:
 * - `nodes`: how many primaries, default 3
 * - `replicas`: how many for each, default 0; `nodes` lists them after the primaries
 * - `slots`: for each primary its ranges, such as `[[[0, 99]], [[100, 16383]]]`; default evenly
 * - `hello`: false makes them servers from before HELLO
 */
async function startFakeCluster ({ nodes = 3, replicas = 0, slots, hello } = {}) {
  const layout = slots ?? evenly(nodes).map(range => [range])
  if (layout.length !== nodes) throw new Error('slots must have an entry for every primary')
  const servers = await Promise.all(Array.from(
    { length: nodes * (replicas + 1) }, () => startFakeServer({ hello, handshake: false })))
  return new FakeCluster(servers, layout)
}

/** Events: `command (entry)`, with an entry as in `log`, before anything has answered it. */
class FakeCluster extends EventEmitter {
  constructor (servers, layout) {
    super()
    const primaries = layout.length
    /**
     * Every command so far, in the order of arrival, handshakes and requests for the topology
     * among them: `{ node, args, connection, at, isAsking }`. `at` is from `performance.now()`,
     * `isAsking` says whether ASKING came right before it on its connection.
     */
    this.log = []
    /** Slots on their way: slot to `{ from, to }`. */
    this.migrations = new Map()
    this.rules = []
    this.nodes = servers.map((server, index) => new FakeNode(this, server, index))
    for (const [index, node] of this.nodes.entries()) {
      node.slots = layout[index] ?? []
      if (index >= primaries) node.primary = this.nodes[index % primaries]
      if (index >= primaries) node.data = node.primary.data
    }
  }

  get primaries () {
    return this.nodes.filter(node => !node.primary)
  }

  get replicas () {
    return this.nodes.filter(node => node.primary)
  }

  /** What a cluster client takes as its root nodes: `[{ url }]`, every node once. */
  get rootNodes () {
    return this.nodes.map(({ url }) => ({ url }))
  }

  slotOf (key) {
    return slotOf(key)
  }

  keyIn (slot, nth) {
    return keyIn(slot, nth)
  }

  /** A key that this primary has. */
  keyOn (node, nth) {
    return keyIn(node.slots[0][0], nth)
  }

  /** The primary that has this slot, undefined when none has. */
  nodeOf (slot) {
    return this.primaries.find(({ slots }) => covers(slots, slot))
  }

  /**
   * Puts an answer in front of the honest one, for commands that match all that is given:
   * - `node`: one of `nodes`
   * - `command`: a name or several, such as 'GET' or 'CLUSTER SLOTS', in any case
   * - `slot`: a slot that a key of the command is in
   * - `times`: how many commands it is for, default all
   *
   * The answer is an error's text, such as `MOVED 1 127.0.0.1:7000`; 'hang', 'close' or 'reset';
   * or a function of `(args, reply, entry)`, see the fake server's `Reply`, which may return false
   * to leave the command to the next rule. Rules made later come first. Returns a function that
   * takes the rule back.
   */
  answer ({ node, command, slot, times = Infinity }, answer) {
    const names = command && [command].flat().map(name => name.toUpperCase())
    const rule = { node, names, slot, times, answer }
    this.rules.unshift(rule)
    return () => { this.rules = this.rules.filter(other => other !== rule) }
  }

  /** Gives a slot to another primary, at once and with its keys. */
  moveSlot (slot, to) {
    const from = this.nodeOf(slot)
    this.migrations.delete(slot)
    if (from) {
      from.slots = without(from.slots, slot)
      for (const [key, value] of from.data) {
        if (slotOf(key) !== slot) continue
        to.data.set(key, value)
        from.data.delete(key)
      }
    }
    to.slots = [...to.slots, [slot, slot]]
  }

  /**
   * Begins to move a slot, and keeps it so until `moveSlot`: its owner answers ASK for keys that
   * it does not have, and `to` takes them after ASKING. Keys move with `moveKeys`.
   */
  beginMigration (slot, to) {
    this.migrations.set(slot, { from: this.nodeOf(slot), to })
  }

  moveKeys (slot, keys) {
    const { from, to } = this.migrations.get(slot)
    for (const key of keys) {
      if (from.data.has(key)) to.data.set(key, from.data.get(key))
      from.data.delete(key)
    }
  }

  /** Makes a replica a primary with all slots of its own, which turns into its replica. */
  promote (replica) {
    const old = replica.primary
    for (const node of this.nodes) if (node.primary === old) node.primary = replica
    old.primary = replica
    replica.primary = undefined
    replica.slots = old.slots
    old.slots = []
  }

  /** The entries of `log` that match; `command` may be a name of one or two words. */
  received ({ node, command, connection } = {}) {
    const name = command?.toUpperCase()
    return this.log.filter(entry => (!node || entry.node === node) &&
      (!connection || entry.connection === connection) && (!name || isNamed(entry.args, name)))
  }

  /** The requests for the topology, whatever their form. */
  get refreshes () {
    return this.log.filter(({ args }) => TOPOLOGY.some(name => isNamed(args, name)))
  }

  /** Closes all listeners and connections. */
  async stop () {
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  take (node, args, reply, connection) {
    const isAsking = connection.isAsking === true
    const entry = { node, args, connection, at: performance.now(), isAsking }
    this.log.push(entry)
    this.emit('command', entry)
    // Until the next command, or the end of a transaction, as on a real server.
    connection.isAsking = isNamed(args, 'ASKING') ||
      (isAsking && (isNamed(args, 'MULTI') || connection.queue !== undefined))
    if (!this.follow(entry, reply)) node.serve(entry, reply)
  }

  // Whether a rule has answered, or has chosen not to.
  follow (entry, reply) {
    for (const rule of this.rules) {
      if (rule.times === 0 || !matches(rule, entry)) continue
      if (obey(rule.answer, entry, reply) === false) continue
      rule.times--
      return true
    }
    return false
  }
}

/**
 * One node: `index`, `id` (40 hexadecimal digits), `host`, `port`, `url`; for a primary its
 * `slots` (ranges) and `data` (a map from key to value); for a replica its `primary`.
 */
class FakeNode {
  constructor (cluster, server, index) {
    this.cluster = cluster
    this.server = server
    this.index = index
    this.id = String(index + 1).padStart(40, 'f')
    this.host = server.host
    this.port = server.port
    this.url = server.url
    this.primary = undefined
    this.slots = []
    this.data = new Map()
    server.on('command', (args, reply, connection) => {
      cluster.take(this, args, reply, connection)
    })
  }

  /** `host:port`, as redirects say it. */
  get address () {
    return `${this.host}:${this.port}`
  }

  get connections () {
    return this.server.connections
  }

  /** The commands that this node was sent, as arrays of strings. */
  get commands () {
    return this.server.commands
  }

  /** An answer for `answer`: `MOVED` to this node. */
  moved (slot) {
    return `MOVED ${slot} ${this.address}`
  }

  /** An answer for `answer`: `ASK` this node. */
  ask (slot) {
    return `ASK ${slot} ${this.address}`
  }

  /** Closes the listener and resets every connection, as a crash. Connecting is refused then. */
  async stop () {
    for (const connection of this.connections) connection.reset()
    await this.server.stop()
  }

  /** Listens again, after `stop`, on the same port. */
  async start () {
    this.server.listener.listen(this.port, this.host)
    await once(this.server.listener, 'listening')
  }

  // The honest answers.
  serve ({ args, connection, isAsking }, reply) {
    const name = args[0].toUpperCase()
    switch (name) {
      case 'HELLO':
        return this.hello(args, reply, connection)
      case 'ASKING':
        return reply.ok()
      case 'READONLY':
      case 'READWRITE':
        connection.isReadOnly = name === 'READONLY'
        return reply.ok()
      case 'CLUSTER':
        return topology.describe(this.cluster, this, args, reply)
    }
    if (this.server.shakeHands(args, reply) || this.transact(name, reply)) return
    const keys = keysOf(args)
    const refusal = this.refusal(name, keys, isAsking, connection)
    const { queue } = connection
    if (refusal) {
      if (queue) queue.isRefused = true
      reply.error(refusal)
    } else if (queue) {
      queue.push(args)
      reply.send('+QUEUED\r\n')
    } else {
      this.run(args, reply)
    }
  }

  run (args, reply) {
    const run = COMMANDS[args[0].toUpperCase()]
    return run ? run(reply, args, this.data) : reply.ok()
  }

  // MULTI, EXEC and DISCARD, without WATCH.
  transact (name, reply) {
    const { connection } = reply
    const { queue } = connection
    if (name === 'MULTI' && !queue) {
      connection.queue = []
      return reply.ok()
    }
    if (!queue || (name !== 'EXEC' && name !== 'DISCARD')) return false
    connection.queue = undefined
    connection.isAsking = false
    if (name === 'DISCARD') return reply.ok()
    if (queue.isRefused) {
      return reply.error('EXECABORT Transaction discarded because of previous errors.')
    }
    connection.socket.cork() // one packet
    reply.send(`*${queue.length}\r\n`)
    for (const args of queue) this.run(args, reply)
    connection.socket.uncork()
    return true
  }

  hello (args, reply, connection) {
    if (!this.server.hello) return reply.error('ERR unknown command \'HELLO\'')
    connection.protocol = Number(args[1] ?? 2)
    return reply.map([
      ['server', 'redis'], ['version', '7.4.0'], ['proto', connection.protocol],
      ['id', this.server.accepted], ['mode', 'cluster'],
      ['role', this.primary ? 'replica' : 'master'], ['modules', []]
    ])
  }

  // Why this node does not run a command with these keys, in the words of a real one.
  refusal (name, keys, isAsking, connection) {
    if (keys.length === 0) return COMMANDS[name] ? undefined : `ERR unknown command '${name}'`
    const [slot, ...others] = new Set(keys.map(slotOf))
    if (others.length > 0) return 'CROSSSLOT Keys in request don\'t hash to the same slot'
    const owner = this.cluster.nodeOf(slot)
    if (!owner) return 'CLUSTERDOWN Hash slot not served'
    const missing = keys.filter(key => !this.data.has(key)).length
    const migration = this.cluster.migrations.get(slot)
    if (isAsking && migration?.to === this) {
      return keys.length > 1 && missing > 0 ? TRY_AGAIN : undefined
    }
    if (connection.isReadOnly && READS.has(name) && this.primary === owner) return undefined
    if (owner !== this) return owner.moved(slot)
    if (!migration || missing === 0) return undefined
    return missing < keys.length ? TRY_AGAIN : migration.to.ask(slot)
  }
}

function matches ({ node, names, slot }, entry) {
  return (!node || node === entry.node) &&
    (!names || names.some(name => isNamed(entry.args, name))) &&
    (slot === undefined || keysOf(entry.args).some(key => slotOf(key) === slot))
}

// `name` is in capitals and has one word or two.
function isNamed (args, name) {
  return args[0].toUpperCase() === name || args.slice(0, 2).join(' ').toUpperCase() === name
}

function obey (answer, entry, reply) {
  if (typeof answer === 'function') return answer(entry.args, reply, entry)
  if (answer === 'hang') return true
  return answer === 'close' || answer === 'reset' ? reply[answer]() : reply.error(answer)
}

function keysOf (args) {
  const [name, ...rest] = [args[0].toUpperCase(), ...args.slice(1)]
  if (name === 'MSET') return rest.filter((_, index) => index % 2 === 0)
  if (MANY_KEYS.has(name)) return rest
  return ONE_KEY.has(name) ? rest.slice(0, 1) : []
}

// Enough to tell which node has run what. Of others the keys are known, and the answer is OK.
const COMMANDS = {
  GET: (reply, [, key], data) => data.has(key) ? reply.bulk(data.get(key)) : reply.null(),
  SET: (reply, [, key, value], data) => data.set(key, value) && reply.ok(),
  INCR: (reply, [, key], data) =>
    reply.integer(Number(data.set(key, String(Number(data.get(key) ?? 0) + 1)).get(key))),
  DEL: (reply, [, ...keys], data) => reply.integer(keys.filter(key => data.delete(key)).length),
  EXISTS: (reply, [, ...keys], data) => reply.integer(keys.filter(key => data.has(key)).length),
  MGET: (reply, [, ...keys], data) => reply.array(keys.map(key => data.get(key) ?? null)),
  MSET: (reply, [, ...pairs], data) => {
    for (let at = 0; at < pairs.length; at += 2) data.set(pairs[at], pairs[at + 1])
    return reply.ok()
  },
  ECHO: (reply, [, text]) => reply.bulk(text),
  PING: (reply, [, text]) => reply.bulk(text),
  DBSIZE: (reply, _, data) => reply.integer(data.size)
}

const MANY_KEYS = new Set(['DEL', 'EXISTS', 'MGET', 'TOUCH', 'UNLINK', 'WATCH'])
const READS = new Set(['GET', 'MGET', 'EXISTS', 'TTL', 'STRLEN', 'HGET', 'HGETALL', 'LRANGE'])
const ONE_KEY = new Set([
  ...READS, 'SET', 'INCR', 'INCRBY', 'DECR', 'APPEND', 'EXPIRE', 'GETDEL', 'HSET', 'HINCRBY',
  'LPUSH', 'RPUSH', 'LPOP', 'RPOP', 'BLPOP', 'SADD', 'SMEMBERS', 'ZADD', 'XADD', 'SPUBLISH',
  'SSUBSCRIBE', 'SUNSUBSCRIBE'
])

const TRY_AGAIN = 'TRYAGAIN Multiple keys request during rehashing of slot'

const TOPOLOGY = ['CLUSTER SLOTS', 'CLUSTER SHARDS', 'CLUSTER NODES']

module.exports = { startFakeCluster }
