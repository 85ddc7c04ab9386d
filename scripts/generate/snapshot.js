'use strict'

/*
 * Asks a server about its commands and renders the answer as commands/redis.json: one command or
 * subcommand a line, sorted, so that a new server version shows as a readable diff.
 */

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

/** The text of the snapshot, from a server to start (`server`: its path) or a running one. */
async function read ({ server, port }) {
  if (server === undefined) return ask(Number(port))
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-generate-'))
  const free = await freePort()
  const child = spawn(server, ['--port', String(free), '--save', '', '--bind', '127.0.0.1'], {
    cwd: folder, stdio: 'ignore'
  })
  try {
    return await Promise.race([ask(free), failed(child, server)])
  } finally {
    child.kill()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function ask (port) {
  const { createClient } = require('redis')
  const client = createClient({ socket: { port, host: '127.0.0.1' }, RESP: 3 })
  client.on('error', () => {}) // It may not listen yet. The client tries again by itself.
  await client.connect()
  try {
    const info = await client.info('server')
    const version = /redis_version:(\S+)/.exec(info)[1]
    const commands = await client.sendCommand(['COMMAND'])
    const docs = await client.sendCommand(['COMMAND', 'DOCS'])
    return render(version, commands.flatMap(command => describe(command, docs)))
  } finally {
    client.destroy()
  }
}

/** [name, facts] of a command and of its subcommands; `config|get` becomes `CONFIG GET`. */
function describe (command, docs) {
  const [name, arity, flags, , , , , tips = [], keySpecs = [], subcommands = []] = command
  const doc = docs[name] ?? {}
  const facts = {
    group: doc.group,
    since: doc.since,
    summary: doc.summary,
    complexity: doc.complexity,
    deprecatedSince: doc.deprecated_since,
    replacedBy: doc.replaced_by,
    container: subcommands.length > 0 || undefined,
    arity,
    flags: Array.from(flags).sort(),
    tips: filled(Array.from(tips)),
    keys: filled(keySpecs.map(keySpec))
  }
  return [
    [name.replace('|', ' ').toUpperCase(), facts],
    ...subcommands.flatMap(subcommand => describe(subcommand, doc.subcommands ?? {}))
  ]
}

function keySpec (spec) {
  return {
    flags: Array.from(spec.flags),
    begin: { type: spec.begin_search.type, ...spec.begin_search.spec },
    find: { type: spec.find_keys.type, ...spec.find_keys.spec }
  }
}

function filled (list) {
  return list.length === 0 ? undefined : list
}

function render (version, facts) {
  const lines = facts
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, fact]) => `    ${JSON.stringify(name)}: ${JSON.stringify(fact)}`)
  return `{\n  "generated": "by scripts/generate-commands.js from a server; do not edit",\n` +
    `  "server": ${JSON.stringify(version)},\n  "commands": {\n${lines.join(',\n')}\n  }\n}\n`
}

function freePort () {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function failed (child, server) {
  return new Promise((resolve, reject) => {
    child.once('error', error => reject(new Error(`cannot start ${server}: ${error.message}`)))
    child.once('exit', code => reject(new Error(`${server} ended with code ${code}`)))
  })
}

module.exports = { read }
