'use strict'

/*
 * The picture of a run, as SVG: one panel below the other with the same time axis. Grey bands are
 * faults.
 */

const COLOURS = { server: '#1f6feb', cluster: '#bf8700', sentinel: '#1a7f37' }
const WIDTH = 1000
const LEFT = 90
const RIGHT = 20
const TOP = 46
const HEIGHT = 110
const GAP = 34

/** @param {{ samples: object[], faults: object[], verdict: object }} run */
function draw ({ samples, faults, verdict }) {
  const names = Object.keys(samples[0]?.scenes ?? {})
  const end = Math.max(1, samples.at(-1)?.at ?? 1)
  const lines = pick => names.map(name => ({
    colour: COLOURS[name],
    values: samples.map(sample => pick(sample.scenes[name], sample.seconds))
  }))
  const own = (pick, colour) => [{ colour, values: samples.map(pick) }]
  const panels = [
    panel('commands per second', lines(({ answered }, seconds) => answered / seconds)),
    panel('p99, ms', lines(({ p99 }) => p99)),
    panel('resident memory, MiB', own(({ rss }) => rss / 2 ** 20, '#8250df')),
    panel('descriptors', own(({ descriptors }) => descriptors ?? 0, '#8250df')),
    panel('errors per second', lines(({ errors }, seconds) => sum(Object.values(errors)) / seconds))
  ]
  const height = TOP + panels.length * (HEIGHT + GAP) + 20
  const x = at => LEFT + at / end * (WIDTH - LEFT - RIGHT)
  const bands = faults.map(({ from, to = from, scene, name }) => `<rect x="${round(x(from))}" ` +
    `y="${TOP}" width="${round(Math.max(1, x(to) - x(from)))}" height="${height - TOP - 40}" ` +
    `fill="${COLOURS[scene]}" opacity="0.08"><title>${scene}: ${name}</title></rect>`)
  const legend = names.map((name, index) => `<text x="${LEFT + 300 + index * 130}" y="24" ` +
    `fill="${COLOURS[name]}">${name}</text>`)
  const body = panels.map((draw, index) => draw(TOP + index * (HEIGHT + GAP), x, samples))
  const ticks = Array.from({ length: 7 }, (_, index) => index / 6 * end).map(at =>
    `<text x="${round(x(at))}" y="${height - 6}" text-anchor="middle">${clock(at)}</text>`)
  const title = `${verdict.minutes} minutes, ${faults.length} faults`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    'font-family="sans-serif" font-size="13">\n' +
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>\n` +
    `<text x="${LEFT}" y="24" font-size="16">${title}</text>\n` +
    [...legend, ...bands, ...body, ...ticks].join('\n') + '\n</svg>\n'
}

/** A function that draws a panel with its lines at the height `y`. */
function panel (title, lines) {
  return (y, x, samples) => {
    const most = Math.max(1, ...lines.flatMap(({ values }) => values))
    const bottom = y + HEIGHT
    const paths = lines.map(({ colour, values }) => {
      const points = values.map((value, index) =>
        `${round(x(samples[index].at))},${round(bottom - value / most * (HEIGHT - 16))}`)
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" ` +
        'stroke-width="1.3"/>'
    })
    return `<line x1="${LEFT}" y1="${bottom}" x2="${WIDTH - RIGHT}" y2="${bottom}" ` +
      'stroke="#888888"/>' +
      `<text x="${LEFT}" y="${y + 6}">${title}</text>` +
      `<text x="${LEFT - 8}" y="${y + 22}" text-anchor="end">${shown(most)}</text>` +
      `<text x="${LEFT - 8}" y="${bottom}" text-anchor="end">0</text>${paths.join('')}`
  }
}

function sum (numbers) {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function shown (value) {
  return value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}

function clock (seconds) {
  const minutes = Math.floor(seconds / 60)
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}

function round (value) {
  return Math.round(value * 10) / 10
}

module.exports = { draw }
