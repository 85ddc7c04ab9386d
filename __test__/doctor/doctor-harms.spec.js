'use strict'

// The doctor writes nothing, shows no secret, ends by itself, and says by its exit status what it
// has found. Each of its codes is explained and tested.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const { createClient } = require('../..')
const { WRITE, flagsOf } = require('../../lib/commands/flags')
const { diagnose } = require('../../lib/doctor')
const { run } = require('../../lib/doctor/command')
const { freePort } = require('../support/ports')
const { startServer } = require('../support/redis-server')
const { SECRET, bulk, info, listening, scripted, statusOf } = require('./scene')

const root = path.join(__dirname, '..', '..')

/** Where a code stands: behind the group of checks, or at the beginning of a table's row. */
const BEHIND_GROUP = /\.(?:note|warn|fail)\('\w+', '([A-Z][A-Z0-9_]+)'/g
const IN_TABLE = /\['([A-Z][A-Z0-9_]+)', ?\s*['`][a-z$]/g

describe('the doctor', () => {
  it('sends nothing that writes, or that touches another connection', async t => {
    const server = await scripted(t)
    await diagnose({ url: server.url, database: 1, name: 'shop' })
    await diagnose({ rootNodes: [{ url: server.url }] })
    const allowed = new Set(['ACL WHOAMI', 'AUTH', 'CLIENT SETINFO', 'CLIENT SETNAME',
      'CLUSTER SLOTS', 'CONFIG GET', 'GET', 'HELLO', 'INFO', 'PING', 'READONLY', 'SELECT'])
    const sent = new Set(server.commands.map(([name, sub]) =>
      allowed.has(name) ? name : `${name} ${sub}`))
    assert.ok(sent.size > 5)
    assert.deepStrictEqual([...sent].filter(name => !allowed.has(name)), [])
    for (const [name, sub] of server.commands) {
      assert.strictEqual(flagsOf(name, sub) & WRITE, 0, name)
    }
  })

  it('leaves a server as it was', async t => {
    const server = await startServer()
    t.after(() => server.stop())
    const client = await createClient(server.url).connect()
    t.after(() => client.destroy())
    await client.set('k', 'v')
    const before = await client.info('persistence')
    const changes = text => /rdb_changes_since_last_save:(\d+)/.exec(text)[1]
    await diagnose(server.url, { load: true })
    assert.strictEqual(changes(await client.info('persistence')), changes(before))
    assert.strictEqual(await client.dbSize(), 1)
  })

  it('shows no secret, even if a server repeats it', async t => {
    const server = await scripted(t, {
      AUTH: `-ERR unknown command \`AUTH\`, with args beginning with: \`${SECRET}\`\r\n`,
      'SENTINEL GET-MASTER-ADDR-BY-NAME': '*-1\r\n',
      'SENTINEL MASTERS': `*1\r\n*2\r\n${bulk('name')}${bulk(SECRET)}`
    })
    const reports = [
      await diagnose({ url: server.url, password: SECRET }),
      await diagnose(`redis://alice:${SECRET}@127.0.0.1:${server.port}`),
      await diagnose({
        name: 'shop',
        sentinelRootNodes: [{ host: server.host, port: server.port }],
        password: SECRET
      })
    ]
    for (const report of reports) {
      assert.strictEqual(report.status, 2)
      assert.ok(!JSON.stringify(report).includes(SECRET), JSON.stringify(report))
    }
  })

  it('ends in time, with what it has found, although the server hangs', async t => {
    const port = await listening(t, () => {})
    const report = await diagnose(`redis://127.0.0.1:${port}`, { timeout: 200 })
    assert.deepStrictEqual(report.findings.map(({ code }) => code), [undefined, 'OUT_OF_TIME'])
    assert.strictEqual(report.status, 2)
  })

  it('refuses wrong options, and names them', async () => {
    await assert.rejects(diagnose({ socket: { port: 'x' } }), /socket\.port/)
    await assert.rejects(diagnose({}, { load: 1 }), { message: /option "load" must be a boolean/ })
    await assert.rejects(diagnose({}, { timeout: 0 }), { message: /option "timeout"/ })
    await assert.rejects(diagnose({}, null), { message: /argument "how"/ })
  })

  it('takes a client for its options', async t => {
    const server = await scripted(t)
    const client = createClient({ url: server.url })
    t.after(() => client.destroy())
    const report = await diagnose(client)
    assert.strictEqual(report.target, `127.0.0.1:${server.port}`)
    assert.strictEqual(statusOf(report), 0)
  })

  it('is there under a name of its own, for ES modules too', async () => {
    assert.strictEqual(require('oxidis/doctor').diagnose, diagnose)
    assert.strictEqual((await import('oxidis/doctor')).diagnose, diagnose)
  })
})

describe('npx oxidis doctor', () => {
  it('says by its exit status what is found: 0, 1, 2', async t => {
    const healthy = await scripted(t)
    const replica = await scripted(t, { INFO: info({ role: 'slave' }) })
    const dead = `redis://127.0.0.1:${await freePort()}`
    for (const [url, expected] of [[healthy.url, 0], [replica.url, 1], [dead, 2]]) {
      const { status, stdout } = await doctor([url, '--json'])
      const report = JSON.parse(stdout)
      assert.strictEqual(statusOf(report), expected)
      assert.strictEqual(status, report.status)
    }
    for (const wrong of [['http://x'], ['{"a"'], ['--what'], ['a', 'b'], ['--timeout', 'x']]) {
      const { status, stderr } = await doctor(wrong)
      assert.strictEqual(status, 2)
      assert.match(stderr, /^oxidis doctor: .+\n\nusage:/)
    }
  })

  it('prints what a person reads: marks, codes, remedies, a histogram, a verdict', async t => {
    const replica = await scripted(t, { INFO: info({ role: 'slave' }) })
    const { stdout } = await doctor([replica.url])
    assert.match(stdout, /^oxidis doctor: 127\.0\.0\.1:\d+\n/)
    assert.match(stdout, /^ok {4}server {4}Redis 7\.4\.0, RESP3$/m)
    assert.match(stdout, /^warn {2}server {4}it is a replica .*\[REPLICA\]\n +-> connect/m)
    assert.match(stdout, /below .* ms {2}#+ +\d+/)
    assert.match(stdout, /\nwarn it works, but see the warnings\n$/)
    assert.ok(!stdout.includes('\x1b'))
  })

  it('prints JSON for programs', async t => {
    const healthy = await scripted(t)
    const { stdout, status } = await doctor([healthy.url, '--json'])
    const report = JSON.parse(stdout)
    assert.strictEqual(report.status, status)
    assert.ok(Array.isArray(report.findings))
  })

  it('takes options as JSON, and from standard input', async t => {
    const healthy = await scripted(t)
    const options = JSON.stringify({ socket: { host: '127.0.0.1', port: healthy.port } })
    for (const [words, input] of [[[options]], [['-'], options]]) {
      const { stdout } = await doctor([...words, '--json'], input)
      assert.strictEqual(statusOf(JSON.parse(stdout)), 0)
    }
  })

  it('has colours on a terminal only, and none with NO_COLOR', async () => {
    const dead = `redis://127.0.0.1:${await freePort()}`
    const printed = async (isTTY, env) => {
      let text = ''
      await run([dead], { stdout: { isTTY, write: part => { text += part } }, env })
      return text.includes('\x1b[31m')
    }
    assert.deepStrictEqual(
      [await printed(true, {}), await printed(true, { NO_COLOR: '1' }), await printed(false, {})],
      [true, false, false])
  })

  it('never prints a password, whatever is wrong', async () => {
    const port = await freePort()
    for (const words of [
      [`redis://alice:${SECRET}@127.0.0.1:${port}`], [`http://alice:${SECRET}@127.0.0.1`],
      [`{"password":"${SECRET}"`], [SECRET], [`redis://:${SECRET}@127.0.0.1:99999`]
    ]) {
      const { stdout, stderr, status } = await doctor(words)
      assert.strictEqual(status, 2)
      assert.ok(!(stdout + stderr).includes(SECRET), stdout + stderr)
    }
  })

  it('says how it is used', async () => {
    const help = await doctor(['--help'])
    assert.strictEqual(help.status, 0)
    assert.match(help.stdout, /^usage: oxidis doctor/)
    const other = await doctor(['x'], undefined, ['physician'])
    assert.strictEqual(other.status, 2)
    assert.match(other.stderr, /^usage: oxidis doctor/)
  })
})

describe('the codes of the doctor', () => {
  const codes = new Set(fs.readdirSync(path.join(root, 'lib', 'doctor'))
    .filter(file => file.endsWith('.js')).flatMap(file =>
      [BEHIND_GROUP, IN_TABLE].flatMap(form =>
        [...read('lib', 'doctor', file).matchAll(form)].map(([, code]) => code))))

  it('are each explained in docs/doctor.md, and no other', () => {
    const rows = [...read('docs', 'doctor.md').matchAll(/^\| (`[^|]+`) \|/gm)]
    const explained = rows.flatMap(([, cell]) => cell.match(/[A-Z][A-Z0-9_]+/g) ?? [])
    assert.ok(codes.size > 50, `${codes.size} codes`)
    assert.deepStrictEqual(explained.toSorted(), [...codes].toSorted())
  })

  it('are each shown by a test', () => {
    const tests = fs.readdirSync(__dirname).map(file => read('__test__', 'doctor', file)).join('\n')
    for (const code of codes) assert.ok(tests.includes(`'${code}'`), code)
  })
})

function read (...names) {
  return fs.readFileSync(path.join(root, ...names), 'utf8')
}

/** Runs the program as a process of its own. */
function doctor (words, input = '', command = ['doctor']) {
  const child = spawn(process.execPath, [path.join(root, 'bin', 'oxidis.js'), ...command, ...words])
  const output = { stdout: '', stderr: '' }
  for (const name of Object.keys(output)) {
    child[name].setEncoding('utf8').on('data', text => { output[name] += text })
  }
  child.stdin.on('error', () => {}).end(input)
  return new Promise(resolve => {
    child.on('close', status => resolve({ status, ...output }))
  })
}
