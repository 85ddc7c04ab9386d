'use strict'

/*
 * The commands of one instance: which of them go out, over which link, and what becomes of them
 * when a connection is lost.
 *
 * Owns the queue of commands that wait for a connection, the transaction that the application has
 * begun by hand, and what it watches. While a command waits on the server, others go over a second
 * link, so that they are not held up.
 *
 * Invariant: every command that is taken is settled. What the server may have run is not sent again
 * by itself, unless it only reads or waits.
 */

const { OxidisError, TimeoutError } = require('../errors')
const { waitOf } = require('../commands/guards')
const { PAIRS, PATIENT } = require('../mode')
const { clearTimeout, performance, setTimeout } = require('../timers')
const { Command, asReply, hgetall } = require('./command')
const {
  ReplyError, aborted, closed, isLoss, notWriteable, refused, timedOut
} = require('./errors')
const facts = require('./facts')
const { isInteger } = require('./url')
const { RESEND, isResp3 } = require('./options')

class Traffic {
  /** @param {import('./redis').Redis} redis */
  constructor (redis) {
    this.redis = redis
    const { options } = redis
    /** Where most commands go without any question; null if there is one to ask. */
    this.live = null
    /** The link of the connection that stands; null while there is none. */
    this.link = null
    /** The second link; null while nothing waits on the server. */
    this.side = null
    this.sideTimer = null
    /** Commands that wait for a connection. */
    this.queue = []
    this.isUnordered = false
    this.seq = 0
    /** The transaction that was begun by hand: `{ link, count, isLost }`; null if there is none. */
    this.transaction = null
    /** The link on which keys are watched, and whether such a link is gone. */
    this.watched = null
    this.isWatchLost = false
    this.timeout = typeof options.commandTimeout === 'number'
      ? Math.max(1, Math.ceil(options.commandTimeout))
      : 0
    const resp3 = isResp3(options)
    const numbers = options.stringNumbers ? STRING_NUMBERS : ROUNDED
    this.textMode = numbers | (resp3 ? BIG_TEXT : 0)
    this.bufferMode = this.textMode | BUFFERS
    this.replyContext = {
      protocol: options.protocol, replyMapping: resp3 ? 'resp3' : 'legacy'
    }
  }

  /** Sends a command, or keeps it until that is possible. */
  take (command) {
    const { redis, live } = this
    command.owner = redis
    command.seq = this.seq++
    if (this.timeout !== 0) command.due = performance.now() + this.timeout
    this.prepare(command)
    if (live !== null && command.facts.kind === facts.PLAIN && !command.blocks) {
      return live.post(command, this.modeOf(command), this.timeout)
    }
    const refusal = this.refusalOf(command)
    if (refusal !== null) return command.fail(refusal)
    if (redis.status === 'wait') redis.connect().catch(() => {})
    if (redis.status === 'end') return command.fail(closed('no'))
    if (this.link !== null) return this.dispatch(command)
    if (!redis.options.enableOfflineQueue) return command.fail(notWriteable())
    if (command.facts.kind === facts.QUIT && this.queue.length === 0) {
      redis.disconnect()
      return command.answer('OK')
    }
    this.keep(command)
  }

  /** Finds out what must be known before the command is sent. */
  prepare (command) {
    const { facts: known, args, name } = command
    if (known.mayBlock) {
      command.waits = waitOf(known.upper, known.flags, [name, ...args])
      command.blocks = command.waits !== undefined
    }
    const transformer = Command._transformer.reply[name]
    const isPlain = command.isText || !command.replyEncoding
    if (transformer === undefined && isPlain) return
    if (transformer === hgetall && isPlain) command.isPairs = true
    else command.reply = asReply(command, this.replyContext)
  }

  modeOf (command) {
    if (command.mode !== undefined) return command.mode(this)
    const mode = command.isText ? this.textMode : this.bufferMode
    return command.isPairs ? mode | PAIRS : mode
  }

