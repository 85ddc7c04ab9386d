'use strict'

// The parent's side of one child process (worker.js): a client that waits for its turn.
//
// Each client of a workload has a process of its own, alive for all rounds of that workload, and
// they are driven in turns. So garbage, JIT state and threads of one client never disturb another,
// code is warm from the second round on, and a noisy minute of the machine hits all of them.

const { fork } = require('node:child_process')
const path = require('node:path')

class Contestant {
  /**
   * @param {string} name which client, see clients/index.js
   * @param {string} [folder] the checkout of oxidis to measure; default: this one
   */
  constructor (name, folder) {
    this.name = name
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc']
    const env = { ...process.env, ...(folder && { OXIDIS_BENCH_CHECKOUT: folder }) }
    this.child = fork(path.join(__dirname, 'worker.js'), { stdio, env })
  }

  /** Connects; resolves to the method that the client lacks for the workload, or undefined. */
  async open (server, workload) {
    const { missing } = await this.ask('open', { name: this.name, server, workload })
    return missing
  }

  run (ms) {
    return this.ask('run', { ms })
  }

  memory (count) {
    return this.ask('memory', { count })
  }

  /** Ends the process, whatever it is doing. */
  stop () {
    this.child.kill('SIGKILL')
  }

  ask (request, details) {
    return new Promise((resolve, reject) => {
      const { child } = this
      const settle = (action, value) => {
        child.off('message', onMessage).off('exit', onExit)
        action(value)
      }
      const onMessage = ({ result, error }) =>
        error ? settle(reject, new Error(`${this.name}: ${error}`)) : settle(resolve, result)
      const onExit = (code, signal) =>
        settle(reject, new Error(`${this.name} ended with ${code ?? signal} during ${request}`))
      child.on('message', onMessage).on('exit', onExit)
      child.send({ request, ...details })
    })
  }
}

module.exports = { Contestant }
