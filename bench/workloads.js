'use strict'

// What is measured: each workload says what data it needs, which clients take part and what one
// operation is. An operation checks its reply and throws on a wrong one, which ends the benchmark:
// a fast client with wrong answers has no figures.

// The list below is made at once, so what it uses stands above it.
const KEYS = 1000
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** The seed's text of `size` bytes for key `index`; no two keys have the same. */
function valueOf (index, size) {
  return `value:${index}:`.padEnd(size, ALPHABET)
}

const EVERYBODY = ['oxidis', 'node-redis', 'node-redis-default', 'ioredis', 'ioredis-auto', 'glide']
const BEST = ['oxidis', 'node-redis', 'ioredis', 'glide']
const CLUSTERS = [
  'oxidis-cluster', 'node-redis-cluster', 'node-redis-cluster-default', 'ioredis-cluster',
  'ioredis-cluster-auto', 'glide-cluster'
]
const CACHES = ['oxidis-cache', 'node-redis-cache', 'oxidis', 'node-redis']
const FACES = ['oxidis-ioredis', 'ioredis', 'ioredis-auto']
const POOLS = ['oxidis-pool', 'node-redis-pool', 'node-redis-pool-default']

/** Every workload in the order it is run and printed. */
const WORKLOADS = [
  ...[1, 10, 100, 1000].map(inFlight => mixed({ inFlight, size: 32, clients: EVERYBODY })),
  mixed({ inFlight: 100, size: 1024, clients: BEST }),
  mixed({ inFlight: 100, size: 16 * 1024, clients: BEST }),
  ...['string', 'buffer'].flatMap(type => ['get', 'set'].flatMap(verb =>
    [1, 4, 16, 64, 256, 1024].map(kibibytes => large(verb, type, 'ascii', kibibytes)))),
  large('get', 'string', 'non-ascii', 1024),
  large('set', 'string', 'non-ascii', 1024),
  collection('hgetall-100', 'hGetAll', 'HGETALL of 100 fields', {
    seed: key => [['HSET', key, ...items(100).flatMap(item => [`field:${item}`, item])]],
    count: (client, reply) => client.pairs(reply),
    expected: 100
  }),
  collection('lrange-1000', 'lRange', 'LRANGE of 1,000', {
    seed: key => [['RPUSH', key, ...items(1000)]],
    count: (client, reply) => reply.length,
    expected: 1000
  }),
  collection('mget-100', 'mGet', 'MGET of 100', {
    seed: key => items(100).map(item => ['SET', `${key}:${item}`, item]),
    argument: key => items(100).map(item => `${key}:${item}`),
    count: (client, reply) => reply.filter(value => value !== null).length,
    expected: 100
  }),
  collection('zrange-1000', 'zRangeWithScores', 'ZRANGE WITHSCORES of 1,000', {
    seed: key => [['ZADD', key, ...items(1000).flatMap((item, index) => [String(index), item])]],
    count: (client, reply) => client.scores(reply),
    expected: 1000
  }),
  collection('xrange-100', 'xRange', 'XRANGE of 100', {
    seed: key => items(100).map((item, index) => ['XADD', key, `${index + 1}-0`, 'item', item]),
    count: (client, reply) => client.entries(reply),
    expected: 100
  }),
  {
    ...mixed({ inFlight: 1000, size: 32, clients: POOLS }),
    name: 'pool-1000',
    title: 'GET/SET 80/20, 32 B, through a pool, 1,000 in flight'
  },
  ...[1, 10, 100, 1000].map(inFlight => {
    const workload = mixed({ inFlight, size: 32, clients: FACES })
    const { name, title } = workload
    return { ...workload, name: `ioredis-${name}`, title: `ioredis's interface: ${title}` }
  }),
  ...[1, 8, 64].map(session),
  ...[1, 100].flatMap(inFlight => [cachedText(inFlight), cachedHash(inFlight)]),
  ...[1, 10, 100, 1000].map(inFlight => {
    const workload = mixed({ inFlight, size: 32, clients: CLUSTERS })
    const { name, title } = workload
    return { ...workload, name: `cluster-${name}`, title: `cluster of 3: ${title}`, cluster: true }
  })
]

// 80 % GET, 20 % SET, over 1,000 keys; a SET writes what is there already, so that every GET
// knows its answer.
function mixed ({ inFlight, size, clients }) {
  const key = index => `bench:${size}:${index}`
  return {
    name: `mixed-${size}-${inFlight}`,
    title: `GET/SET 80/20, ${bytes(size)}, ${inFlight.toLocaleString('en')} in flight`,
    inFlight,
    clients,
    bytes: size,
    needs: ['get', 'set'],
    seed: () => range(KEYS).map(index => ['SET', key(index), valueOf(index, size)]),
    operation (client) {
      const keys = range(KEYS).map(key)
      const values = range(KEYS).map(index => valueOf(index, size))
      return async number => {
        // A step that has no divisor in common with 1,000 visits every key.
        const index = (number * 7) % KEYS
        if (number % 5 === 0) {
          if (await client.set(keys[index], values[index]) !== 'OK') wrong('SET')
        } else if (await client.get(keys[index]) !== values[index]) wrong('GET')
      }
    }
  }
}

