'use strict'

/*
 * Where the server of a name is: the sentinels say it, before each connection of an instance.
 *
 * They are asked one after the other, each over a connection of its own that ends with the answer.
 * Invariant: nothing of an answer is believed that names no address.
 */

const { PATIENT } = require('../mode')
const { clearTimeout, setTimeout } = require('../timers')
const { ofConnecting } = require('./errors')
const { Link } = require('./link')
const { connectionOptions } = require('./options')

class Sentinels {
  /**
   * @param {object} options of the instance
   * @param {(error: Error) => void} tell hears of each round in which no sentinel has answered
   */
  constructor (options, tell) {
    this.options = options
    this.tell = tell
    /** The sentinels that are asked, those first that have answered last. */
    this.addresses = options.sentinels.map(addressOf)
    this.rounds = 0
    /** Ends the pause between two rounds. */
    this.wake = () => {}
    this.timer = undefined
  }

  /**
   * Finds the server. Resolves to its address, or to null once `isWanted` is false.
   * @param {() => boolean} isWanted
   */
  async find (isWanted) {
    for (;;) {
      let last
      // Those that answers add are asked in the next round.
      const asked = this.addresses.slice()
      for (const sentinel of asked) {
        if (!isWanted()) return null
        try {
          const found = await this.ask(sentinel)
          if (found !== null) {
            this.rounds = 0
            this.prefer(sentinel)
            return this.reached(found)
          }
          last = undefined
        } catch (error) {
          last = ofConnecting(error, sentinel)
        }
      }
      if (!isWanted()) return null
      await this.pause(last)
    }
  }

  /** No sentinel has said where the server is: the strategy says when they are asked again. */
  async pause (last) {
    const { sentinelRetryStrategy: strategy } = this.options
    const delay = typeof strategy === 'function' ? strategy(++this.rounds) : undefined
    const isLast = typeof delay !== 'number'
    const what = isLast ? ' and retry is disabled.' : `. Retrying from scratch after ${delay}ms.`
    const why = last === undefined ? '' : ` Last error: ${last.message}`
    const error = Object.assign(new Error(`All sentinels are unreachable${what}${why}`),
      { code: 'SENTINELS' })
    if (isLast) throw error
    this.tell(error)
    await new Promise(resolve => {
      this.wake = resolve
      this.timer = setTimeout(resolve, delay)
    })
  }

  /** Nobody wants to know any more. */
  stop () {
    clearTimeout(this.timer)
    this.wake()
  }

  /** Asks one sentinel for the server; null if it knows none. */
  async ask (sentinel) {
    const { name, role, updateSentinels } = this.options
    const link = this.connect(sentinel)
    const send = (...words) => link.send(encoded(['SENTINEL', ...words]), PATIENT,
      this.options.sentinelCommandTimeout || LONGEST_ANSWER, ROW, undefined)
    try {
      const isReplica = role === 'slave'
      const server = isReplica
        ? this.choose((await send('replicas', name)).map(fieldsOf))
        : addressIn(await send('get-master-addr-by-name', name))
      if (server !== null && updateSentinels !== false) {
        this.add((await send('sentinels', name)).map(fieldsOf))
      }
      return server
    } finally {
      link.close()
    }
  }

  connect (sentinel) {
    const { options } = this
    const { core } = connectionOptions({
      ...options,
      ...sentinel,
      path: undefined,
      username: options.sentinelUsername,
      password: options.sentinelPassword,
      tls: options.sentinelTLS,
      readOnly: false,
      protocol: 2,
      replyMapping: 'legacy',
      disableClientInfo: true
    }, { select: 0, reconnect: 'once', name: undefined })
    return new Link(core, () => {})
  }

  /** One of the replicas that can be used: as `preferredSlaves` says, else any. */
  choose (replicas) {
    const usable = replicas.filter(({ flags = '', ip, port }) =>
      ip && port && !/s_down|o_down|disconnected/.test(flags))
    if (usable.length === 0) return null
    const { preferredSlaves } = this.options
    const chosen = typeof preferredSlaves === 'function'
      ? preferredSlaves(usable)
      : preferredAmong(usable, [preferredSlaves ?? []].flat()) ?? oneOf(usable)
    return chosen ? { host: chosen.ip, port: Number(chosen.port) } : null
  }

  /** Other sentinels of the same server. */
  add (others) {
    for (const { ip, port } of others) {
      const isKnown = !ip || !port || this.addresses.some(one =>
        one.host === ip && one.port === Number(port))
      if (!isKnown) this.addresses.push(this.reached({ host: ip, port: Number(port) }))
    }
  }

  /** Asks this one first the next time. */
  prefer (sentinel) {
    this.addresses = [sentinel, ...this.addresses.filter(one => one !== sentinel)]
  }

  /** The address at which this program reaches a server. */
  reached ({ host, port }) {
    const { natMap } = this.options
    const key = `${host}:${port}`
    const mapped = typeof natMap === 'function' ? natMap(key) : natMap?.[key]
    return mapped ? { host: mapped.host, port: Number(mapped.port) } : { host, port }
  }
}

function addressOf ({ host, port }) {
  return { host: host || '127.0.0.1', port: Number(port) || 26379 }
}

function addressIn (reply) {
  return Array.isArray(reply) && reply.length === 2
    ? { host: reply[0], port: Number(reply[1]) }
    : null
}

/** The preferred ones come in the order of `prio`, which is 1 where it is not given. */
function preferredAmong (usable, preferred) {
  const order = [...preferred].sort((a, b) => (a.prio ?? 1) - (b.prio ?? 1))
  for (const { ip, port } of order) {
    const found = usable.find(one => one.ip === ip && String(one.port) === String(port))
    if (found !== undefined) return found
  }
  return undefined
}

/** A flat list of names and values as an object. */
function fieldsOf (list) {
  const fields = {}
  for (let i = 0; i < list.length; i += 2) fields[list[i]] = list[i + 1]
  return fields
}

function encoded (words) {
  const parts = words.map(word => {
    const bytes = Buffer.from(String(word))
    return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`
  })
  return `*${parts.length}\r\n${parts.join('')}`
}

function oneOf (list) {
  return list[Math.floor(Math.random() * list.length)]
}

const ROW = { command: 'SENTINEL', reply: undefined }
/** How long (ms) a sentinel is waited for: as long as an attempt to connect. */
const LONGEST_ANSWER = 10_000

module.exports = { Sentinels }
