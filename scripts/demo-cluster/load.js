'use strict'

// The load of the cluster demo: reads and writes in slots of all nodes, each reply judged.
//
// Owns what was acknowledged, so that the data can be compared with it afterwards, and the list of
// what must never happen. It knows which slots are disturbed, and not how.

/** Starts the load on `cluster`, a client; `slotOf` says which slot a key has. */
function startLoad (cluster, slotOf) {
  return new Load(cluster, slotOf)
}

class Load {
  constructor (cluster, slotOf) {
    this.cluster = cluster
    this.slotOf = slotOf
    /** Commands that were answered. */
    this.commands = 0
    /** By address of a slot's owner: commands that were answered, and those that failed. */
    this.answered = new Map()
    this.failed = new Map()
    this.errors = 0
    /** By code. */
    this.codes = new Map()
    /** What must never happen, in words. */
    this.broken = []
    /** Acknowledged writes that were lost with a killed server; see `Pair.count`. */
    this.gone = 0
    /** The slowest answer (ms) for slots that are not disturbed, since `disturb()`. */
    this.slowest = 0
    this.disturbed = undefined
    this.stopping = false
    this.pairs = Array.from({ length: PAIRS }, (_, index) => new Pair(this, index))
    this.running = this.pairs.map(pair => this.run(pair))
  }

  /**
   * From now on commands may fail whose slot is one of `slots`: their primary is about to die.
   * Resolves when all of these slots have taken a write again after `isLost()` has become true.
   */
  disturb (slots, isLost) {
    const pairs = this.pairs.filter(({ slot }) => slots.has(slot))
    const disturbed = { slots, isLost, left: new Set(pairs), until: Infinity }
    this.disturbed = disturbed
    this.slowest = 0
    return new Promise(resolve => { disturbed.done = () => resolve(performance.now()) })
  }

  /** Commands that are called `grace` ms from now on must not fail any more. */
  calm (grace) {
    this.disturbed.until = performance.now() + grace
  }

  /** Ends the load, when all that is under way has settled. */
  async stop () {
    this.stopping = true
    await Promise.all(this.running)
  }

  /** Reads all data and compares it with what was acknowledged. */
  async verify () {
    await Promise.all(this.pairs.map(pair => pair.verify()))
  }

  async run (pair) {
    while (!this.stopping) {
      await pair.exchange()
      // A fixed rate leaves the servers, which share this machine, time for their elections.
      await new Promise(resolve => { setTimeout(resolve, PAUSE) })
    }
  }

  ownerOf (slot) {
    return this.cluster.slots[slot]?.master.address
  }

  isDisturbed (slot, called) {
    const { disturbed } = this
    return disturbed !== undefined && disturbed.slots.has(slot) && called < disturbed.until
  }

  succeeded (owner) {
    this.commands++
    this.answered.set(owner, (this.answered.get(owner) ?? 0) + 1)
  }

  failedWith (error, { slot, owner, called }) {
    this.errors++
    this.failed.set(owner, (this.failed.get(owner) ?? 0) + 1)
    this.codes.set(error.code, (this.codes.get(error.code) ?? 0) + 1)
    if (!this.isDisturbed(slot, called)) {
      this.broke(`an error for slot ${slot}, which was not affected: ${error.code}`)
    }
  }

  broke (text) {
    this.broken.push(text)
  }
}

// Two keys of one slot: a counter, and a text that says whose it is and how often it was written.
class Pair {
  constructor (load, index) {
    this.load = load
    this.name = `{demo:${index}}`
    this.keys = [`${this.name}:count`, `${this.name}:text`]
    this.slot = load.slotOf(this.name)
    // The last acknowledged value, and how many INCRs since then may or may not have been run.
    this.acknowledged = 0
    this.unknown = 0
    this.written = 0
    this.kept = 0
  }

  // Three commands at once: in a cluster, those of one slot run in the order of their calls, so
  // the GET finds what the SET before it has written.
  async exchange () {
    const { load, slot, keys: [count, text] } = this
    const { cluster } = load
    const number = ++this.written
    const round = { slot, owner: load.ownerOf(slot), called: performance.now() }
    const [incr, set, get] = await Promise.allSettled([
      cluster.incr(count), cluster.set(text, this.text(number)), cluster.get(text)
    ])
    for (const { status, reason } of [incr, set, get]) {
      if (status === 'fulfilled') load.succeeded(load.ownerOf(slot))
      else load.failedWith(reason, round)
    }
    if (incr.status === 'fulfilled') this.count(incr.value, round)
    else if (incr.reason.applied !== 'no') this.unknown++
    if (set.status === 'fulfilled') this.kept = number
    if (get.status === 'fulfilled') this.read(get.value, round)
    if (!load.isDisturbed(slot, round.called)) {
      load.slowest = Math.max(load.slowest, performance.now() - round.called)
    }
    this.settleDisturbance(incr)
  }

  // One INCR at a time is under way, so the reply is known, except for INCRs of which nobody knows
  // whether they ran. A server that is killed may lose what it has acknowledged and not yet copied
  // to its replica. That is how Redis replicates, and no client can undo it. It is counted apart.
  count (value, { called }) {
    const { load, slot, acknowledged, unknown } = this
    const lost = acknowledged + 1 - value
    if (lost > 0 && load.isDisturbed(slot, called)) load.gone += lost
    else if (lost > 0) load.broke(`slot ${slot}: an acknowledged INCR is lost`)
    if (value > acknowledged + unknown + 1) load.broke(`slot ${slot}: an INCR was run twice`)
    this.acknowledged = value
    this.unknown = 0
  }

  read (value, { called }) {
    const { load, slot } = this
    const number = this.numberOf(value)
    if (value !== null && number === undefined) load.broke(`slot ${slot}: a foreign reply`)
    if ((number ?? 0) < this.kept && !load.isDisturbed(slot, called)) {
      load.broke(`slot ${slot}: an acknowledged SET is lost, or a GET has overtaken it`)
    }
  }

  async verify () {
    const { load, slot } = this
    const [count, text] = await load.cluster.mGet(this.keys)
    const value = Number(count)
    if (value < this.acknowledged) load.broke(`slot ${slot}: an acknowledged INCR is lost`)
    if (value > this.acknowledged + this.unknown) load.broke(`slot ${slot}: an INCR was run twice`)
    if (this.numberOf(text) !== this.kept && this.kept === this.written) {
      load.broke(`slot ${slot}: the last SET is lost`)
    }
  }

  settleDisturbance (incr) {
    const { disturbed } = this.load
    if (disturbed === undefined || incr.status !== 'fulfilled' || !disturbed.isLost()) return
    if (disturbed.left.delete(this) && disturbed.left.size === 0) disturbed.done()
  }

  text (number) {
    return `${this.name} ${number}`
  }

  numberOf (text) {
    const [, name, number] = /^(.*) (\d+)$/.exec(text) ?? []
    return name === this.name ? Number(number) : undefined
  }
}

// So many that each of three nodes has a few dozen slots in use: a node's death is seen at once.
const PAIRS = 180

// ms. With three commands for each pair that is about 40,000 commands a second: a load, but not all
// of the machine.
const PAUSE = 10

module.exports = { startLoad }
