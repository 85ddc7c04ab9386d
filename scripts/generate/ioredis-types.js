'use strict'

/*
 * The types of the second face: what is written by hand, and a method for each command.
 */

const fs = require('node:fs')
const path = require('node:path')

const snapshot = require('../../commands/redis.json').commands
const { keysIn } = require('../../lib/ioredis/prefix')
const { TYPES, WITHOUT_COUNT, WITH_COUNT } = require('./ioredis-replies')

/** Commands that take a sole object in place of fields and values. */
const SPREAD = new Set(['mset', 'msetnx'])
const SPREAD_BEHIND_KEY = new Set(['hset', 'hmset'])
/** Those that have other forms, by hand in the head, on instances. */
const BY_HAND = new Set(['multi'])

/** The text of ioredis.d.ts. */
function render (names) {
  const head = fs.readFileSync(path.join(__dirname, 'ioredis-head.d.ts'), 'utf8')
  return `${head}${names.flatMap(methodsOf).join('\n')}\n}\n`
}

function methodsOf (name) {
  if (BY_HAND.has(name)) return []
  return [['', type => type], ['Buffer', asBuffer]].flatMap(([suffix, form]) =>
    [...summaryOf(name), ...signatures(name, form).map(text => `  ${quoted(name + suffix)}${text}`)])
}

function quoted (name) {
  return /^\w+$/.test(name) ? name : `'${name}'`
}

function summaryOf (name) {
  const summary = snapshot[name.toUpperCase()]?.summary
  return summary === undefined ? [] : [`  /** ${summary} */`]
}

function signatures (name, form) {
  if (name in WITH_COUNT) {
    return [...pair('key: RedisKey, count: number | string', form(WITH_COUNT[name]), true),
      ...pair('key: RedisKey', form(WITHOUT_COUNT), true)]
  }
  const reply = form(TYPES.get(name) ?? 'unknown')
  // It ends the chain.
  if (name === 'exec') return [`(callback?: Callback<${reply}>): Promise<${reply}>`]
  const hasKey = keysIn(name, ['k', '1', 'k', '0']).includes(0)
  const key = hasKey ? 'key: RedisKey | readonly RedisKey[]' : ''
  const own = SPREAD.has(name)
    ? pair('fields: RedisFields', reply, true)
    : SPREAD_BEHIND_KEY.has(name) ? pair('key: RedisKey, fields: RedisFields', reply, true) : []
  return [...own, ...pair(key, reply)]
}

/** The signatures with a callback and without one. */
function pair (parameters, reply, isWhole = false) {
  const result = `Result<${reply}, Context>`
  const before = parameters === '' ? '' : `${parameters}, `
  if (isWhole) return [`(${before}callback?: Callback<${reply}>): ${result}`]
  const behind = parameters === '' ? '' : `${parameters}, `
  return [`(${behind}...args: [...RedisArguments, Callback<${reply}>]): ${result}`,
    `(${behind}...args: RedisArguments): ${result}`]
}

function asBuffer (type) {
  return type.replace(/\bstring\b/g, 'Buffer').replace("'OK'", 'Buffer')
    .replace('Record<Buffer,', 'Record<string,')
}

module.exports = { render }