  /** Why the command cannot be sent over a connection of its instance at all; null if it can. */
  refusalOf (command) {
    const { redis } = this
    const { kind } = command.facts
    if (redis.options.monitor && !Command.checkFlag('VALID_IN_MONITOR_MODE', command.name)) {
      return refused("Connection is in monitoring mode, can't process commands.")
    }
    if (redis.mode === 'subscriber' &&
      !Command.checkFlag('VALID_IN_SUBSCRIBER_MODE', command.name)) {
      return refused('Connection in subscriber mode, only subscriber commands may be used')
    }
    const isSilent = kind === facts.CLIENT && command.args.length > 1 &&
      /^reply$/i.test(String(command.args[0])) && !/^on$/i.test(String(command.args[1]))
    if (isSilent) return refused('CLIENT REPLY would leave commands without a reply')
    if (kind === facts.SYNC) return refused(`${command.facts.upper} would end the list of replies`)
    if (kind === facts.MONITOR) return refused('MONITOR needs a connection of its own: monitor()')
    return null
  }

  /** Keeps a command until there is a connection. */
  keep (command) {
    this.queue.push(command)
    command.own()
    if (command.timer !== null) return
    const { blockingTimeout } = this.redis.options
    if (command.due !== 0) {
      const left = Math.max(1, command.due - performance.now())
      this.arm(command, left, () => command.fail(timedOut('no')))
    } else if (command.blocks && blockingTimeout > 0) {
      this.arm(command, blockingTimeout, () => command.resolve(null))
    }
  }

  arm (command, delay, end) {
    command.timer = setTimeout(() => {
      command.timer = null
      const at = this.queue.indexOf(command)
      if (at === -1) return
      this.queue.splice(at, 1)
      end()
    }, delay)
  }

  /** The command does not wait for a connection any more. */
  disarm (command) {
    if (command.timer === null) return
    clearTimeout(command.timer)
    command.timer = null
  }

  /** Sends a command over the connection that stands. */
  dispatch (command) {
    this.disarm(command)
    switch (command.facts.kind) {
      case facts.SUBSCRIBE:
      case facts.UNSUBSCRIBE:
        return this.redis._pubsub.dispatch(command)
      case facts.SELECT:
        return this.select(command)
      case facts.QUIT:
        return this.quit(command)
      case facts.WATCH:
      case facts.UNWATCH:
      case facts.MULTI:
      case facts.EXEC:
      case facts.DISCARD:
        if (command.isBlock !== true) return this.byHand(command)
    }
    if (this.transaction !== null) return this.within(command)
    if (command.isBlock) return this.block(command)
    this.post(this.way(command), command)
  }

  /** The link that a command goes over. */
  way (command) {
    if (this.watched !== null) return this.watched
    const { link, side } = this
    if (link.blocked > 0 && !command.blocks) return this.beside()
    if (side === null || command.blocks) return link
    // What was sent over the second link first is answered first.
    if (side.promises.pending > 0) return side
    this.leaveSide()
    return link
  }

  /** The second link. */
  beside () {
    if (this.sideTimer !== null) {
      clearTimeout(this.sideTimer)
      this.sideTimer = null
    }
    this.side ??= this.redis._life.openSide()
    return this.side
  }

  /** Nothing waits on the server any more: the second link is kept for a while. */
  leaveSide () {
    this.restore(true)
    this.sideTimer ??= setTimeout(() => {
      this.sideTimer = null
      const { side } = this
      if (side === null || side.promises.pending > 0 || this.link?.blocked > 0) return
      this.side = null
      side.close()
    }, SIDE_IDLE).unref()
  }

  post (link, command) {
    let timeout = this.timeout
    if (timeout !== 0) timeout = Math.max(1, Math.ceil(command.due - performance.now()))
    if (!command.blocks) return link.post(command, this.modeOf(command), timeout)
    this.postBlocking(link, command, timeout)
  }

  postBlocking (link, command, timeout) {
    link.blocked++
    this.live = null
    const { blockingTimeout, blockingTimeoutGrace } = this.redis.options
    // A server that is alive answers by then. One that may wait for ever is not judged by time.
    let wait = command.waits === 0 ? 0 : command.waits + PATIENCE
    if (blockingTimeout > 0) {
      wait = command.waits === 0 ? blockingTimeout : command.waits + blockingTimeoutGrace
      command.givesNull = true
    }
    command.isCounted = true
    const settled = settle => value => {
      this.unblocked(link, command)
      settle(value)
    }
    // Only once: a command that is sent again has these functions already.
    if (command.onSettled === undefined) {
      command.onSettled = true
      command.resolve = settled(command.resolve)
      command.reject = settled(command.reject)
    }
    const deadline = Math.min(wait === 0 ? Infinity : Math.ceil(wait), timeout || Infinity)
    link.post(command, this.modeOf(command), deadline === Infinity ? 0 : deadline)
  }

