'use strict'

// Runs a program of libraries/ with both faces and compares what comes out.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const path = require('node:path')

const { startServer } = require('../support/redis-server')

/** What stands before the outcome in a program's output. */
const OUTCOME = 'outcome: '
/** The slowest of them need 5 s on an idle machine; a busy one has needed five times as long. */
const LONGEST = 120_000

/**
 * Runs the program `name` on the reference and on oxidis, at the same time, each with a server of
 * its own, unless `given` says where. Both have to end by themselves, with equal outcomes.
 */
async function compare (name, { args, given } = {}) {
  const [reference, oxidis] = await allDone(['reference', 'oxidis'].map(async face => {
    if (given !== undefined) return runProgram(name, face, given)
    const server = await startServer({ args })
    try {
      return await runProgram(name, face, { url: server.url }, server)
    } finally {
      await server.stop()
    }
  }))
  assert.ok(reference !== null && Object.keys(reference).length > 0, 'there is no outcome')
  assert.deepStrictEqual(oxidis, reference)
}

/**
 * Compares what a program does on the reference and on oxidis in a cluster. The two run one after
 * the other, and each finds the cluster empty.
 */
async function compareInCluster (name, cluster) {
  const outcomes = []
  for (const face of ['reference', 'oxidis']) {
    for (const node of cluster.primaries) await cluster.command(node, 'FLUSHALL')
    outcomes.push(await runProgram(name, face, { rootNodes: cluster.rootNodes }))
  }
  assert.ok(Object.keys(outcomes[0]).length > 0, 'there is no outcome')
  assert.deepStrictEqual(outcomes[1], outcomes[0])
}

/**
 * Runs a program with one face. Resolves to its outcome, and rejects if it fails or hangs. It may
 * ask (control.js) to kill or start the server, where that is its own.
 */
function runProgram (name, face, given, server) {
  return new Promise((resolve, reject) => {
    const args = ['--require', './faces.cjs', 'run.js', name, JSON.stringify(given)]
    const child = spawn(process.execPath, args, {
      cwd: __dirname,
      // A test runner within a test runner would report to the outer one.
      env: { ...process.env, FACE: face, NODE_TEST_CONTEXT: undefined },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    child.on('message', request => {
      const done = request === 'kill' ? server.kill() : server.start()
      done.then(() => child.send('done'), error => child.send(error.message))
    })
    const texts = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', data => { texts[stream] += data })
    }
    let hung = ''
    const timer = setTimeout(() => {
      hung = ` because it had not ended after ${LONGEST / 1000} s`
      child.kill('SIGKILL')
    }, LONGEST)
    child.once('error', reject)
    child.once('close', status => {
      clearTimeout(timer)
      const line = texts.stdout.split('\n').find(line => line.startsWith(OUTCOME))
      if (status === 0 && line !== undefined) return resolve(JSON.parse(line.slice(OUTCOME.length)))
      const text = `${texts.stdout}${texts.stderr}`.slice(-LOG_KEPT)
      reject(new Error(`${path.basename(name)} on ${face} ended with ${status}${hung}:\n${text}`))
    })
  })
}

/** The results of all, once all are done: none may be under way when the test clears up. */
async function allDone (promises) {
  const results = await Promise.allSettled(promises)
  const errors = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
  if (errors.length > 0) {
    throw new Error(errors.map(({ message }) => message).join('\n\n'), { cause: errors[0] })
  }
  return results.map(({ value }) => value)
}

/** Characters of a failed program's output that its error shows. */
const LOG_KEPT = 8_000

module.exports = { OUTCOME, compare, compareInCluster }
