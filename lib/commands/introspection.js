'use strict'

/*
 * Rows of the COMMAND commands: what the server says about its own commands. See index.js for what
 * a row is.
 */

const { fail, isGiven } = require('../arguments')
const { none } = require('./forms')
const { put } = require('../fields')
const { map, object } = require('./replies')
const { list, number, text, tuple } = require('./shapes')

module.exports = [
  {
    name: 'command',
    args: none,
    reply: reply => list(reply).map(description),
    ts: '(): Promise<CommandReply[]>'
  },
  {
    name: 'commandCount',
    upper: 'COMMAND_COUNT',
    command: ['COMMAND', 'COUNT'],
    args: none,
    ts: '(): Promise<number>'
  },
  {
    name: 'commandDocs',
    upper: 'COMMAND_DOCS',
    command: ['COMMAND', 'DOCS'],
    args (w, commands) {
      if (commands !== undefined) w.anyArgs(commands, 'commands')
    },
    reply: docs,
    ts: '(commands?: RedisVariadicArgument): Promise<Record<string, CommandDoc<T>>>'
  },
  {
    name: 'commandGetKeys',
    upper: 'COMMAND_GETKEYS',
    command: ['COMMAND', 'GETKEYS'],
    args: commandLine,
    ts: '(args: RedisArgument[]): Promise<T[]>'
  },
  {
    name: 'commandGetKeysAndFlags',
    upper: 'COMMAND_GETKEYSANDFLAGS',
    command: ['COMMAND', 'GETKEYSANDFLAGS'],
    args: commandLine,
    reply: reply => list(reply).map(item => {
      const [key, flags] = tuple(item, 2)
      return { key, flags }
    }),
    ts: '(args: RedisArgument[]): Promise<{ key: T; flags: T[] }[]>'
  },
  {
    name: 'commandInfo',
    upper: 'COMMAND_INFO',
    command: ['COMMAND', 'INFO'],
    args (w, commands) {
      if (!Array.isArray(commands)) fail('commands', 'an array', commands)
      w.anyArgs(commands, 'commands')
    },
    reply: reply => list(reply).map(item => item === null ? null : description(item)),
    ts: '(commands: RedisArgument[]): Promise<(CommandReply | null)[]>'
  },
  {
    name: 'commandList',
    upper: 'COMMAND_LIST',
    command: ['COMMAND', 'LIST'],
    args (w, options) {
      const o = w.options(options, 'options', LIST_OPTIONS)
      if (!isGiven(o?.FILTERBY)) return
      w.token('FILTERBY')
      w.oneOf(o.FILTERBY.type, 'options.FILTERBY.type', ['MODULE', 'ACLCAT', 'PATTERN'])
      w.arg(o.FILTERBY.value, 'options.FILTERBY.value')
    },
    ts: '(options?: CommandListOptions): Promise<T[]>'
  }
]

function commandLine (w, args) {
  if (!Array.isArray(args)) fail('args', 'an array', args)
  w.args(args, 'args')
}

/**
 * One entry of COMMAND. Words are strings whatever the type mapping says, because a program
 * compares them. Servers before 7.0 send no tips, key specifications and subcommands.
 */
function description (reply) {
  const [name, arity, flags, firstKeyIndex, lastKeyIndex, step, categories] = tuple(reply, 7)
  const [tips = [], keySpecs = [], subcommands = []] = reply.slice(7)
  const words = list(tips).map(text)
  return {
    name: text(name),
    arity,
    flags: new Set(list(flags).map(text)),
    firstKeyIndex,
    lastKeyIndex,
    step,
    categories: new Set(list(categories).map(text)),
    policies: { request: policy(words, 'request'), response: policy(words, 'response') },
    isKeyless: list(keySpecs).length === 0,
    nondeterministicOutput: words.includes('nondeterministic_output'),
    tips: words.filter(word => !word.includes('_policy:')),
    keySpecs: list(keySpecs).map(keySpec),
    subcommands: list(subcommands).map(description)
  }
}

/** `request_policy:all_shards` -> 'all_shards'; undefined when there is no such tip. */
function policy (tips, kind) {
  const start = `${kind}_policy:`
  return tips.find(tip => tip.startsWith(start))?.slice(start.length)
}

/** Where a command's keys are: where to begin, and how to go on from there. */
function keySpec (reply) {
  const spec = object(reply)
  return {
    beginSearch: specPart(spec.begin_search, BEGIN_SEARCH),
    findKeys: specPart(spec.find_keys, FIND_KEYS)
  }
}

function specPart (reply, known) {
  const part = object(reply ?? [])
  const type = part.type === undefined ? 'unknown' : text(part.type)
  const fields = known[type]
  if (fields === undefined) return { type: 'unknown' }
  const details = object(part.spec)
  const made = { type }
  for (const [name, field] of fields) {
    const value = details[field]
    put(made, name, name === 'keyword' ? text(value) : number(value))
  }
  return made
}

/** COMMAND DOCS: maps all the way down. */
function docs (reply, mapping) {
  return map(reply, mapping, (name, doc) => documentation(doc, mapping))
}

function documentation (reply, mapping) {
  return map(reply, mapping, (name, value) => {
    if (name === 'arguments') return list(value).map(argument => documentation(argument, mapping))
    if (name === 'subcommands') return docs(value, mapping)
    return value
  })
}

const LIST_OPTIONS = new Set(['FILTERBY'])

/** Fields of each kind of key specification: [name here, name on the wire]. */
const BEGIN_SEARCH = {
  __proto__: null,
  index: [['index', 'index']],
  keyword: [['keyword', 'keyword'], ['startFrom', 'startfrom']]
}
const FIND_KEYS = {
  __proto__: null,
  range: [['lastKey', 'lastkey'], ['keyStep', 'keystep'], ['limit', 'limit']],
  keynum: [['keyNumIdx', 'keynumidx'], ['firstKey', 'firstkey'], ['keyStep', 'keystep']]
}
