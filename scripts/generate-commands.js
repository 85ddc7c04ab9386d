'use strict'

/*
 * Writes everything that follows from the command table (`npm run generate`).
 *
 *   node scripts/generate-commands.js                      the derived files only
 *   node scripts/generate-commands.js --server <path>      starts that redis-server, reads its
 *   node scripts/generate-commands.js --port <n>           commands (or a running one's) first
 *
 * Sources: commands/redis.json (what a server says about its commands, itself generated), what is
 * written by hand in scripts/generate/ (newer commands, flags, error replies, declarations), the
 * rows in lib/commands/ and lib/modules/, and the calls in __test__/commands/calls.js. Derived: the
 * Rust table, the flags for sendCommand, the names of methods, what may be cached, the places of
 * keys, the policies for clusters, index.d.ts, docs/commands.md, the calls that the Rust test of
 * key positions makes, and what Rust and JavaScript know of error replies. A test fails when they
 * are not up to date.
 *
 * A method whose command the table does not know is refused, and nothing is written then.
 */

const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')

const ROOT = path.join(__dirname, '..')
const SNAPSHOT = path.join(ROOT, 'commands', 'redis.json')

/**
 * The derived files: path from the root -> text. Reads the snapshot, starts nothing.
 * Throws an Error that names each method that lacks something.
 */
function derive () {
  const { commands } = JSON.parse(fs.readFileSync(SNAPSHOT, 'utf8'))
  const facts = { ...require('./generate/newer').newer, ...commands }
  const calls = require('../__test__/commands/calls')
  require('./generate/check').check({ ...require('../lib/commands'), facts, calls })
  const errorReplies = require('./generate/error-replies')
  return {
    'src/command/table.rs': require('./generate/rust-table').render(facts),
    'lib/commands/flags.js': require('./generate/flags-table').render(facts),
    'lib/commands/method-names.js': require('./generate/method-names').render(),
    'lib/commands/cacheable.js': require('./generate/cacheable').render(facts),
    'lib/commands/key-places.js': require('./generate/key-places-table').render(facts),
    'lib/commands/policies.js': require('./generate/policies-table').render(facts),
    'index.d.ts': require('./generate/declarations').render(facts),
    'docs/commands.md': require('./generate/reference').render(facts),
    'tests/command_keys/calls.txt': require('./generate/calls').render(),
    'src/error_replies/table.rs': errorReplies.renderRust(),
    'lib/error-replies.js': errorReplies.renderJavaScript()
  }
}

async function main () {
  const text = { type: 'string' }
  const { values } = parseArgs({ options: { server: text, port: text } })
  if (values.server !== undefined || values.port !== undefined) {
    write('commands/redis.json', await require('./generate/snapshot').read(values))
  }
  for (const [file, text] of Object.entries(derive())) write(file, text)
}

function write (file, text) {
  fs.writeFileSync(path.join(ROOT, file), text)
  console.log(`wrote ${file} (${Math.round(text.length / 1024)} KB)`)
}

if (require.main === module) {
  main().catch(error => {
    console.error(`generate-commands: ${error.message}`)
    process.exitCode = 1
  })
}

module.exports = { derive, ROOT }
