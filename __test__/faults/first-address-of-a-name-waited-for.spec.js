'use strict'

// A name with two addresses, the first of which leads to a server that is of no use: the second is
// tried, and later connections begin there.
//
// The name is one of the system's resolver. A process gets a hosts file of its own for that, by a
// mount that no other process sees, which only Linux has.

const assert = require('node:assert')
const { spawnSync } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { runScript } = require('../behaviour/child-script')
const { scene, CANARY } = require('./scene')

const NAME = 'two-addresses'
const HOSTS = ['127.0.0.2', '127.0.0.1']
const LOADING = 'LOADING Redis is loading the dataset in memory'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-hosts-'))
const hosts = path.join(folder, 'hosts')
fs.writeFileSync(hosts, HOSTS.map(host => `${host} ${NAME}\n`).join(''))

/** What a program is started through to have that file in the place of the system's. */
const THROUGH = ['unshare', '--mount', '--map-root-user', 'sh', '-c',
  'mount --bind "$0" /etc/hosts && exec "$@"', hosts]

const skip = (() => {
  const [program, ...args] = THROUGH
  const { status } = spawnSync(program, [...args, 'grep', '-q', NAME, '/etc/hosts'])
  return status !== 0 && 'no process can have a hosts file of its own here (unshare --mount)'
})()

describe('the first address of a name', { skip, concurrency: true }, () => {
  before(() => assert.ok(fs.existsSync(hosts)))
  after(() => fs.rmSync(folder, { recursive: true }))

  it('is not waited for if its server accepts and stays silent', async t => {
    const { answered, connections } = await called(t, () => {})
    assert.deepStrictEqual(answered, [1, 2, 3])
    assert.strictEqual(connections, 1, 'the second address is remembered')
  })

  it('is not waited for if its server says at each login that it loads its data', async t => {
    const { answered } = await called(t, (args, reply) => reply.error(LOADING))
    assert.deepStrictEqual(answered, [1, 2, 3])
  })

  it('is left if its server says to each command that it loads its data', async t => {
    const { answered, connections } = await called(t, (args, reply, fake) =>
      fake.shakeHands(args, reply) || reply.error(LOADING))
    assert.deepStrictEqual(answered, [1, 2, 3])
    assert.strictEqual(connections, 1, 'the second address is remembered')
  })
})

/**
 * Makes calls from a process for which NAME has two addresses. The server at the one that is
 * connected to first answers by `answer (args, reply, fake)`, the other one counts. Resolves to
 * what was answered, and how many connections there were to the first.
 */
async function called (t, answer) {
  const set = scene(t)
  const fake = await set.fake({ handshake: false })
  const other = net.createServer({ noDelay: true }, socket => fake.accept(socket))
  other.listen(fake.port, '127.0.0.2')
  await once(other, 'listening')
  set.defer(() => { other.close() })
  let first
  let connections = 0
  fake.on('connection', ({ socket }) => {
    first ??= socket.localAddress
    if (socket.localAddress === first) connections++
  })
  let count = 0
  fake.on('command', (args, reply, { socket }) => {
    if (socket.localAddress === first) return answer(args, reply, fake)
    if (!fake.shakeHands(args, reply)) reply.integer(++count)
  })
  const options = {
    password: CANARY, commandOptions: { timeout: PATIENCE }, socket: { host: NAME, port: fake.port }
  }
  const { stdout, stderr } = await runScript(SCRIPT, {
    args: [JSON.stringify(options)], through: THROUGH
  })
  assert.match(stdout, /^\[.*\]\n$/, stderr)
  return { answered: JSON.parse(stdout), connections }
}

// Commands that are not sent twice, over a lane and over a connection that is made later.
const SCRIPT = `
  const client = oxidis.createClient(JSON.parse(process.argv[1]))
  const call = async () => {
    const answered = [await client.incr('n'), await client.incr('n')]
    answered.push(await client.session(session => session.incr('n')))
    console.log(JSON.stringify(answered))
    await client.close()
  }
  call()`

// ms. It takes a second or two: the first address gets a fifth of the 5 s for connecting, and a
// server that loads its data four tries.
const PATIENCE = 40_000