  unblocked (link, command) {
    if (!command.isCounted) return
    command.isCounted = false
    command.link.blocked--
    if (this.link !== command.link || this.link.blocked > 0) return
    if (this.side === null) this.restore()
  }

  /**
   * Lets most commands go out without a question again, if there is none. `isSideIdle`: nothing
   * that was sent over the second link is under way.
   */
  restore (isSideIdle = this.side === null) {
    const { link, transaction, watched, redis } = this
    const isPlain = link !== null && link.blocked === 0 && isSideIdle && transaction === null &&
      watched === null && redis.mode === 'normal'
    this.live = isPlain ? link : null
  }

  select (command) {
    const { redis } = this
    const { condition } = redis
    const [database] = command.args
    const link = this.transaction?.link ?? this.way(command)
    if (this.transaction !== null) this.within(command)
    else this.post(link, command)
    if (!isInteger(database)) return
    const number = Number.parseInt(database, 10)
    // The other link has to follow: a later command may go over it.
    if (this.side !== null) {
      const other = link === this.link ? this.side : this.link
      other.send(encodedSelect(String(number)), PATIENT, 0, QUIET, undefined).catch(() => {})
    }
    if (condition.select === number) return
    condition.select = number
    redis.emit('select', number)
  }

  quit (command) {
    const { redis, link } = this
    redis.manuallyClosing = true
    link.post(command, this.modeOf(command), this.timeout)
    // What comes later waits for another connection, or for the end.
    this.shut()
  }

  /** MULTI, EXEC, DISCARD, WATCH and UNWATCH as commands by themselves. */
  byHand (command) {
    const { kind } = command.facts
    const { transaction } = this
    if (transaction === null && (kind === facts.EXEC || kind === facts.DISCARD)) {
      // The server says what is wrong.
      return this.post(this.way(command), command)
    }
    if (transaction !== null) {
      if (kind !== facts.EXEC && kind !== facts.DISCARD) return this.within(command)
      return this.endByHand(command, transaction)
    }
    const link = this.way(command)
    if (kind === facts.UNWATCH) this.forgetWatch()
    if (kind === facts.WATCH) {
      this.watched = link
      this.live = null
    }
    if (kind === facts.MULTI) {
      // A PING of the lane's own would become a part of it.
      link.core.holdPings(true)
      this.transaction = { link, count: 0, isLost: false }
      this.live = null
      command.inTransaction = true
    }
    this.post(link, command)
    if (kind === facts.UNWATCH) this.restore()
  }

  endByHand (command, transaction) {
    this.transaction = null
    command.inTransaction = true
    if (transaction.isLost) {
      command.fail(aborted('no'))
    } else {
      // Only its answer says that the transaction is over; another one may have begun by then.
      const isOver = () => {
        if (this.transaction === null) transaction.link.core.holdPings(false)
      }
      command.promise?.then(isOver, isOver)
      if (command.facts.kind === facts.EXEC) this.exec(command, transaction)
      else this.post(transaction.link, command)
    }
    this.forgetWatch()
    this.restore()
  }

  /** EXEC by hand. What was watched on a connection that is gone guards nothing any more. */
  exec (command, { link, count }) {
    if (this.isWatchLost) {
      const drop = new Command('discard', [], { replyEncoding: 'utf8' })
      drop.owner = this.redis
      drop.promise.then(() => command.resolve(null), error => command.fail(error))
      return this.post(link, drop)
    }
    const { reply } = command
    command.reply = replies => {
      if (Array.isArray(replies) && replies.length > count) throw strayReply()
      return reply === undefined ? replies : reply(replies)
    }
    this.post(link, command)
  }

  /** A command of the transaction that was begun by hand. */
  within (command) {
    const { transaction } = this
    command.inTransaction = true
    if (transaction.isLost) return command.fail(aborted('no'))
    transaction.count++
    if (command.isBlock) return command.fail(refused('MULTI calls can not be nested'))
    // Within a transaction nothing waits.
    command.blocks = false
    command.reply = undefined
    command.isPairs = false
    this.post(transaction.link, command)
  }

  /** A whole transaction. */
  block (command) {
    const isVoid = this.isWatchLost
    const link = this.way(command)
    this.forgetWatch()
    if (isVoid) command.resolve(null)
    else this.post(link, command)
    this.restore()
  }

  forgetWatch () {
    this.watched = null
    this.isWatchLost = false
  }

