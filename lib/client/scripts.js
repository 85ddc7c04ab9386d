'use strict'

/*
 * Scripts, functions and commands of custom modules as methods:
 * `createClient({ scripts, functions, modules })`.
 *
 * A script is called by EVALSHA. A call that is answered NOSCRIPT is sent again by EVAL with the
 * whole text; commands that were issued in between run before this second try.
 *
 * Invariant: a digest is always that of the text held here, so the server cannot be made to run a
 * script that the caller did not define.
 */

const { Arguments, isText, named } = require('../arguments')
const { factsOf, flagsOf } = require('../commands/flags')
const { isServerText } = require('../error-replies')
const { ErrorReply } = require('../errors')
const { withCallback } = require('../methods/callback')
const { withRest } = require('../methods/deadline')
const { defineGetter, defineMethod } = require('../methods/define')
const { contextOf, dispatch } = require('../methods/dispatch')
const { performance } = require('../timers')
const { CommandParser } = require('./command-parser')
const { chainModuleCommand, compileModules, sendModuleCommand } = require('./custom-modules')
const { COMMAND, check, checkNames, parametersOf, replyOf } = require('./definitions')
const { addMultiMethod, completeMulti } = require('./multi')
const { RedisSession, completeSession } = require('./session')

/**
 * A script for `createClient({ scripts: { name: defineScript({ ... }) } })`.
 * @param {{ SCRIPT: string | Buffer, parseCommand: Function }} definition see `RedisScriptConfig`
 */
function defineScript (definition) {
  const expected = text(definition?.SCRIPT)
  if (expected) throw new TypeError(`defineScript: field "SCRIPT" must be ${expected}`)
  return { ...definition, SHA1: digest(definition.SCRIPT) }
}

/**
 * Gives a client the methods that its options define, and its sessions and chains as well.
 * @param {object} client
 * @param {object} options parsed ones
 */
function defineMethods (client, options) {
  const compiled = compile(options)
  if (compiled.length === 0) return
  // Names of scripts are compared with those of the methods.
  completeMulti()
  completeSession()
  client._scripts = compiled
  addScripts(client, compiled)
  client._Multi = multiWithScripts(client._Multi, compiled)
  client._Session = sessionWithScripts(RedisSession, compiled)
}

/**
 * Checks the options `scripts`, `functions` and `modules`, and makes rows of the first two.
 * @param {{ scripts?: object, functions?: object, modules?: object, RESP: 2 | 3 }} options
 * @returns {{ name: string, library?: string, option: string, short?: object, whole?: object,
 *   digest?: string }[]} `short` is the row of EVALSHA or FCALL, `whole` that of EVAL; a command
 *   of a module has neither (see custom-modules.js)
 */
function compile ({ scripts = {}, functions = {}, modules = {}, RESP }) {
  const compiled = compileModules(modules, RESP)
  for (const [name, script] of Object.entries(scripts)) {
    check(script, `scripts.${name}`, SCRIPT)
    compiled.push(compileScript(name, script, RESP))
  }
  for (const [library, members] of Object.entries(functions)) {
    if (members === null || typeof members !== 'object') {
      throw new TypeError(`option "functions.${library}" must be an object of functions`)
    }
    for (const [name, definition] of Object.entries(members)) {
      check(definition, `functions.${library}.${name}`, FUNCTION)
      compiled.push(compileFunction(library, name, definition, RESP))
    }
  }
  return compiled
}

function compileScript (name, script, RESP) {
  const sha1 = digest(script.SCRIPT)
  const suffix = script.IS_READ_ONLY ? '_RO' : ''
  const make = (command, source) => row(name, script, RESP, command + suffix, source)
  const [short, whole] = [make('EVALSHA', sha1), make('EVAL', script.SCRIPT)]
  const parameters = parametersOf(script)
  return { name, option: `scripts.${name}`, parameters, short, whole, digest: sha1 }
}

function compileFunction (library, name, definition, RESP) {
  const command = definition.IS_READ_ONLY ? 'FCALL_RO' : 'FCALL'
  const short = row(`${library}.${name}`, definition, RESP, command, name)
  const parameters = parametersOf(definition)
  return { name, library, option: `functions.${library}`, parameters, short }
}

/** A compiled row, as `compile` of methods/from-rows.js makes it, but without kept heads. */
function row (method, definition, RESP, command, source) {
  const { NUMBER_OF_KEYS: keys } = definition
  const tokens = new Arguments()
  tokens.token(command)
  // Not by `tokens.bytes`, which would put a large text aside, out of the head.
  tokens.argc++
  tokens.body += encoded(source)
  if (keys !== undefined) tokens.int(keys, 'NUMBER_OF_KEYS')
  return {
    method,
    args: (w, ...args) => {
      const parser = new CommandParser(w)
      definition.parseCommand(parser, ...args)
      w.preserved = parser.preserve
    },
    variadic: true,
    reply: replyOf(definition.transformReply, RESP),
    mode: 0,
    command,
    ...factsOf(flagsOf(command)),
    tokens: tokens.body,
    tokenCount: tokens.argc
  }
}

