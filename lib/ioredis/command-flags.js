'use strict'

/*
 * ioredis's table of flags, which `Command.checkFlag` answers from. Programs ask it; the face
 * itself has `facts.js`.
 */

const BLOCK_OPTION = ['xread', 'xreadgroup']
const FIRST_ARGUMENT = ['bzmpop', 'blmpop']
const LAST_ARGUMENT = ['blpop', 'brpop', 'brpoplpush', 'blmove', 'bzpopmin', 'bzpopmax']
const ENTER = ['subscribe', 'psubscribe', 'ssubscribe']
const LEAVE = ['unsubscribe', 'punsubscribe', 'sunsubscribe']

/** Flag -> the commands that have it, in lower case. */
const FLAGS = {
  VALID_IN_SUBSCRIBER_MODE: new Set([...ENTER, ...LEAVE, 'ping', 'quit']),
  VALID_IN_MONITOR_MODE: new Set(['monitor', 'auth']),
  ENTER_SUBSCRIBER_MODE: new Set(ENTER),
  EXIT_SUBSCRIBER_MODE: new Set(LEAVE),
  WILL_DISCONNECT: new Set(['quit']),
  HANDSHAKE_COMMANDS: new Set(['auth', 'hello', 'select', 'client', 'readonly', 'info']),
  IGNORE_RECONNECT_ON_ERROR: new Set(['client']),
  BLOCKING_COMMANDS: new Set([...LAST_ARGUMENT, ...FIRST_ARGUMENT, ...BLOCK_OPTION, 'blmovem']),
  LAST_ARG_TIMEOUT_COMMANDS: new Set(LAST_ARGUMENT),
  FIRST_ARG_TIMEOUT_COMMANDS: new Set(FIRST_ARGUMENT),
  BLOCK_OPTION_COMMANDS: new Set(BLOCK_OPTION)
}

module.exports = { FLAGS }
