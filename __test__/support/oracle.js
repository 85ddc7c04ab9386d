'use strict'

// The oracle: a load whose every reply can be judged, run beside fault tests.
//
// Each of its workers owns a few keys and loops over INCR of a counter, ECHO of an id that nobody
// else has, and SET and GET of a value that describes itself. It keeps what was acknowledged and
// what may have been applied, so that afterwards the server's data can be held against it.
// It uses nothing but a client's `incr`, `echo`, `set` and `get`, unless it is asked for
// transactions (oracle-transactions.js).

const { randomUUID } = require('node:crypto')

const { PairWorker, SessionWorker, verifyPairs } = require('./oracle-transactions')

/**
 * Starts the load on `client`. Options, all optional:
 * - `workers`: of plain commands, default 64
 * - `pairs`: of transactions over the client's lane, default 0
 * - `sessions`: of transactions under WATCH in sessions, default 0; an even number
 * - `forgetful`: the server may lose what it has acknowledged, as a failover does to writes that no
 *   replica has: GET may find an earlier value, or none
 * - `prefix`: of the keys, default one that is unique
 * - `pause`: ms that a worker rests after a failure, default 5, or a dead server would turn the
 *   load into a busy loop
 * - `duty`: the part of the time that a worker works, default 0.5: it rests after each round for as
 *   long as the round took, so that many workers wait for a reply at any moment, and the load does
 *   not take the processor from the servers that it waits for
 */
function startOracle (client, options) {
  return new Oracle(client, options)
}

class Oracle {
  constructor (client, options = {}) {
    const { workers = 64, pairs = 0, sessions = 0 } = options
    const { prefix = `oracle:${randomUUID()}:`, pause = 5, forgetful = false, duty = 0.5 } = options
    this.client = client
    this.prefix = prefix
    this.pause = pause
    this.forgetful = forgetful
    this.duty = duty
    this.stopping = false
    /** Replies that were not this request's own: descriptions, must stay empty. */
    this.foreign = []
    /** Failures by error code. */
    this.failures = new Map()
    this.completed = 0
    this.plain = this.team(Worker, workers)
    this.pairs = this.team(PairWorker, pairs)
    this.sessions = this.team(SessionWorker, sessions)
    this.workers = [...this.plain, ...this.pairs, ...this.sessions]
    this.running = this.workers.map(worker => this.run(worker))
  }

  team (Kind, size) {
    return Array.from({ length: size }, (_, index) => new Kind(this, index))
  }

  /** How many commands have failed so far. */
  get failed () {
    let sum = 0
    for (const count of this.failures.values()) sum += count
    return sum
  }

  /** How many INCRs and SETs failed so that they may or may not have been applied. */
  get unknown () {
    return this.plain.reduce((sum, { unknown, lost }) => sum + unknown + lost.size, 0)
  }

  /** How many transactions did. */
  get doubtful () {
    return [...this.pairs, ...this.sessions].reduce((sum, { unknown }) => sum + unknown, 0)
  }

  /**
   * Call once the fault is over: resolves with the ms until every worker has had a round without
   * a failure. Rejects after `within` ms. Promised are 2,500 ms; tests of that promise measure it,
   * and the default leaves room for busy machines.
   */
  async healed ({ within = 30_000 } = {}) {
    const started = performance.now()
    const rounds = Promise.all(this.workers.map(worker =>
      new Promise(resolve => { worker.clean.push(resolve) })))
    await deadline(rounds, within, () => `still failing ${within} ms after the fault was over: ` +
      JSON.stringify(Object.fromEntries(this.failures)))
    return performance.now() - started
  }

  /**
   * Stops the load. Rejects when a promise has not settled `within` ms, which must be longer than
   * the client's command timeout.
   */
  async stop ({ within = 60_000 } = {}) {
    this.end()
    await deadline(Promise.all(this.running), within, () => {
      const stuck = this.workers.filter(worker => worker.waiting).map(worker => worker.waiting)
      return `${stuck.length} promises never settled: ${stuck.slice(0, 5).join(', ')}`
    })
  }

  /** Lets every worker stop after its round, and does not wait for them. */
  end () {
    this.stopping = true
  }

  /**
   * Holds the server's data against what the workers know and throws on any difference.
   * `client` must reach the server; `emptied` says that the server lost its data on the way, so
   * that counters may be lower than what was acknowledged, and values missing.
   */
  async verify (client = this.client, { emptied = false } = {}) {
    const wrong = [...this.foreign, ...await verifyPairs(
      [...this.pairs, ...this.sessions], client, emptied)]
    await Promise.all(this.plain.map(async worker => {
      const counter = Number(await client.get(worker.counterKey) ?? 0)
      const { acknowledged, unknown } = worker
      const lowest = emptied ? 0 : acknowledged
      if (counter < lowest || counter > acknowledged + unknown) {
        wrong.push(`${worker.counterKey} is ${counter}, with ${acknowledged} acknowledged and ` +
          `${unknown} unknown increments`)
      }
      if (worker.missing > 0 && !emptied) {
        wrong.push(`${worker.valueKey} was missing ${worker.missing} times after it was set`)
      }
    }))
    if (wrong.length > 0) {
      throw new Error(`${wrong.length} broken invariants:\n${wrong.slice(0, 20).join('\n')}`)
    }
  }

