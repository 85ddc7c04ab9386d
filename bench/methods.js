'use strict'

// What each method costs the event loop, beside `sendCommand` with the same arguments.
//
//   node bench/methods.js                 every method, six to nine minutes
//   node bench/methods.js zAdd json.      methods whose name contains one of the words
//   node bench/methods.js --each zAdd     each call by itself, instead of all calls of a method
//   node bench/methods.js --calls         no replies, and so no server
//   node bench/methods.js --rounds 15
//
// No method may cost more than 1.1 times of what `sendCommand` costs. The calls are those that the
// tests compare with node-redis's, each option at least once; a method is measured over all of
// them in turns. `sendCommand` gets what such a caller would write, and the same bytes go out,
// which is checked: see method-cases.js.
//
// There is no server: the native side is replaced by a function that reads the batch's text, as
// the real one does, and answers nothing. A round takes 20 ms or more, method and `sendCommand`
// take turns, and the ratio is the median of the rounds' ratios. All methods have run before, so
// that what they share has seen all of them, as in a large program. What is above the limit is
// measured again, with three times the rounds.
//
// `call` is the time in ns until the method has returned its promise and the batch is handed over:
// the ratio is that of these. `reply` adds what turns the server's reply into the promise's value,
// with a reply recorded from a real server before: `sendCommand` leaves that work to its caller.
// It is empty where nothing is to be done, and `-` where the server had no reply.

const { parseArgs } = require('node:util')

const { createClient } = require('..')
const { RedisSession } = require('../lib/client/session')
const { median } = require('./load')
const { allCalls, makeCase } = require('./method-cases')
const { recordReplies } = require('./method-replies')

/** What no method may exceed. */
const LIMIT = 1.1
/** Commands of a turn: as many as a busy program issues before it yields. */
const BATCH = 256
/** The shortest round (ms): clock and garbage collection weigh little in it. */
const ROUND = 20
/** Batches of each function before anything is measured: enough for the optimizing compiler. */
const WARM_UP = 40

async function main () {
  const { values, positionals: words } = parseArgs({
    allowPositionals: true,
    options: {
      each: { type: 'boolean', default: false },
      calls: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' }
    }
  })
  const rounds = Number(values.rounds)
  const methods = allCalls()
  const chosen = methods.filter(({ name }) => words.length === 0 || words.some(word =>
    name.toLowerCase().includes(word.toLowerCase())))
  const replies = values.calls ? new Map() : await recordReplies(chosen)
  const stage = new Stage()
  for (const method of methods) {
    method.cases = method.calls.map(args => stage.caseOf(method, args))
    for (const one of method.cases) one.reply = replies.get(one.args)
    stage.time(method.cases.map(one => one.method), WARM_UP / 4)
    stage.time(method.cases.map(one => one.byHand), WARM_UP / 4)
  }
  const figures = []
  for (const { row, name, cases } of chosen) {
    for (const group of values.each ? cases.map(one => [one]) : [cases]) {
      const title = values.each ? `${name}: ${group[0].source}` : name
      figures.push({ title, ...await measure(stage, row, group, rounds) })
    }
  }
  print(figures, values)
}

/** `{ ratio, method, byHand, reply }`, where `reply` is `{ method, byHand }` or a mark. */
async function measure (stage, row, cases, rounds) {
  let call = await compare(stage, cases, rounds, false)
  if (call.ratio > LIMIT) call = await compare(stage, cases, 3 * rounds, false)
  const answered = cases.filter(one => one.reply !== undefined)
  let reply = row.reply === undefined ? '' : '-'
  if (answered.length > 0) reply = await compare(stage, answered, rounds, true)
  return { ...call, reply }
}

/** Both ways in turns: the medians of their times in ns, and of their ratios. */
async function compare (stage, cases, rounds, withReply) {
  const replies = withReply ? cases.map(one => one.reply) : undefined
  const run = (way, batches) => stage.time(cases.map(one => one[way]), batches, replies)
  run('method', WARM_UP)
  run('byHand', WARM_UP)
  const fastest = Math.min(run('method', WARM_UP), run('byHand', WARM_UP))
  const batches = Math.ceil(ROUND * 1e6 / (fastest * BATCH))
  const times = { method: [], byHand: [], ratio: [] }
  for (let round = 0; round < rounds; round++) {
    times.method.push(run('method', batches))
    times.byHand.push(run('byHand', batches))
    times.ratio.push(times.method[round] / times.byHand[round])
    // What was scheduled for the end of the turn is done there.
    await new Promise(setImmediate)
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]))
}

