'use strict'

// The oracle's workers for transactions, and for connections of one's own.
//
// Each increments two counters together, in one transaction: `PairWorker` as commands of the
// client, `SessionWorker` under WATCH in a session. The two counters must be equal for ever after,
// whatever was lost. Like all workers they keep what was acknowledged and what may have been done.

const { randomUUID } = require('node:crypto')

/** What both have in common: two counters, and the account of one of their increments. */
class TransactionWorker {
  /** @param {string} name of the worker's counters, which workers may share */
  constructor (oracle, index, name) {
    this.oracle = oracle
    this.index = index
    this.keys = [`${oracle.prefix}left:${name}`, `${oracle.prefix}right:${name}`]
    /** Transactions that were run, and those that failed and may have been. */
    this.acknowledged = 0
    this.unknown = 0
    this.waiting = null
    this.clean = []
  }

  fail (error) {
    if (!FAULTS.test(error.kind) && !isLoading(error)) {
      this.blame(`failed with ${error.kind}: ${error.message}`)
    }
    return this.oracle.fail(error)
  }

  blame (text) {
    this.oracle.foreign.push(`${this.constructor.name} ${this.index}: ${text}`)
  }

  settle (name, promise) {
    return this.oracle.settle(this, name, promise)
  }

  /** Notes a transaction that failed. Only one that says 'no' was certainly not run. */
  lost (error) {
    if (error.applied !== 'no') this.unknown++
    return this.fail(error)
  }
}

/** Loops over MULTI blocks on the client's lane. It needs the client's `multi`. */
class PairWorker extends TransactionWorker {
  constructor (oracle, index) {
    super(oracle, index, `pair:${index}`)
    this.steps = [() => this.both()]
  }

  async both () {
    const [left, right] = this.keys
    const id = randomUUID()
    const highest = this.acknowledged + this.unknown + 1
    const chain = this.oracle.client.multi().incr(left).echo(id).incr(right)
    try {
      const [one, echo, two] = await this.settle('EXEC', chain.exec())
      this.acknowledged++
      if (one !== two || echo !== id || !(one >= 1 && one <= highest)) {
        this.blame(`EXEC answered ${one}, ${echo === id}, ${two} at ${highest}`)
      }
      return true
    } catch (error) {
      return this.lost(error)
    }
  }
}

/**
 * Loops over sessions. Two workers share each pair of counters, so that WATCH has conflicts to
 * find, and some sessions are left as nobody should leave them, so that the next one may find
 * what its predecessor did. It needs the client's `session`.
 */
class SessionWorker extends TransactionWorker {
  constructor (oracle, index) {
    super(oracle, index, `session:${index >> 1}`)
    /** Transactions that found a watched key changed. */
    this.conflicts = 0
    this.steps = [() => this.watched(), () => this.untouched(), () => this.litter()]
  }

  async watched () {
    const [left, right] = this.keys
    let isDoubtful = false
    try {
      await this.settle('session', this.oracle.client.session(async session => {
        await session.watch(left)
        const value = Number(await session.get(left) ?? 0)
        isDoubtful = true
        const chain = session.multi().set(left, String(value + 1)).incr(right)
        const [ok, count] = await chain.exec()
        this.acknowledged++
        isDoubtful = false
        if (ok !== 'OK' || count !== value + 1) {
          this.blame(`EXEC answered ${ok}, ${count} after ${value}`)
        }
      }))
      return true
    } catch (error) {
      if (error.kind !== 'WATCH') return isDoubtful ? this.lost(error) : this.fail(error)
      this.conflicts++
      return true
    }
  }

  /** Asks the server in which state it is that a session begins with. */
  async untouched () {
    try {
      const id = randomUUID()
      const [echo, info] = await this.settle('session', this.oracle.client.session(session =>
        Promise.all([session.echo(id), session.sendCommand(['CLIENT', 'INFO'])])))
      if (echo !== id) this.blame(`ECHO of ${id} answered ${echo}`)
      if (!FRESH.test(info)) this.blame(`began in ${info}`)
      return true
    } catch (error) {
      return this.fail(error)
    }
  }

  /** Leaves a database, a watched key and an open transaction behind. */
  async litter () {
    try {
      await this.settle('session', this.oracle.client.session(async session => {
        await session.select(3)
        await session.watch(this.keys[0])
        await session.sendCommand(['MULTI'])
        await session.sendCommand(['INCR', this.keys[0]])
      }))
      return true
    } catch (error) {
      return this.fail(error)
    }
  }
}

/**
 * Whether the server was loading its data, and so refused a session's command, or commands of a
 * transaction and with them the whole. Neither is tried again; see docs/semantics.md.
 */
function isLoading ({ kind, applied, replies, errorIndexes }) {
  if (kind === 'LOADING') return true
  return kind === 'EXECABORT' && applied === 'no' && errorIndexes?.length > 0 &&
    errorIndexes.every(index => replies[index].kind === 'LOADING')
}

/** Holds the counters of all `workers` against the server's; returns what is wrong. */
async function verifyPairs (workers, client, emptied) {
  const teams = new Map(workers.map(({ keys }) => [keys[0], []]))
  for (const worker of workers) teams.get(worker.keys[0]).push(worker)
  const wrong = []
  await Promise.all(Array.from(teams.values(), async sharers => {
    const [{ keys }] = sharers
    const [left, right] = (await Promise.all(keys.map(key => client.get(key)))).map(Number)
    const acknowledged = sum(sharers, 'acknowledged')
    const unknown = sum(sharers, 'unknown')
    if (left !== right) wrong.push(`half a transaction: ${keys[0]} is ${left} beside ${right}`)
    if (left < (emptied ? 0 : acknowledged) || left > acknowledged + unknown) {
      wrong.push(`${keys[0]} is ${left}, with ${acknowledged} acknowledged and ${unknown} ` +
        'unknown transactions')
    }
  }))
  return wrong
}

function sum (list, name) {
  return list.reduce((total, one) => total + one[name], 0)
}

// What a fault may do to a transaction, besides a server that is loading. Anything else, such as
// another EXECABORT or "ERR EXEC without MULTI", says that commands of it went astray.
const FAULTS = new RegExp('^(CONNECTION_LOST|CONNECT|TIMEOUT|POOL_TIMEOUT|SESSION_OVER|' +
  'SESSION_LOST|CONNECT_TIMEOUT)$')

// How a server describes a connection that nobody has changed. Valkey 9.1 says multi=0 once there
// was a transaction on it; while there is one, the flags have an x.
const FRESH = / flags=[^x ]+ .*db=0 sub=0 psub=0 .*multi=(-1|0) /

module.exports = { PairWorker, SessionWorker, verifyPairs }