  /** One worker's life. */
  async run (worker) {
    const { steps } = worker
    while (!this.stopping) {
      // A round that began before somebody asked says nothing about the time after.
      const asked = worker.clean.splice(0)
      const started = performance.now()
      let clean = true
      // Each worker begins elsewhere. Replies come in batches, so workers that all began alike
      // would stay in step, and a fault would only ever meet one kind of command.
      for (let step = 0; step < steps.length; step++) {
        clean = await steps[(worker.index + step) % steps.length]() && clean
      }
      if (clean) {
        for (const resolve of asked) resolve()
      } else {
        worker.clean.push(...asked)
        await rest(this.pause)
      }
      if (this.duty < 1) await rest((performance.now() - started) * (1 / this.duty - 1))
    }
  }

  /** Waits for a worker's promise, so that one that never settles has a name. */
  async settle (worker, name, promise) {
    worker.waiting = `${name} of worker ${worker.index}`
    try {
      return await promise
    } finally {
      worker.waiting = null
      this.completed++
    }
  }

  /** Counts a failure. */
  fail (error) {
    const code = error.kind ?? error.code ?? error.name
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1)
    return false
  }
}

/** Issues commands one after another and judges each reply. */
class Worker {
  constructor (oracle, index) {
    this.oracle = oracle
    this.index = index
    this.counterKey = `${oracle.prefix}counter:${index}`
    this.valueKey = `${oracle.prefix}value:${index}`
    /** INCRs that were answered. */
    this.acknowledged = 0
    /** INCRs that failed without the error saying that they were not applied. */
    this.unknown = 0
    /** GETs that found nothing after an acknowledged SET. */
    this.missing = 0
    this.sequence = 0
    /** Values whose SET failed without the error saying that it was not applied. */
    this.lost = new Set()
    this.waiting = null
    this.clean = []
    this.steps = [() => this.increment(), () => this.echo(), () => this.setAndGet()]
  }

  async increment () {
    const highest = this.acknowledged + this.unknown + 1
    try {
      const reply = await this.settle('INCR', this.oracle.client.incr(this.counterKey))
      this.acknowledged++
      // At most once: never more than was asked for. Lower only when the server lost its data.
      if (!Number.isInteger(reply) || reply < 1 || reply > highest) {
        this.blame(`INCR answered ${reply}, at most ${highest} was asked for`)
      }
      return true
    } catch (error) {
      if (error.applied !== 'no') this.unknown++
      return this.fail(error)
    }
  }

  async echo () {
    const id = randomUUID()
    try {
      const reply = await this.settle('ECHO', this.oracle.client.echo(id))
      if (reply !== id) this.blame(`ECHO of ${id} answered ${reply}`)
      return true
    } catch (error) {
      return this.fail(error)
    }
  }

  async setAndGet () {
    const sequence = ++this.sequence
    const value = describe(this.valueKey, sequence)
    try {
      const ok = await this.settle('SET', this.oracle.client.set(this.valueKey, value))
      if (ok !== 'OK') this.blame(`SET answered ${ok}`)
    } catch (error) {
      // It may land late, over a newer value; read-only GET has no such afterlife.
      if (error.applied !== 'no') this.lost.add(value)
      return this.fail(error)
    }
    try {
      const reply = await this.settle('GET', this.oracle.client.get(this.valueKey))
      if (reply === null) this.missing++
      else if (reply !== value && !this.lost.has(reply) && !this.isEarlier(reply)) {
        this.blame(`GET of #${sequence} answered ${String(reply).slice(0, 80)}`)
      }
      return true
    } catch (error) {
      return this.fail(error)
    }
  }

  // Whether this worker has written the value earlier, and the server may go back to it.
  isEarlier (reply) {
    const sequence = Number(/ #(\d+) /.exec(reply)?.[1])
    return this.oracle.forgetful && sequence <= this.sequence &&
      reply === describe(this.valueKey, sequence)
  }

  settle (name, promise) {
    return this.oracle.settle(this, name, promise)
  }

  fail (error) {
    return this.oracle.fail(error)
  }

  blame (text) {
    this.oracle.foreign.push(`worker ${this.index}: ${text}`)
  }
}

// A value that names its key and its number. The lengths of successive values differ, so that a
// reply that is shifted by a byte shows as well.
function describe (key, sequence) {
  return `${key} #${sequence} ${'x'.repeat(sequence % 97)}`
}

async function deadline (promise, ms, explain) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(explain())), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function rest (ms) {
  return new Promise(resolve => { setTimeout(resolve, ms) })
}

module.exports = { startOracle }
