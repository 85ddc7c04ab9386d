'use strict'

/*
 * Custom modules: `createClient({ modules: { name: { COMMAND: { ... } } } })`.
 *
 * `parseCommand` of a definition writes a whole command, its name first. The command is then sent
 * as by `sendCommand`: one that would change a shared connection is refused, and one that may block
 * gets a connection of its own. scripts.js adds the methods to clients.
 */

const { checkText, named } = require('../arguments')
const { sendCommand } = require('../methods/send-command')
const { CommandParser } = require('./command-parser')
const { COMMAND, check, parametersOf, replyOf } = require('./definitions')

/**
 * Checks the option `modules`.
 * @param {Record<string, Record<string, object>>} modules
 * @param {2 | 3} RESP
 * @returns {{ name: string, library: string, option: string, method: string, parse: Function,
 *   reply?: Function }[]}
 */
function compileModules (modules, RESP) {
  return Object.entries(modules).flatMap(([library, commands]) => {
    const option = `modules.${library}`
    if (commands === null || typeof commands !== 'object') {
      throw new TypeError(`option "${option}" must be an object of commands`)
    }
    return Object.entries(commands).map(([name, definition]) => {
      check(definition, `${option}.${name}`, COMMAND)
      const reply = replyOf(definition.transformReply, RESP)
      const { parseCommand: parse } = definition
      const parameters = parametersOf(definition)
      return { name, library, option, parameters, method: `${library}.${name}`, parse, reply }
    })
  })
}

/**
 * Sends a module's command.
 * @param {object} client a client, a view or a session
 * @param {ReturnType<typeof compileModules>[number]} command
 * @param {unknown[]} args what the caller passed
 */
function sendModuleCommand (client, { method, parse, reply }, args) {
  let parser
  try {
    parser = parsed(client._keyPrefix, parse, args)
  } catch (error) {
    return Promise.reject(named(method, error))
  }
  const { redisArgs, preserve: preserved } = parser
  return sendCommand(client, redisArgs, client._command, { method, reply, preserved })
}

/** Adds a module's command to the chain `multi`, and returns that. */
function chainModuleCommand (multi, { method, parse, reply }, args) {
  return multi._addWhole(method, prefix => parsed(prefix, parse, args), reply)
}

function parsed (prefix, parse, args) {
  const parser = new CommandParser(new Collector(prefix))
  parse(parser, ...args)
  if (parser.redisArgs.length === 0) throw new TypeError('parseCommand has pushed no command')
  return parser
}

/** Takes the place of an argument writer: arguments are checked now and encoded later. */
class Collector {
  constructor (prefix) {
    this.prefix = prefix || null
  }

  arg (v, name) {
    checkText(v, name)
  }
}

module.exports = { chainModuleCommand, compileModules, sendModuleCommand }
