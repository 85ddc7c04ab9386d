'use strict'

// What a client costs apart from commands: the time of `require`, memory, and its size on disk.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root } = require('../scripts/setup')
const { CLIENTS, failure, load, locate } = require('./clients')
const { Contestant } = require('./contestant')
const { median } = require('./load')

/** By client: `{ require, connected, loaded }` in ms and bytes; and oxidis's sizes in bytes. */
async function measureExtras (server, names, quick) {
  const client = await load('redis').createClient({ url: server.url }).connect()
  await client.set('bench:memory', 'x'.repeat(32))
  await client.close()
  const clients = {}
  for (const name of names.filter(one => !/-(pool|cluster)/.test(one))) {
    clients[name] = {
      require: requireTime(locate(CLIENTS[name].package), quick ? 3 : 9),
      ...await memory(name, server)
    }
  }
  return { clients, sizes: names.includes('oxidis') ? sizes() : undefined }
}

// Each in a process of its own, since a second `require` finds a warm cache.
function requireTime (file, times) {
  const code = `
    const started = performance.now()
    require(${JSON.stringify(file)})
    process.stdout.write(String(performance.now() - started), () => process.exit())`
  const runs = Array.from({ length: times }, () =>
    Number(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })))
  return median(runs)
}

async function memory (name, { host, port }) {
  const contestant = new Contestant(name)
  try {
    await contestant.open({ host, port })
    return await contestant.memory(IN_FLIGHT)
  } catch (error) {
    return failure(name, error)
  } finally {
    contestant.stop()
  }
}

function sizes () {
  const addon = fs.readdirSync(root).find(file => file.endsWith('.node'))
  const packed = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], {
    cwd: root, encoding: 'utf8', shell: process.platform === 'win32'
  }))
  const [{ unpackedSize, size }] = Array.isArray(packed) ? packed : Object.values(packed)
  return { addon: fs.statSync(path.join(root, addon)).size, package: unpackedSize, packed: size }
}

const IN_FLIGHT = 100_000

module.exports = { measureExtras, IN_FLIGHT }
