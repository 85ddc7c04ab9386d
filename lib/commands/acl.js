'use strict'

/*
 * Rows of the ACL commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { none } = require('./forms')
const { double, map, maps } = require('./replies')
const { list } = require('./shapes')

module.exports = [
  {
    name: 'aclCat',
    upper: 'ACL_CAT',
    command: ['ACL', 'CAT'],
    args (w, categoryName) {
      if (isGiven(categoryName)) w.arg(categoryName, 'categoryName')
    },
    ts: '(categoryName?: RedisArgument): Promise<T[]>'
  },
  {
    name: 'aclDelUser',
    upper: 'ACL_DELUSER',
    command: ['ACL', 'DELUSER'],
    args (w, username) {
      w.args(username, 'username')
    },
    ts: '(username: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'aclDryRun',
    upper: 'ACL_DRYRUN',
    command: ['ACL', 'DRYRUN'],
    args (w, username, command) {
      w.arg(username, 'username')
      w.args(command, 'command')
    },
    ts: '(username: RedisArgument, command: RedisArgument[]): Promise<T>'
  },
  {
    name: 'aclGenPass',
    upper: 'ACL_GENPASS',
    command: ['ACL', 'GENPASS'],
    args (w, bits) {
      if (isGiven(bits)) w.int(bits, 'bits')
    },
    ts: '(bits?: RedisInteger): Promise<T>'
  },
  {
    name: 'aclGetUser',
    upper: 'ACL_GETUSER',
    command: ['ACL', 'GETUSER'],
    args (w, username) {
      w.arg(username, 'username')
    },
    reply: (reply, mapping) => reply === null ? null : map(reply, mapping, (name, value) => (
      name === 'selectors' ? maps(value, mapping) : value
    )),
    ts: '(username: RedisArgument): Promise<{ flags: T[]; passwords: T[]; commands: T; keys: T; ' +
      'channels: T; selectors: { commands: T; keys: T; channels: T }[] } | null>'
  },
  {
    name: 'aclList',
    upper: 'ACL_LIST',
    command: ['ACL', 'LIST'],
    args: none,
    ts: '(): Promise<T[]>'
  },
  {
    name: 'aclLoad',
    upper: 'ACL_LOAD',
    command: ['ACL', 'LOAD'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'aclLog',
    upper: 'ACL_LOG',
    command: ['ACL', 'LOG'],
    args (w, count) {
      if (count !== undefined && count !== null) w.int(count, 'count')
    },
    reply: (reply, mapping) => list(reply).map(item => map(item, mapping, (name, value) => (
      name === 'age-seconds' ? double(value, mapping) : value
    ))),
    ts: "(count?: RedisInteger): Promise<{ count: number; reason: T; context: T; object: T; " +
      "username: T; 'age-seconds': number; 'client-info': T; 'entry-id': number; " +
      "'timestamp-created': number; 'timestamp-last-updated': number }[]>"
  },
  {
    name: 'aclLogReset',
    upper: 'ACL_LOG_RESET',
    command: ['ACL', 'LOG', 'RESET'],
    args: none,
    about: 'Clears the log.',
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'aclSave',
    upper: 'ACL_SAVE',
    command: ['ACL', 'SAVE'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'aclSetUser',
    upper: 'ACL_SETUSER',
    command: ['ACL', 'SETUSER'],
    args (w, username, rule) {
      w.arg(username, 'username')
      w.anyArgs(rule, 'rule')
    },
    ts: "(username: RedisArgument, rule: RedisVariadicArgument): Promise<'OK'>"
  },
  {
    name: 'aclUsers',
    upper: 'ACL_USERS',
    command: ['ACL', 'USERS'],
    args: none,
    ts: '(): Promise<T[]>'
  },
  {
    name: 'aclWhoAmI',
    upper: 'ACL_WHOAMI',
    command: ['ACL', 'WHOAMI'],
    args: none,
    ts: '(): Promise<T>'
  }
]
