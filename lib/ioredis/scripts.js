'use strict'

/*
 * Lua scripts as commands of an instance: `defineCommand`.
 *
 * Over each connection a script goes out whole once, by EVAL, and by its SHA-1 from then on. A
 * server that has forgotten it answers NOSCRIPT, and gets it whole again.
 */

const { Command } = require('./command')

class Script {
  /**
   * @param {string} lua
   * @param {number | null} [numberOfKeys] null: the first argument of each call says it
   * @param {string | Buffer} [keyPrefix]
   * @param {boolean} [readOnly] whether replicas of a cluster may run it
   */
  constructor (lua, numberOfKeys = null, keyPrefix = '', readOnly = false) {
    this.lua = lua
    this.numberOfKeys = numberOfKeys
    this.keyPrefix = keyPrefix
    this.readOnly = readOnly
    // Loading it takes as long as a dozen of our modules, and most programs have no script.
    const { createHash } = require('node:crypto')
    this.sha = createHash('sha1').update(lua).digest('hex')
  }

  /** Decides whether `command` goes out by EVAL or by EVALSHA. */
  choose (command, link) {
    // Within a transaction there is no second try, and another node may not know the script.
    const isUncertain = link.isOfSeveral && command.inTransaction
    const isWhole = command.isSecond || isUncertain || !link.scripts.has(this.sha)
    if (isWhole) link.scripts.add(this.sha)
    command.name = isWhole ? 'eval' : 'evalsha'
    command.args[0] = isWhole ? this.lua : this.sha
  }

  /** Whether the server does not know the script, and is to get it whole. */
  isUnknown (command, error) {
    if (!error.message.includes('NOSCRIPT')) return false
    command.link.scripts.delete(this.sha)
    return !command.isSecond && !command.inTransaction
  }

  /** The command of one call. */
  command (owner, args, replyEncoding, callback) {
    const { keyPrefix, numberOfKeys } = this
    const { isPipeline, options } = owner
    const given = typeof numberOfKeys === 'number' ? [this.sha, numberOfKeys] : [this.sha]
    for (let i = 0; i < args.length; i++) given.push(args[i])
    const command = new Command('evalsha', given, {
      replyEncoding,
      keyPrefix,
      readOnly: this.readOnly,
      errorStack: options.showFriendlyErrorStack ? new Error() : undefined,
      isBare: isPipeline === true
    }, callback)
    command.script = this
    return command
  }
}

/**
 * Gives `target` the methods of a script.
 * @param {object} target
 * @param {string} name
 * @param {Script} script
 */
function addScript (target, name, script) {
  for (const [method, encoding] of [[name, 'utf8'], [`${name}Buffer`, null]]) {
    target[method] = function (...args) {
      const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined
      return this.sendCommand(script.command(this, args, encoding, callback))
    }
  }
}

module.exports = { Script, addScript }
