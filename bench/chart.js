'use strict'

// Draws the README's chart from a result: throughput and event-loop time, by commands in flight.
//
//   node bench/chart.js [results.json]     draws bench/results/chart.svg again
//
// Plain SVG text with no dependency. Colours are readable on light and dark pages alike.

const fs = require('node:fs')
const path = require('node:path')

const { CLIENTS } = require('./clients')

/** The SVG of a full result (what run.js writes to latest.json). */
function drawChart ({ about, workloads }) {
  const loads = workloads.filter(({ name }) => name.startsWith('mixed-32-'))
  const panels = [
    panel('thousand commands per second (longer is better)', loads, ({ ops }) => ops / 1000),
    panel('event-loop µs per command (shorter is better)', loads, ({ loop }) => loop)
  ]
  const legend = drawLegend(loads)
  const height = TOP + legend.height + panels[0].height + BOTTOM
  const [left, right] = panels.map(({ text }, index) =>
    `<g transform="translate(${index * (PANEL + GAP)} ${TOP + legend.height})">\n${text}</g>\n`)
  const versions = Object.entries(about.versions).map(pair => pair.join(' ')).join(', ')
  const foot = `GET/SET 80/20, 32-byte values, server ${about.server}, Node ${about.node}, ` +
    `${about.cpus} CPUs, medians of ${about.rounds} alternating rounds; ${versions}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" ` +
    'fill="#7d8590">\n' +
    `<title>oxidis and other clients, side by side</title>\n${legend.text}${left}${right}` +
    `<text x="0" y="${height - 8}" font-size="10">${escape(foot)}</text>\n</svg>\n`
}

// One group of bars per load, one bar per client, its figure behind it.
function panel (title, loads, figure) {
  const most = Math.max(...loads.flatMap(({ clients }) => Object.values(clients).map(figure)))
  const scale = (PANEL - LABEL - FIGURE) / most
  let y = 28
  let text = `<text x="0" y="12" font-weight="600">${escape(title)}</text>\n`
  for (const { name, clients } of loads) {
    const inFlight = Number(name.split('-').at(-1)).toLocaleString('en')
    const bars = Object.entries(clients)
    text += `<text x="0" y="${y + bars.length * BAR / 2 + 4}">${inFlight} in flight</text>\n`
    for (const [client, figures] of bars) {
      const value = figure(figures)
      const width = Math.max(1, value * scale).toFixed(1)
      text += `<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR - 2}" ` +
        `fill="${COLOURS[client]}"/><text x="${(LABEL + Number(width) + 4).toFixed(1)}" ` +
        `y="${y + BAR - 4}" font-size="10">${value < 10 ? value.toFixed(1) : Math.round(value)}` +
        '</text>\n'
      y += BAR
    }
    y += GROUP_GAP
  }
  return { text, height: y }
}

function drawLegend (loads) {
  const names = Object.keys(loads[0].clients)
  const text = names.map((name, index) => {
    const x = (index % LEGEND_COLUMNS) * WIDTH / LEGEND_COLUMNS
    const y = Math.floor(index / LEGEND_COLUMNS) * LEGEND_LINE
    return `<rect x="${x}" y="${y + 4}" width="12" height="12" fill="${COLOURS[name]}"/>` +
      `<text x="${x + 18}" y="${y + 14}">${escape(CLIENTS[name].title)}</text>\n`
  })
  const height = Math.ceil(names.length / LEGEND_COLUMNS) * LEGEND_LINE
  return { text: text.join(''), height }
}

function escape (text) {
  return text.replace(/[&<>]/g, sign => `&#${sign.codePointAt(0)};`)
}

const COLOURS = {
  oxidis: '#d9480f',
  'node-redis': '#1c7ed6',
  'node-redis-default': '#91c3ee',
  ioredis: '#2b8a3e',
  'ioredis-auto': '#8fcf9c',
  glide: '#9c6ade'
}

// Pixels; 860 is what a README on GitHub shows without scaling.
const WIDTH = 860
const GAP = 30
const PANEL = (WIDTH - GAP) / 2
const LABEL = 84
const FIGURE = 34
const BAR = 13
const GROUP_GAP = 12
const TOP = 14
const BOTTOM = 22
const LEGEND_COLUMNS = 3
const LEGEND_LINE = 20

module.exports = { drawChart }

if (require.main === module) {
  const results = path.join(__dirname, 'results')
  const source = process.argv[2] ?? path.join(results, 'latest.json')
  const chart = drawChart(JSON.parse(fs.readFileSync(source, 'utf8')))
  fs.writeFileSync(path.join(results, 'chart.svg'), chart)
}
