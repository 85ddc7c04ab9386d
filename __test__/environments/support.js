'use strict'

// Runs programs in which the packed oxidis is installed, as in a project of a user.
//
// scripts/environments.js has put the packages into node_modules beside this file. Programs stand
// in folders of `work/`, from which they find them, and each run ends by itself or fails.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { startServer } = require('../support/redis-server')

const here = __dirname
/** A runner that is started on a busy machine takes many seconds, and a bundler more. */
const LONGEST = 180_000

/** Starts a server for a file of tests. Resolves to `{ url, stop }`. */
async function serve () {
  const server = await startServer()
  return { url: `redis://127.0.0.1:${server.port}`, stop: () => server.stop() }
}

/** A new folder of `work/` with the given files, by name. */
function project (name, files) {
  const folder = path.join(here, 'work', name)
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, file), text)
  }
  return folder
}

/** The script that package `name` starts by the name `command`. */
function bin (name, command = name) {
  const folder = path.join(here, 'node_modules', name)
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[command]
  return path.join(folder, file)
}

/**
 * Runs Node, or the program in `options.program`, in `cwd`. Resolves to what it printed. Rejects if
 * it fails, or does not end.
 */
function run (args, cwd, { url, program = process.execPath, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    // A runner within a runner would report to the outer one.
    const outer = { NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined }
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...outer, NO_COLOR: '1', CI: 'true', REDIS_URL: url, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', data => { text += data })
    }
    const timer = setTimeout(() => {
      text += `\nit did not end within ${LONGEST / 1000} s`
      child.kill('SIGKILL')
    }, LONGEST)
    child.once('error', reject)
    child.once('close', status => {
      clearTimeout(timer)
      if (status === 0) resolve(text)
      else reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${text}`))
    })
  })
}

/** A program that uses the client, as the body of a function that may await. */
const USE = `
  const client = createClient({ url: process.env.REDIS_URL, commandOptions: { timeout: 60000 } })
  assert.strictEqual(await client.set('environment', 'value'), 'OK')
  assert.strictEqual(await client.get('environment'), 'value')
  assert.deepStrictEqual(await client.multi().del('environment').ping().exec(), [1, 'PONG'])
  await client.session(async session => assert.strictEqual(await session.ping(), 'PONG'))
  assert.strictEqual(await client.blPop('no such list', 0.01), null)
  await client.close()
`

module.exports = { LONGEST, USE, bin, here, project, run, serve }
