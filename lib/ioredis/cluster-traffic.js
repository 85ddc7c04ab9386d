'use strict'

/*
 * The commands of a cluster's instance. The native side finds their nodes and follows redirects;
 * what waits on a server gets a connection of its own there.
 */

const { OxidisError } = require('../errors')
const { WATCHES } = require('../mode')
const { closed, refused } = require('./errors')
const facts = require('./facts')
const { Traffic } = require('./traffic')
const { slotOf } = require('../cluster/key-slot')

class ClusterTraffic extends Traffic {
  /** Which nodes of a slot may serve a command that reads; null where the native side knows. */
  get scaleReads () {
    const { scaleReads } = this.redis.options
    if (typeof scaleReads === 'function') return scaleReads
    return scaleReads === 'all' ? anyNode : null
  }

  dispatch (command) {
    this.disarm(command)
    const { kind } = command.facts
    if (kind === facts.SUBSCRIBE || kind === facts.UNSUBSCRIBE) {
      return this.redis._pubsub.dispatch(command)
    }
    if (kind === facts.QUIT) return this.redis.quit().then(() => command.answer('OK'))
    if (kind === facts.MULTI || (!command.isBlock && BY_HAND.has(kind))) {
      return command.fail(refused('a transaction by hand needs one node: use multi() without ' +
        '{ pipeline: false }, or an instance of nodes()'))
    }
    if (command.blocks) return this.wait(command)
    const { scaleReads } = this
    if (scaleReads !== null && this.reads(command)) {
      const chosen = this.choose(scaleReads, command)
      if (chosen !== undefined) return chosen.sendCommand(command)
    }
    const mode = this.modeOf(command)
    const isWatch = kind === facts.WATCH || kind === facts.UNWATCH
    this.link.post(command, isWatch ? mode | WATCHES : mode, this.timeout)
  }

  reads (command) {
    return command.isReadOnly || (!command.isBlock && facts.isRead(command))
  }

  /** The node that the application has chosen for a command that reads. */
  choose (scaleReads, command) {
    const [key] = command.getKeys()
    if (key === undefined) return undefined
    const nodes = this.redis._nodesOf(slotOf(key))
    const chosen = nodes.length === 0 ? undefined : scaleReads(nodes, command)
    return Array.isArray(chosen) ? chosen[Math.floor(Math.random() * chosen.length)] : chosen
  }

  /** A command that waits on its node. */
  wait (command) {
    const { link } = this
    command.link = link
    const { text, chunks } = command.encode(link)
    const row = { command: command.facts.upper, reply: command.reply }
    const { blockingTimeout } = this.redis.options
    const waits = command.waits === 0 && blockingTimeout > 0 ? blockingTimeout : command.waits
    link.sendBlocking({
      chunks: chunks && [...chunks], text, mode: this.modeOf(command), waits, row,
      context: undefined, signal: undefined
    }).then(command.resolve, error => this.failed(command, error))
  }

  restore () {
    const isFree = this.link !== null && this.scaleReads === null
    this.live = isFree ? this.link : null
  }

  /** The deadline of a command has passed. */
  late (command, error) {
    if (!command.blocks) return super.late(command, error)
    if (this.redis.options.blockingTimeout > 0) command.resolve(null)
    else this.again(command)
  }

  again (command) {
    if (this.redis.status === 'end') return command.fail(closed('no'))
    super.again(command)
  }

  mayAgain (command, applied) {
    // What is lost within a cluster was sent again by the native side as often as it may.
    return this.link === null && super.mayAgain(command, applied)
  }

  failed (command, error) {
    const isOwn = error instanceof OxidisError && error.kind === 'WATCH'
    if (isOwn && command.isBlock) return command.resolve(null)
    super.failed(command, error)
  }
}

const anyNode = nodes => nodes

const BY_HAND = new Set([facts.EXEC, facts.DISCARD])

module.exports = { ClusterTraffic }
