'use strict'

/*
 * A report as a person reads it in a terminal: a line for each finding, its remedy below it, and
 * the histogram of the latency. Colours only if they are asked for.
 */

/** @param {Awaited<ReturnType<typeof import('./index').diagnose>>} report */
function render ({ target, status, findings, measured }, { colours = false } = {}) {
  const paint = colours ? (code, text) => `\x1b[${code}m${text}\x1b[0m` : (code, text) => text
  const lines = [`oxidis doctor: ${target}`, '']
  for (const { level, check, code, text, remedy } of findings) {
    const { mark, colour } = LEVELS[level]
    const name = code === undefined ? '' : ` [${code}]`
    lines.push(`${paint(colour, mark)} ${check.padEnd(CHECK_WIDTH)}${text}${paint(DIM, name)}`)
    if (remedy !== undefined) lines.push(`${' '.repeat(CHECK_WIDTH + 2)}-> ${remedy}`)
  }
  if (measured.latency !== undefined) lines.push('', ...bars(measured.latency))
  const { mark, colour, verdict } = VERDICTS[status]
  lines.push('', `${paint(colour, mark)} ${verdict}`)
  return `${lines.join('\n')}\n`
}

/** The bars of a histogram, from the first to the last that is not empty. */
function bars ({ histogram, count }) {
  const filled = histogram.map((bar, i) => ({ ...bar, i })).filter(bar => bar.count > 0)
  const shown = histogram.slice(filled[0].i, filled.at(-1).i + 1)
  const last = histogram.at(-2).below
  return shown.map(({ below, count: some }) => {
    const label = below === null ? `from ${last} ms` : `below ${below} ms`
    const bar = '#'.repeat(Math.ceil(BAR_WIDTH * some / count))
    return `  ${label.padStart(LABEL_WIDTH)}  ${bar.padEnd(BAR_WIDTH)} ${some}`
  })
}

const GREEN = 32
const YELLOW = 33
const RED = 31
const DIM = 2

const LEVELS = {
  ok: { mark: 'ok   ', colour: GREEN },
  note: { mark: 'note ', colour: DIM },
  warning: { mark: 'warn ', colour: YELLOW },
  error: { mark: 'FAIL ', colour: RED }
}

/** By exit status. */
const VERDICTS = [
  { mark: 'ok', colour: GREEN, verdict: 'nothing is wrong' },
  { mark: 'warn', colour: YELLOW, verdict: 'it works, but see the warnings' },
  { mark: 'FAIL', colour: RED, verdict: 'it cannot be used as the options say: see FAIL' }
]

/** The longest name of a group of checks, and two blanks. */
const CHECK_WIDTH = 10
const LABEL_WIDTH = 12
const BAR_WIDTH = 40

module.exports = { render }
