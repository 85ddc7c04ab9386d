'use strict'

/*
 * The verdict on a run, and its report: Markdown, a picture, and the figures as JSON.
 */

const fs = require('node:fs')
const path = require('node:path')

const { draw } = require('./picture')

/** Adds to `verdict.wrong` what of memory and descriptors has grown. */
function judge ({ samples }, verdict) {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const early = samples.slice(Math.min(WARM_UP, quarter), quarter + Math.min(WARM_UP, quarter))
  const late = samples.slice(-quarter)
  const growth = figure => ({
    before: middle(early.map(sample => sample[figure])),
    after: middle(late.map(sample => sample[figure]))
  })
  verdict.memory = growth('rss')
  verdict.descriptors = growth('descriptors')
  const { memory, descriptors } = verdict
  if (memory.after > memory.before * 1.3 + MEMORY_NOISE) {
    verdict.wrong.push(`memory has grown from ${mib(memory.before)} to ${mib(memory.after)} MiB`)
  }
  if (descriptors.after > descriptors.before + DESCRIPTOR_NOISE) {
    verdict.wrong.push(`descriptors have grown from ${descriptors.before} to ${descriptors.after}`)
  }
}

/** Writes the report to `folder`, and its summary to the terminal. */
function write (folder, recorder, scenes, verdict) {
  fs.mkdirSync(folder, { recursive: true })
  const { samples, faults } = recorder
  const text = render(samples, faults, scenes, verdict)
  fs.writeFileSync(path.join(folder, 'soak.json'), JSON.stringify({ verdict, faults, samples }))
  fs.writeFileSync(path.join(folder, 'soak.svg'), draw({ samples, faults, verdict }))
  fs.writeFileSync(path.join(folder, 'soak.md'), text)
  process.stdout.write(`\n${text}\nthe report is in ${folder}\n`)
}

function render (samples, faults, scenes, { minutes, seed, wrong, memory, descriptors }) {
  const answered = name => samples.reduce((sum, { scenes }) => sum + scenes[name].answered, 0)
  const failed = name => {
    const all = {}
    for (const { scenes } of samples) {
      for (const [code, count] of Object.entries(scenes[name].errors)) {
        all[code] = (all[code] ?? 0) + count
      }
    }
    return Object.entries(all).sort(([, a], [, b]) => b - a)
      .map(([code, count]) => `${code} ${count.toLocaleString('en')}`).join(', ') || '-'
  }
  const rows = scenes.map(({ name, oracle }) => {
    const own = faults.filter(({ scene }) => scene === name)
    const healed = own.map(({ healed }) => healed).filter(Number.isFinite).sort((a, b) => a - b)
    const slowest = healed.length === 0 ? '-' : `${Math.round(healed.at(-1))} ms`
    return `| ${name} | ${answered(name).toLocaleString('en')} | ${own.length} | ` +
      `${Math.round(middle(healed) ?? 0)} ms, ${slowest} | ${oracle.foreign.length} | ` +
      `${failed(name)} |`
  })
  return `# ${minutes} minutes of load and faults

![Throughput, p99, memory, descriptors and errors over time](soak.svg)

${table(HEADS, rows)}

Memory ${mib(memory.before)} MiB in the first quarter, ${mib(memory.after)} MiB in the last one;
descriptors ${descriptors.before} and ${descriptors.after}. Seed ${seed}, Node ${process.version},
${process.platform} ${process.arch}.

${wrong.length === 0
  ? 'Nothing is wrong: no foreign reply, no acknowledged write lost or doubled, no promise pending.'
  : `**Wrong:**\n\n${wrong.map(text => `- ${text}`).join('\n')}`}
`
}

function table (heads, rows) {
  return [`| ${heads.join(' | ')} |`, `|${'---|'.repeat(heads.length)}`, ...rows].join('\n')
}

function middle (list) {
  const sorted = list.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function mib (bytes) {
  return Math.round(bytes / 2 ** 20)
}

const HEADS = ['scene', 'commands answered', 'faults', 'served again after (median, slowest)',
  'foreign replies', 'errors']

/** Samples (seconds) that a process needs until its code is compiled and its pools are filled. */
const WARM_UP = 20
/** What a process of this size gains and loses by itself: a third, and this (bytes). */
const MEMORY_NOISE = 64 * 2 ** 20
/** Connections that are being replaced when the sample is taken. */
const DESCRIPTOR_NOISE = 16

module.exports = { judge, write }
