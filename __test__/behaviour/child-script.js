'use strict'

// Runs a piece of JavaScript in a Node process of its own, for what only a whole process shows:
// when it ends, how it ends, what it loads.
//
// Never waits for a fixed time: a script that does not end by itself is killed, and the test that
// started it told so.

const { spawn } = require('node:child_process')
const path = require('node:path')

/** The package's folder. */
const root = path.join(__dirname, '..', '..')

/**
 * Runs `source` and resolves with `{ code, signal, stdout, stderr }`. Options, all optional:
 * - `module`: true for an ES module, default CommonJS
 * - `args`: for the script, in `process.argv` from 1 on
 * - `flags`: for Node, such as `['--expose-gc']`
 * - `env`: variables in addition to this process's
 * - `through`: the program that starts Node, with its first arguments; default none
 * - `patience`: ms that it may take; default: a minute
 * - `onLine (line, child)`: called with each line of stdout, as it comes
 */
function runScript (source, options = {}) {
  const { module = false, args = [], flags = [], env = {}, through = [], onLine } = options
  const { patience = PATIENCE } = options
  const kind = module ? ['--input-type=module'] : ['--input-type=commonjs']
  const script = module ? source : `const oxidis = require(${JSON.stringify(root)})\n${source}`
  const [program, ...rest] = [...through, process.execPath, ...flags, ...kind, '-e', script, '--',
    ...args]
  const child = spawn(program, rest, {
    cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the script did not end within ${patience} ms; it had written:\n` +
        `${output.stdout}\n${output.stderr}`))
    }, patience)
    let line = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output.stdout += text
      const lines = (line + text).split('\n')
      line = lines.pop()
      if (onLine) for (const whole of lines) onLine(whole, child)
    })
    child.stderr.setEncoding('utf8').on('data', text => { output.stderr += text })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...output })
    })
  })
}

// The slowest script takes about a second; a busy 2-core machine has needed ten times as long.
const PATIENCE = 60_000

module.exports = { root, runScript }
