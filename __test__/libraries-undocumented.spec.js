'use strict'

// The table of docs/internals/ecosystem.md names each library that is tried, with its version.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const folder = path.join(__dirname, 'ecosystem')
const page = path.join(__dirname, '..', 'docs', 'internals', 'ecosystem.md')

/** Packages that the programs need besides the libraries. */
const TOOLS = new Set(['express', 'express-rate-limit', 'express-session', 'fastify', 'graphql',
  'ioredis', 'keyv', 'redis', 'reflect-metadata', 'rxjs', 'socket.io', 'socket.io-adapter',
  'socket.io-client', 'sql.js', '@langchain/core', '@langchain/langgraph-checkpoint',
  '@nestjs/common', '@nestjs/core'])

describe('docs/internals/ecosystem.md', () => {
  const text = fs.readFileSync(page, 'utf8')
  const { packages } = require('./ecosystem/package-lock.json')

  it('names each library with the version that is tried', () => {
    // Some have a row in both tables.
    const rows = [...new Set([...text.matchAll(/^\| \[([^\]]+)\]\([^)]+\) \| ([^ ]+) \|/gm)]
      .map(([, name, version]) => `${name} ${version}`))]
    const { devDependencies } = require('./ecosystem/package.json')
    const tried = Object.keys(devDependencies).filter(name => !TOOLS.has(name))
      .map(name => `${name} ${packages[`node_modules/${name}`].version}`)
    assert.deepStrictEqual(rows.toSorted(), tried.toSorted())
  })

  it('names the versions of the references', () => {
    assert.ok(text.includes(`node-redis ${packages['node_modules/redis'].version}.`))
    assert.ok(text.includes(`ioredis ${packages['node_modules/ioredis'].version},`))
  })

  it('links to files that are there', () => {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.ok(fs.existsSync(path.join(path.dirname(page), target)), target)
    }
  })

  it('is about programs that a spec runs', () => {
    const specs = fs.readdirSync(folder).filter(file => file.endsWith('.spec.js'))
      .map(file => fs.readFileSync(path.join(folder, file), 'utf8')).join('\n')
    for (const file of fs.readdirSync(path.join(folder, 'libraries'))) {
      const name = path.basename(file, '.js')
      assert.ok(specs.includes(`'${name}'`) || specs.includes(`  ${name}: `), file)
    }
  })
})