// From 256 KiB on 4 in flight: more only measures how many copies fit into the caches.
function large (verb, type, text, kibibytes) {
  const key = `bench:large:${text}:${kibibytes}`
  const size = kibibytes * 1024
  const value = text === 'ascii' ? valueOf(0, size) : 'é'.repeat(size / 2)
  const method = verb === 'set' ? 'set' : type === 'buffer' ? 'getBuffer' : 'get'
  return {
    name: `${verb}-${kibibytes === 1024 ? '1m' : `${kibibytes}k`}-${type}-${text}`,
    title: `${verb.toUpperCase()} ${bytes(size)} as ` +
      (type === 'buffer' ? 'Buffer' : `${text} string`),
    inFlight: kibibytes < 256 ? 16 : 4,
    clients: BEST,
    bytes: size,
    needs: [method],
    seed: () => [['SET', key, value]],
    operation (client) {
      const sent = type === 'buffer' ? Buffer.from(value) : value
      const same = type === 'buffer' ? reply => sent.equals(reply) : reply => reply === sent
      const set = async () => { if (await client.set(key, sent) !== 'OK') wrong('SET') }
      return verb === 'set' ? set : async number => {
        const reply = await client[method](key)
        // Comparing all of it costs as much as receiving it, so that is left to a few.
        if (reply.length !== sent.length || (number % 64 === 0 && !same(reply))) wrong('GET')
      }
    }
  }
}

// 50 in flight: enough to keep client and server busy at the same time.
function collection (name, method, title, { seed, argument = key => key, count, expected }) {
  const key = `bench:${name}`
  return {
    name,
    title,
    inFlight: 50,
    clients: BEST,
    needs: [method],
    seed: () => [['DEL', key], ...seed(key)],
    operation (client) {
      const given = argument(key)
      return async () => {
        if (count(client, await client[method](given)) !== expected) wrong(title)
      }
    }
  }
}

// One connection to oneself for one command: what every transaction and WATCH pays.
function session (callers) {
  return {
    name: `session-${callers}`,
    title: `session: acquire, GET, release, ${callers} callers`,
    inFlight: callers,
    clients: POOLS,
    needs: ['lease'],
    seed: () => [['SET', 'bench:session', 'value']],
    operation: client => async () => {
      if (await client.lease(one => one.get('bench:session')) !== 'value') wrong('GET in a session')
    }
  }
}

// What was read before is read again, with a cache and without one. An operation that is a hit
// takes less than a microsecond, so that the load generator is a good part of it.
function cachedText (inFlight) {
  const key = index => `bench:cached:${index}`
  return {
    name: `cached-get-${inFlight}`,
    title: `GET of 100 B that was read before, ${inFlight} in flight`,
    inFlight,
    isBrief: true,
    clients: CACHES,
    needs: ['get'],
    seed: () => range(KEYS).map(index => ['SET', key(index), valueOf(index, 100)]),
    operation (client) {
      const keys = range(KEYS).map(key)
      const values = range(KEYS).map(index => valueOf(index, 100))
      return async number => {
        const index = number % KEYS
        if (await client.get(keys[index]) !== values[index]) wrong('GET')
      }
    }
  }
}

function cachedHash (inFlight) {
  const key = index => `bench:cached-hash:${index}`
  return {
    name: `cached-hgetall-${inFlight}`,
    title: `HGETALL of 10 fields that were read before, ${inFlight} in flight`,
    inFlight,
    isBrief: true,
    clients: CACHES,
    needs: ['hGetAll'],
    seed: () => range(KEYS).map(index =>
      ['HSET', key(index), ...items(10).flatMap(item => [item, `${item}:${index}`])]),
    operation (client) {
      const keys = range(KEYS).map(key)
      const [field] = items(1)
      return async number => {
        const index = number % KEYS
        const hash = await client.hGetAll(keys[index])
        if (hash[field] !== `${field}:${index}`) wrong('HGETALL')
      }
    }
  }
}

function wrong (what) {
  throw new Error(`wrong reply to ${what}`)
}

function items (count) {
  return range(count).map(index => `item:${String(index).padStart(6, '0')}`)
}

function range (count) {
  return Array.from({ length: count }, (_, index) => index)
}

function bytes (size) {
  if (size < 1024) return `${size} B`
  return size < 1024 ** 2 ? `${size / 1024} KiB` : `${size / 1024 ** 2} MiB`
}

module.exports = { WORKLOADS }
