'use strict'

// docs/sentinel.md tells what the code does.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { it } = require('node:test')

const { createSentinel } = require('../..')
const { documentedSentinel } = require('../../lib/sentinel/options')

const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'sentinel.md'), 'utf8')

it('each option stands in the document with its default and meaning', () => {
  const rows = text.split('## Options')[1].split('\n## ')[0].split('\n')
    .filter(row => row.startsWith('| `'))
  const expected = documentedSentinel().map(({ name, default: value, meaning }) => {
    const shown = typeof value === 'string' ? `'${value}'` : value
    return `| \`${name}\` | ${value === undefined ? '-' : `\`${shown}\``} | ${meaning} |`
  })
  assert.deepStrictEqual(rows, expected)
})

it('each call in it is there', () => {
  const client = createSentinel({ name: 'mine', sentinelRootNodes: [{ host: 'x' }] })
  const names = [...text.matchAll(/`(?:client\.)?(\w+)\(/g)].map(([, name]) => name)
  assert.ok(names.length > 8)
  for (const name of names) assert.strictEqual(typeof client[name], 'function', name)
})
