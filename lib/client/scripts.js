'use strict'

/*
 * Scripts, functions and modules' commands as methods: `createClient({ scripts, functions,
 * modules })`.
 *
 * Owns where the methods are put, the rows of scripts and functions, and what happens when the
 * server does not know a script: EVALSHA first, and EVAL with the text for a call that is answered
 * NOSCRIPT, whatever other calls do meanwhile. That second try comes after commands issued in
 * between.
 *
 * Invariant: a digest is only ever that of the text held here, so the server cannot be made to run
 * a script that the caller did not define.
 */

const { createHash } = require('node:crypto')

const { Arguments } = require('../arguments')
const { callback, dispatch } = require('../methods/from-rows')
const { COMMAND, check, checkNames, replyOf } = require('./definitions')
const { ErrorReply } = require('../errors')
const { chainModuleCommand, compileModules, sendModuleCommand } = require('./custom-modules')
const { Parser } = require('./command-parser')

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
 * Checks the options `scripts`, `functions` and `modules`, and makes rows of the first two.
 * @param {{ scripts?: object, functions?: object, modules?: object, RESP: 2 | 3 }} options
 * @returns {{ name: string, library?: string, option: string, short?: object, whole?: object,
 *   digest?: string }[]} `short` is the row of EVALSHA or FCALL, `whole` that of EVAL, as rows of
 *   commander.js are; a module's command has neither, but what own-modules.js makes of it
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
  return { name, option: `scripts.${name}`, short, whole, digest: sha1 }
}

function compileFunction (library, name, definition, RESP) {
  const command = definition.IS_READ_ONLY ? 'FCALL_RO' : 'FCALL'
  const short = row(`${library}.${name}`, definition, RESP, command, name)
  return { name, library, option: `functions.${library}`, short }
}

/** A row as those that commander.js compiles. `args` takes a writer and what the caller passed. */
function row (method, definition, RESP, command, source) {
  const { NUMBER_OF_KEYS: keys } = definition
  const tokens = new Arguments()
  tokens.token(command)
  // Not through `bytes`, which would hand a large text over apart.
  tokens.argc++
  tokens.body += encoded(source)
  if (keys !== undefined) tokens.int(keys, 'NUMBER_OF_KEYS')
  return {
    method,
    args: (w, ...args) => {
      const parser = new Parser(w)
      definition.parseCommand(parser, ...args)
      w.preserved = parser.preserve
    },
    variadic: true,
    reply: replyOf(definition.transformReply, RESP),
    mode: 0,
    command,
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
 * In a block the first call of a script is EVAL, later ones are EVALSHA: the server then knows the
 * script for certain, and no NOSCRIPT can come between MULTI and EXEC.
 * @param {Function} Multi the class to extend: what multi.js exports as RedisMulti
 * @param {Function} addMultiMethod what multi.js exports by this name
 * @param {ReturnType<typeof compile>} compiled
 */
function multiWithScripts (Multi, addMultiMethod, compiled) {
  if (compiled.length === 0) return Multi
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
      define(target, one.name, { value (...args) { return call(this, one, args) } })
    } else {
      libraries.set(one.library, [...libraries.get(one.library) ?? [], one])
    }
  }
  for (const [library, members] of libraries) addLibrary(target, library, members, call)
}

/** The functions of a library, bound to the client or view that they are reached through. */
function addLibrary (target, library, members, call) {
  const bound = new WeakMap()
  define(target, library, {
    get () {
      if (!bound.has(this)) bound.set(this, bind(this, members, call))
      return bound.get(this)
    }
  })
}

function bind (target, members, call) {
  const methods = Object.create(null)
  for (const one of members) {
    define(methods, one.name, { value: (...args) => call(target, one, args), enumerable: true })
  }
  return methods
}

function define (target, name, property) {
  const writable = 'value' in property ? { writable: true } : {}
  Object.defineProperty(target, name, { configurable: true, ...writable, ...property })
}

function invoke (client, script, args) {
  const isCallback = typeof args.at(-1) === 'function'
  const promise = send(client, script, isCallback ? args.slice(0, -1) : args)
  if (!isCallback) return promise
  callback(promise, args.at(-1))
}

function send (client, one, args) {
  const { short, whole } = one
  if (short === undefined) return sendModuleCommand(client, one, args)
  const w = new Arguments()
  w.reset(client._keyPrefix)
  try {
    short.args(w, ...args)
  } catch (error) {
    if (error instanceof TypeError) error.message = `${short.method}: ${error.message}`
    return Promise.reject(error)
  }
  const options = client._command
  const context = { typeMapping: options.typeMapping, preserved: w.preserved }
  const bridge = client._bridge
  const attempt = (bridge, row, options) =>
    dispatch(bridge, w, head(row, w.argc), row, options, context)
  if (whole === undefined) return attempt(bridge, short, options)
  // Large values are read when they are sent, and are the caller's afterwards: no second try.
  if (w.chunks !== null) return attempt(bridge, whole, options)
  const start = performance.now()
  return attempt(bridge, short, options).catch(error => {
    if (!(error instanceof ErrorReply && error.code === 'NOSCRIPT')) throw error
    // A client that is closing waits for what it has begun, on the bridge that it is closing.
    const isClosing = client._self._ending === bridge && !bridge.isClosed
    const left = remaining(options, performance.now() - start)
    return attempt(isClosing ? bridge : client._bridge, whole, left)
  })
}

function head ({ tokens, tokenCount }, argc) {
  return `*${tokenCount + argc}\r\n${tokens}`
}

/** `options` for a try that begins `elapsed` ms after the call. 1 ms where nothing is left. */
function remaining (options, elapsed) {
  if (options.timeout === 0) return options
  return { ...options, timeout: Math.max(1, Math.ceil(options.timeout - elapsed)) }
}

function digest (script) {
  return createHash('sha1').update(script).digest('hex')
}

/** RESP of a text or of bytes, as a binary string. */
function encoded (source) {
  const bytes = Buffer.from(source)
  return `$${bytes.length}\r\n${bytes.latin1Slice()}\r\n`
}

/* Checks, as those of options.js: each returns what is expected if the value is wrong. */
const text = v => typeof v !== 'string' && !(v instanceof Uint8Array) && 'a string or a Buffer'
const count = v => v !== undefined && !(Number.isSafeInteger(v) && v >= 0) &&
  'an integer from 0, or undefined when parseCommand pushes the number itself'
const flag = v => v !== undefined && typeof v !== 'boolean' && 'a boolean'

const FUNCTION = { NUMBER_OF_KEYS: count, IS_READ_ONLY: flag, ...COMMAND }
const SCRIPT = { SCRIPT: text, ...FUNCTION }

module.exports = { addScripts, compile, defineScript, multiWithScripts, sessionWithScripts }