/** A client and a session over a native side that takes everything and answers nothing. */
class Stage {
  constructor () {
    const client = createClient()
    const bridge = client._bridge
    this.client = client
    this.bridge = bridge
    this.session = new RedisSession(client, null, bridge)
    this.taken = ''
    const memory = Buffer.alloc(2 ** 22)
    bridge.core = {
      submit: (text, length, table, count, firstId, chunks) => {
        // Puts the text together, which until now consists of pieces.
        memory.latin1Write(text)
        this.taken = chunks === undefined ? text : [...chunks, text].join('')
        return 0
      },
      queuedBytes: () => 0,
      keepAlive () {}
    }
    // A session of its own costs both ways the same, and more than what is compared here.
    bridge.sendBlocking = ({ chunks, text, mode, row, context }) => chunks === null
      ? bridge.send(text, mode, 0, row, context)
      : bridge.sendLarge(chunks, text, mode, 0, row, context)
  }

  /** The functions of one call, on a client if it has the method, else on a session. */
  caseOf ({ row, name, isSessionOnly }, args) {
    for (const owner of isSessionOnly ? [this.session] : [this.client, this.session]) {
      const made = makeCase(owner, row, args)
      const [sent, byHand] = [made.method, made.byHand].map(call => this.bytesOf(call))
      if (sent !== '' && sent === byHand) return { ...made, row }
    }
    throw new Error(`${name} and sendCommand do not put the same bytes on the wire`)
  }

  bytesOf (call) {
    this.taken = ''
    call().catch(() => {})
    this.bridge.flush()
    this.forget()
    return this.taken
  }

  /** ns for each call of `functions`, in turns; with `replies` until their promises are settled. */
  time (functions, batches, replies) {
    const { bridge } = this
    const turns = Math.ceil(BATCH / functions.length)
    let total = 0
    for (let batch = 0; batch < batches; batch++) {
      const firstId = bridge.nextId
      const started = performance.now()
      for (let turn = 0; turn < turns; turn++) {
        for (let i = 0; i < functions.length; i++) functions[i]()
      }
      bridge.flush()
      if (replies !== undefined) {
        for (let i = 0; i < turns * replies.length; i++) {
          bridge.promises.settle(firstId + i, replies[i % replies.length], false)
        }
      }
      total += performance.now() - started
      this.forget()
    }
    return total * 1e6 / (batches * turns * functions.length)
  }

  /** Nobody is going to answer: the places of the promises are free again. */
  forget () {
    const { promises } = this.bridge
    promises.resolves.fill(undefined)
    promises.pending = 0
  }
}

function print (figures, { calls }) {
  figures.sort((one, other) => other.ratio - one.ratio)
  const number = value => (value === undefined ? '' : value.toFixed(0)).padStart(9)
  const answer = reply => typeof reply === 'string'
    ? reply.padStart(9) + ' '.repeat(9)
    : number(reply.method) + number(reply.byHand)
  const lines = figures.map(({ title, ratio, method, byHand, reply }) =>
    `${ratio.toFixed(2).padStart(6)}${number(method)}${number(byHand)}` +
    `${calls ? '' : answer(reply)}  ${title}`)
  const titles = ['ratio'.padStart(6), ...['call', 'by hand', 'reply', 'by hand']
    .slice(0, calls ? 2 : 4).map(title => title.padStart(9))]
  const above = figures.filter(({ ratio }) => ratio > LIMIT).length
  process.stdout.write(`${titles.join('')}  ns each\n${lines.join('\n')}\n\n` +
    `${figures.length} measured, median ratio ` +
    `${median(figures.map(({ ratio }) => ratio)).toFixed(2)}, ${above} above ${LIMIT}\n`)
}

main()
