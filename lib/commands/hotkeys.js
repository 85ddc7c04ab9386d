'use strict'

/*
 * Rows of the HOTKEYS commands, which watch a whole server. See index.js for what a row is.
 */

const { fail, isGiven } = require('../arguments')
const { none, required } = require('./forms')
const { put } = require('../fields')
const { entries } = require('./replies')
const { list, number, tuple } = require('./shapes')

module.exports = [
  {
    name: 'hotkeysGet',
    upper: 'HOTKEYS_GET',
    command: ['HOTKEYS', 'GET'],
    args: none,
    reply: report,
    docs: doc('Tells what the tracking of hot keys has found so far; null if there was none.',
      'O(K) where K is the number of hot keys returned'),
    ts: '(): Promise<HotkeysReport | null>'
  },
  {
    name: 'hotkeysReset',
    upper: 'HOTKEYS_RESET',
    command: ['HOTKEYS', 'RESET'],
    args: none,
    docs: doc('Forgets what the tracking of hot keys has found.', 'O(1)'),
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'hotkeysStart',
    upper: 'HOTKEYS_START',
    command: ['HOTKEYS', 'START'],
    args (w, options) {
      required(w, options, START_OPTIONS)
      const { METRICS, COUNT, DURATION, SAMPLE, SLOTS } = options
      w.token('METRICS')
      w.int(METRICS?.count, 'options.METRICS.count')
      if (METRICS.CPU) w.token('CPU')
      if (METRICS.NET) w.token('NET')
      for (const [name, value] of Object.entries({ COUNT, DURATION, SAMPLE })) {
        if (!isGiven(value)) continue
        w.token(name)
        w.int(value, `options.${name}`)
      }
      const chosen = w.options(SLOTS, 'options.SLOTS', SLOTS_OPTIONS)
      if (chosen === undefined) return
      const { count, slots } = chosen
      w.token('SLOTS')
      w.int(count, 'options.SLOTS.count')
      if (!Array.isArray(slots)) fail('options.SLOTS.slots', 'an array', slots)
      for (let i = 0; i < slots.length; i++) w.int(slots[i], `options.SLOTS.slots[${i}]`)
    },
    docs: doc('Starts to track which keys cost the server most.', 'O(1)'),
    ts: "(options: HotkeysStartOptions): Promise<'OK'>"
  },
  {
    name: 'hotkeysStop',
    upper: 'HOTKEYS_STOP',
    command: ['HOTKEYS', 'STOP'],
    args: none,
    docs: doc('Stops the tracking of hot keys, and keeps what it has found.', 'O(1)'),
    ts: "(): Promise<'OK'>"
  }
]

/** The names are always the same, so the reply is an object under every type mapping. */
function report (reply) {
  if (reply === null) return null
  const made = {}
  // Some servers send a list with this map as its only element.
  const facts = Array.isArray(reply) && reply.length === 1 ? reply[0] : reply
  for (const [field, value] of entries(facts)) {
    const [name, convert] = FACTS[field] ?? []
    if (name !== undefined) put(made, name, convert(value))
  }
  return made
}

function keysWithCosts (reply) {
  return entries(reply).map(([key, value]) => ({ key, value: number(value) }))
}

/** Slots and ranges of slots: 5, [5] or [5, 9]. */
function slotRanges (reply) {
  return list(reply).map(range => {
    const [start, end = start] = Array.isArray(range) ? tuple(range, 1) : [range]
    return { start: number(start), end: number(end) }
  })
}

function doc (summary, complexity) {
  return { summary, complexity, since: '8.6.0' }
}

/** name on the wire -> [name here, what makes the value] */
const FACTS = {
  __proto__: null,
  'tracking-active': ['trackingActive', number],
  'sample-ratio': ['sampleRatio', number],
  'selected-slots': ['selectedSlots', slotRanges],
  'sampled-commands-selected-slots-us': ['sampledCommandsSelectedSlotsUs', number],
  'all-commands-selected-slots-us': ['allCommandsSelectedSlotsUs', number],
  'all-commands-all-slots-us': ['allCommandsAllSlotsUs', number],
  'net-bytes-sampled-commands-selected-slots': ['netBytesSampledCommandsSelectedSlots', number],
  'net-bytes-all-commands-selected-slots': ['netBytesAllCommandsSelectedSlots', number],
  'net-bytes-all-commands-all-slots': ['netBytesAllCommandsAllSlots', number],
  'collection-start-time-unix-ms': ['collectionStartTimeUnixMs', number],
  'collection-duration-ms': ['collectionDurationMs', number],
  'total-cpu-time-sys-ms': ['totalCpuTimeSysMs', number],
  'total-cpu-time-user-ms': ['totalCpuTimeUserMs', number],
  'total-net-bytes': ['totalNetBytes', number],
  'by-cpu-time-us': ['byCpuTimeUs', keysWithCosts],
  'by-net-bytes': ['byNetBytes', keysWithCosts]
}

const SLOTS_OPTIONS = new Set(['count', 'slots'])
const START_OPTIONS = new Set(['METRICS', 'COUNT', 'DURATION', 'SAMPLE', 'SLOTS'])
