'use strict'

// Tests stay on this machine: test servers listen on 127.0.0.1 only, and neither a test nor a
// scripted reply names an address that is not of this machine. A client that connected there by
// mistake would reach a network that is not ours, and the test would depend on its answer.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const root = path.join(__dirname, '..')

/** What no test runs as it stands: type tests, packages of others, programs made of tests. */
const SKIPPED = new Set(['types', 'node_modules', 'work'])

describe('the tests', () => {
  const files = ['__test__', 'tests'].flatMap(sources)

  it('name no IPv4 address but those of this machine', () => {
    assert.deepStrictEqual(strangers(files, /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g,
      address => address.startsWith('127.')), [])
  })

  it('name no IPv6 address but that of this machine', () => {
    // In brackets, as beside a port: elsewhere two colons are a path in Rust.
    assert.deepStrictEqual(strangers(files, /\[[\da-f]*:[\da-f:]*:[^\]\s'"`]*\]/gi,
      address => address === '[::1]'), [])
  })

  it('name no host but those of this machine', () => {
    // With a dot, so that a name server might know it: as a text of its own, or in a URL.
    const ends = 'com|net|org|io|dev|example|test|invalid'
    const name = `[a-z][\\w-]*(?:\\.[\\w-]+)*\\.(?:${ends})`
    const dotted = new RegExp(`(?<=['"\`/@])${name}(?=[:/'"\`])`, 'gi')
    // The name of a package, which looks like a host.
    assert.deepStrictEqual(strangers(files, dotted, found => found === 'socket.io'), [])
  })

  it('listen on 127.0.0.1 only', () => {
    const calls = files.filter(file => file.endsWith('.js')).flatMap(file =>
      [...read(file).matchAll(/(?<!\.)\.listen\(([^)]*)\)/g)].map(([call, args]) =>
        ({ file, call, args })))
    assert.ok(calls.length > 5, 'the calls are not found any more')
    const isOurs = ({ file, call, args }) => EXCEPTIONS[file]?.[call] !== undefined ||
      /, (?:'127\.0\.0\.1'|this\.host)$/.test(args) ||
      EXCEPTIONS[file]?.[/, '(127[\d.]+)'$/.exec(args)?.[1]] !== undefined
    const wrong = calls.filter(call => !isOurs(call))
    assert.deepStrictEqual(wrong.map(({ file, call }) => `${file}: ${call}`), [])
  })

  it('start no server without telling it to bind to 127.0.0.1, or to have no port', () => {
    // Whatever starts a server tells it not to save.
    const starters = files.filter(file => /['"]--save['"]/.test(read(file)))
    assert.ok(starters.length >= 2, 'the starts are not found any more')
    const bound = /--bind['"], ['"]127\.0\.0\.1|--bind', this\.host|--port", "0"/
    assert.deepStrictEqual(starters.filter(file => !bound.test(read(file))), [])
  })

  it('have no exception that is not needed', () => {
    for (const [file, names] of Object.entries(EXCEPTIONS)) {
      for (const name of Object.keys(names)) {
        assert.ok(read(file).includes(name), `${file} does not name ${name}`)
      }
    }
  })
})

/** Where a file names what `pattern` finds and `isOurs` does not accept. */
function strangers (files, pattern, isOurs) {
  const lineOf = (file, index) => read(file).slice(0, index).split('\n').length
  return files.flatMap(file => [...read(file).matchAll(pattern)]
    .filter(([name]) => !isOurs(name) && EXCEPTIONS[file]?.[name] === undefined)
    .map(({ 0: name, index }) => `${file}:${lineOf(file, index)} ${name}`))
}

// This file names what it looks for, and files of types are compiled but not run.
function sources (folder) {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const place = `${folder}/${entry.name}`
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sources(place)
    return /\.(js|rs|txt)$/.test(place) && path.join(root, place) !== __filename ? [place] : []
  })
}

const texts = new Map()

function read (file) {
  if (!texts.has(file)) texts.set(file, fs.readFileSync(path.join(root, file), 'utf8'))
  return texts.get(file)
}

/** What may stay: file to name to the reason why nobody connects to it. */
const EXCEPTIONS = {
  '__test__/ecosystem/libraries/nestjs-microservices.js': {
    '.listen()': 'a service behind Redis, which opens no port'
  },
  '__test__/behaviour/tls-server-trusted.spec.js': {
    'db.example': 'a name in a certificate, for a connection to localhost',
    'db.test': 'a name that is resolved by the lookup of the test',
    'x.test': 'a name in a certificate, for a connection to localhost'
  },
  '__test__/behaviour/tls-set-up-refused.spec.js': {
    'a.test': 'the name that a certificate is asked for, for a connection to localhost',
    'db.test': 'a name that is resolved by the lookup of the test',
    'one.db.example': 'a name in a certificate, for a connection to localhost'
  },
  '__test__/behaviour/unverified-tls.spec.js': {
    'elsewhere.test': 'the name in a certificate, for a connection to 127.0.0.1',
    'another.test': 'a name that a certificate does not have, for a connection to 127.0.0.1'
  },
  '__test__/commands/adding-a-command.spec.js': {
    'redis.io': 'a link in the documentation, which is only compared'
  },
  '__test__/faults/first-address-of-a-name-waited-for.spec.js': {
    '127.0.0.2': 'the second address of this machine, for a name that has two'
  },
  'tests/tls_stream.rs': {
    'db.example': 'the name in a certificate, for a connection to 127.0.0.1'
  }
}