  /** A connection stands: what waits goes out, in the order of the calls. */
  open (link) {
    this.link = link
    this.restore()
    const { queue } = this
    this.queue = []
    if (this.isUnordered) queue.sort((a, b) => a.seq - b.seq)
    this.isUnordered = false
    for (const command of queue) {
      if (this.link !== null) this.dispatch(command)
      else this.keep(command)
    }
  }

  /** The connection takes no command any more. */
  shut () {
    this.link = null
    this.live = null
  }

  /** The connection is gone, with its transaction and with what was watched on it. */
  lost () {
    this.shut()
    if (this.transaction !== null) this.transaction.isLost = true
    if (this.watched !== null) this.isWatchLost = true
    this.watched = null
    const { side } = this
    this.side = null
    side?.close()
  }

  /** Ends everything that waits, and all that is under way over `link`, with `error`. */
  flush (error, link) {
    const { queue } = this
    this.queue = []
    for (const command of queue) {
      this.disarm(command)
      command.fail(error)
    }
    if (link !== null) link.ending = error
    if (this.side !== null) this.side.ending = error
  }

  /** Sends a command again that has come back. */
  again (command) {
    if (this.redis.status === 'end') return command.fail(closed('no'))
    if (this.link !== null && this.link !== command.link) return this.dispatch(command)
    this.isUnordered = true
    this.keep(command)
  }

  /** A command has failed: with the server's words, or because its connection is gone. */
  failed (command, error) {
    if (command.isCounted) this.unblocked(command.link, command)
    if (error instanceof ReplyError) return this.answered(command, error)
    if (error instanceof TimeoutError) return this.late(command, error)
    if (!(error instanceof OxidisError) || !isLoss(error)) return command.fail(error)
    const { link } = command
    // Both links are of one instance: without the second one nothing can be sent.
    if (link === this.side) this.redis._life.giveUp(this.link, error)
    const applied = error.applied ?? 'unknown'
    if (command.inTransaction) return command.fail(link.ending ?? aborted(applied, error))
    if (link.ending !== null) return command.fail(this.endingOf(link, applied, error))
    if (this.mayAgain(command, applied)) return this.again(command)
    command.fail(closed(applied, error))
  }

  /** The error of a command under way over a link that the instance has closed. */
  endingOf ({ ending }, applied, cause) {
    return ending === CLOSED ? closed(applied, cause) : ending
  }

  mayAgain (command, applied) {
    const policy = this.redis.options[RESEND]
    if (policy === 'all') return true
    if (policy === 'none') return false
    return applied === 'no' || command.blocks || (!command.isBlock && facts.isRepeatable(command))
  }

  answered (command, error) {
    error.command = { name: command.name, args: command.args }
    if (command.script?.isUnknown(command, error)) {
      command.isSecond = true
      command.kept = null
      return this.link === command.link ? this.dispatch(command) : this.again(command)
    }
    this.redis._life.judge(error, command)
  }

  /** The deadline of a command has passed. */
  late (command, error) {
    if (!command.blocks) return command.fail(timedOut(error.applied, error))
    const { link } = command
    if (command.due !== 0 && performance.now() >= command.due) {
      command.fail(timedOut(error.applied, error))
    } else if (command.givesNull) {
      command.resolve(null)
    } else {
      this.again(command)
    }
    // The server may wait on, for nobody, and would hold up what comes next.
    this.redis._life.giveUp(link, error)
  }
}

function strayReply () {
  return refused('EXEC was answered with more replies than the transaction has commands')
}

function encodedSelect (database) {
  return `*2\r\n$6\r\nSELECT\r\n$${database.length}\r\n${database}\r\n`
}

const QUIET = { command: 'SELECT', reply: undefined }

/** Stands for the reason that the application has closed the connection. */
const CLOSED = Object.freeze({ isClosed: true })

/* Bits of modes: see mode.js. */
const BUFFERS = 1 << 1 | 1 << 2 | 1 << 7
const STRING_NUMBERS = 1 << 3 | 1 << 5
/** Integers are numbers, whatever their size. */
const ROUNDED = 3 << 3
const BIG_TEXT = 1 << 6

/** How long (ms) a blocking command is waited for beyond its time. As for sessions: 1 s is enough
 * for a slow network. */
const PATIENCE = 1000
/** How long (ms) the second link is kept: the next blocking call comes sooner, or never. */
const SIDE_IDLE = 5000

module.exports = { CLOSED, Traffic }