/**
 * Gives `client` a method for each script, and an object of methods for each library or module.
 * @param {object} client with all of its own methods and fields
 * @param {ReturnType<typeof compile>} compiled
 */
function addScripts (client, compiled) {
  checkNames(client, compiled)
  addMethods(client, compiled, invoke)
}

/**
 * The class of a client's sessions with methods for its scripts and functions.
 * @param {Function} Session the class to extend
 * @param {ReturnType<typeof compile>} compiled
 */
function sessionWithScripts (Session, compiled) {
  if (compiled.length === 0) return Session
  const Scripted = class RedisSession extends Session {}
  addScripts(Scripted.prototype, compiled)
  return Scripted
}

/**
 * The class of a client's transactions with methods for its scripts and functions.
 *
 * In a transaction the first call of a script is EVAL and later calls are EVALSHA. The server knows
 * the script by then, so no NOSCRIPT can come between MULTI and EXEC.
 * @param {Function} Multi the class to extend
 * @param {ReturnType<typeof compile>} compiled
 */
function multiWithScripts (Multi, compiled) {
  checkNames(Multi.prototype, compiled, 'a method of multi()')
  const Scripted = class RedisMulti extends Multi {}
  for (const { short, whole, digest } of compiled) {
    if (short === undefined) continue
    const encode = (w, multi, ...args) => {
      const row = whole !== undefined && multi._once(digest) ? whole : short
      w.argc += row.tokenCount
      w.body += row.tokens
      row.args(w, ...args)
    }
    addMultiMethod(Scripted.prototype, short.method, { ...short, encode })
  }
  const members = compiled.filter(({ library }) => library !== undefined)
  addMethods(Scripted.prototype, members, (multi, one, args) => one.short === undefined
    ? chainModuleCommand(multi, one, args)
    : multi[one.short.method](...args))
  return Scripted
}

function addMethods (target, compiled, call) {
  const libraries = new Map()
  for (const one of compiled) {
    if (one.library === undefined) {
      defineMethod(target, one.name, function (...args) { return call(this, one, args) })
    } else {
      libraries.set(one.library, [...libraries.get(one.library) ?? [], one])
    }
  }
  for (const [library, members] of libraries) addLibrary(target, library, members, call)
}

/** Adds an object of functions. They are bound to the client or view that it is read from. */
function addLibrary (target, library, members, call) {
  const bound = new WeakMap()
  defineGetter(target, library, function () {
    if (!bound.has(this)) bound.set(this, bind(this, members, call))
    return bound.get(this)
  })
}

function bind (target, members, call) {
  const methods = Object.create(null)
  for (const one of members) {
    methods[one.name] = (...args) => call(target, one, args)
  }
  return methods
}

/**
 * Calls a definition's method. A function in the place of a parameter that `parseCommand` names is
 * an argument; one behind those is a callback.
 */
function invoke (client, script, args) {
  return withCallback(args, args => send(client, script, args), index => index < script.parameters)
}

function send (client, one, args) {
  const { short, whole } = one
  if (short === undefined) return sendModuleCommand(client, one, args)
  const w = new Arguments()
  w.reset(client._keyPrefix, false)
  try {
    short.args(w, ...args)
  } catch (error) {
    return Promise.reject(named(short.method, error))
  }
  const options = client._command
  const context = contextOf(options, w.preserved)
  const bridge = client._bridge
  const attempt = (bridge, row, options) =>
    dispatch(bridge, w, head(row, w.argc), row, options, context)
  if (whole === undefined) return attempt(bridge, short, options)
  // The caller may change its large values once they are sent, so there can be no second try.
  if (w.chunks !== null) return attempt(bridge, whole, options)
  const start = performance.now()
  return attempt(bridge, short, options).catch(error => {
    // A script may return an error of its own that begins so.
    const isMissing = error instanceof ErrorReply && error.code === 'NOSCRIPT' &&
      isServerText(error.message)
    if (!isMissing) throw error
    return attempt(client._senderAfter(bridge), whole, withRest(options, start))
  })
}

function head ({ tokens, tokenCount }, argc) {
  return `*${tokenCount + argc}\r\n${tokens}`
}

function digest (script) {
  // Loading it takes as long as a dozen of our modules, and most programs have no script.
  const { createHash } = require('node:crypto')
  return createHash('sha1').update(script).digest('hex')
}

/** RESP of a text or of bytes, as a binary string. */
function encoded (source) {
  const bytes = Buffer.from(source)
  return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`
}

/* Checks: each returns what is expected if the value is wrong, else false. */
const text = v => !isText(v) && 'a string or a Buffer'
const count = v => v !== undefined && !(Number.isSafeInteger(v) && v >= 0) &&
  'an integer from 0, or undefined when parseCommand pushes the number itself'
const flag = v => v !== undefined && typeof v !== 'boolean' && 'a boolean'

const FUNCTION = { NUMBER_OF_KEYS: count, IS_READ_ONLY: flag, ...COMMAND }
const SCRIPT = { SCRIPT: text, ...FUNCTION }

module.exports = { addScripts, compile, defineMethods, defineScript, sessionWithScripts }
