'use strict'

/*
 * The definitions of scripts, functions and commands of custom modules: what they have in common.
 *
 * A definition is an object of node-redis's form: `{ parseCommand (parser, ...args),
 * transformReply }` and some more fields. It is read and never changed. Here are the checks of its
 * fields, and of the name that it takes on a client.
 */

const { Thrown } = require('../errors')
const { NAMESPACES } = require('../modules')

/**
 * Throws a TypeError unless `definition` has what `fields` expect.
 * @param {unknown} definition
 * @param {string} path where it stands in the options
 * @param {Record<string, (value: unknown) => string | false>} fields
 */
function check (definition, path, fields) {
  if (definition === null || typeof definition !== 'object') {
    throw new TypeError(`option "${path}" must be an object`)
  }
  for (const [field, check] of Object.entries(fields)) {
    const expected = check(definition[field])
    if (expected) throw new TypeError(`option "${path}.${field}" must be ${expected}`)
  }
}

/**
 * Throws a TypeError if one of the names is taken on `target`, or by another definition.
 * @param {object} target with all of its own methods and fields
 * @param {{ name: string, library?: string, option: string }[]} compiled `option` is where the name
 *   (of the library, if there is one) stands in the options
 * @param {string} [what] what a taken name belongs to
 */
function checkNames (target, compiled, what = "a client's method") {
  const owners = new Map()
  for (const { name, library, option } of compiled) {
    const wanted = library ?? name
    if (wanted === 'then') throw new TypeError(`option "${option}" would make the client a promise`)
    if (wanted.startsWith('_')) {
      throw new TypeError(`option "${option}" must not begin with _: such names are the client's ` +
        'own')
    }
    // A custom module may replace one of ours: node-redis's module packages are passed so.
    const isOurs = option.startsWith('modules.') && NAMESPACES.includes(wanted)
    if (wanted in target && !isOurs) {
      throw new TypeError(`option "${option}" has the name of ${what}`)
    }
    const owner = owners.get(wanted) ?? option
    if (owner !== option) {
      throw new TypeError(`option "${option}" has the name of ${KINDS[owner.split('.', 1)]}`)
    }
    owners.set(wanted, owner)
  }
}

/** The transform of a definition as a row has it; undefined if there is none. */
function replyOf (given, RESP) {
  const transform = typeof given === 'object' ? given[RESP] : given
  return transform === undefined ? undefined : callersTransform(transform)
}

/** A transform of the caller as a row has it. What it throws reaches the caller as it is. */
function callersTransform (transform) {
  return (reply, typeMapping, preserved) => {
    try {
      return transform(reply, preserved, typeMapping)
    } catch (error) {
      throw new Thrown(error)
    }
  }
}

/**
 * How many arguments `parseCommand` of a definition has parameters for, behind the parser. Those
 * with a default, and a rest parameter, are counted if the definition has `TAKES_FUNCTIONS: true`.
 */
function parametersOf ({ parseCommand, TAKES_FUNCTIONS }) {
  return TAKES_FUNCTIONS ? Infinity : parseCommand.length - 1
}

const isTransform = v => v === undefined || typeof v === 'function'

/* Checks: each returns what is expected if the value is wrong, else false. */
const method = v => typeof v !== 'function' && 'a function (parser, ...args)'
const flag = v => v !== undefined && typeof v !== 'boolean' && 'a boolean'
const transform = v => !isTransform(v) &&
  (v === null || typeof v !== 'object' || !isTransform(v[2]) || !isTransform(v[3])) &&
  'a function, or { 2: function, 3: function }'

/** What every definition has. */
const COMMAND = { parseCommand: method, transformReply: transform, TAKES_FUNCTIONS: flag }

const KINDS = { scripts: 'a script', functions: 'a library of functions', modules: 'a module' }

module.exports = { COMMAND, callersTransform, check, checkNames, parametersOf, replyOf }
