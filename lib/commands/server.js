'use strict'

/*
 * Rows of the commands about the server as a whole: data sets, configuration, persistence,
 * replication. See index.js for what a row is.
 */

const { fail, isGiven, isOptions, isText } = require('../arguments')
const { none } = require('./forms')
const { list, number, text, tuple } = require('./shapes')

module.exports = [
  { name: 'bgRewriteAof', args: none, ts: '(): Promise<string>' },
  {
    name: 'bgSave',
    args (w, options) {
      if (w.options(options, 'options', BGSAVE_OPTIONS)?.SCHEDULE) w.token('SCHEDULE')
    },
    ts: '(options?: { SCHEDULE?: boolean }): Promise<string>'
  },
  {
    name: 'configGet',
    upper: 'CONFIG_GET',
    command: ['CONFIG', 'GET'],
    args (w, parameters) {
      w.args(parameters, 'parameters')
    },
    shape: 'object',
    ts: '(parameters: RedisVariadicArgument): Promise<Record<string, T>>'
  },
  {
    name: 'configResetStat',
    upper: 'CONFIG_RESETSTAT',
    // node-redis has this method's upper-case name misspelt, and programs may use it.
    aliases: ['CONFIG_RESETASTAT'],
    command: ['CONFIG', 'RESETSTAT'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'configRewrite',
    upper: 'CONFIG_REWRITE',
    command: ['CONFIG', 'REWRITE'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'configSet',
    upper: 'CONFIG_SET',
    command: ['CONFIG', 'SET'],
    args (w, parameter, value) {
      if (isText(parameter)) {
        w.arg(parameter, 'parameter')
        w.arg(value, 'value')
      } else {
        parameters(w, parameter)
      }
    },
    ts: [
      "(parameter: RedisArgument, value: RedisArgument): Promise<'OK'>",
      "(parameters: Record<string, RedisArgument>): Promise<'OK'>"
    ]
  },
  { name: 'dbSize', args: none, ts: '(): Promise<number>' },
  { name: 'flushAll', args: flush, ts: "(mode?: RedisFlushMode): Promise<'OK'>" },
  { name: 'flushDb', args: flush, ts: "(mode?: RedisFlushMode): Promise<'OK'>" },
  {
    name: 'info',
    args (w, section) {
      if (isGiven(section)) w.arg(section, 'section')
    },
    ts: '(section?: RedisArgument): Promise<T>'
  },
  { name: 'lastSave', args: none, ts: '(): Promise<number>' },
  {
    name: 'lolwut',
    variadic: true,
    args (w, version, ...parameters) {
      if (!isGiven(version)) return
      w.token('VERSION')
      w.int(version, 'version')
      for (const parameter of parameters) w.int(parameter, 'parameters')
    },
    ts: '(version?: RedisInteger, ...parameters: RedisInteger[]): Promise<T>'
  },
  {
    name: 'replicaOf',
    args (w, host, port) {
      w.arg(host, 'host')
      w.value(port, 'port')
    },
    ts: "(host: RedisArgument, port: RedisArgument | number): Promise<'OK'>"
  },
  { name: 'role', args: none, reply: role, ts: '(): Promise<RoleReply<T>>' },
  { name: 'save', args: none, ts: "(): Promise<'OK'>" },
  {
    name: 'swapDb',
    args (w, index1, index2) {
      w.int(index1, 'index1')
      w.int(index2, 'index2')
    },
    ts: "(index1: RedisInteger, index2: RedisInteger): Promise<'OK'>"
  },
  { name: 'time', args: none, ts: '(): Promise<[unixTimestamp: T, microseconds: T]>' }
]

function flush (w, mode) {
  if (isGiven(mode)) w.oneOf(mode, 'mode', ['ASYNC', 'SYNC'])
}

function parameters (w, config) {
  if (!isOptions(config)) fail('parameters', 'a name or an object', config)
  const names = Object.keys(config)
  if (names.length === 0) throw new TypeError('argument "parameters" must have at least one name')
  for (const name of names) {
    w.arg(name, 'parameters')
    w.arg(config[name], `parameters.${name}`)
  }
}

/** The misspelt `replicationOffest` is node-redis's, and programs read it. */
function role (reply) {
  const [kind] = tuple(reply, 2)
  switch (text(kind)) {
    case 'master': {
      const [, replicationOffest, replicas] = tuple(reply, 3)
      return { role: kind, replicationOffest, replicas: list(replicas).map(replica) }
    }
    case 'slave': {
      const [, host, port, state, dataReceived] = tuple(reply, 5)
      return { role: kind, master: { host, port }, state, dataReceived }
    }
    default:
      return { role: kind, masterNames: list(reply[1]) }
  }
}

function replica (reply) {
  const [host, port, offset] = tuple(reply, 3)
  return { host, port: number(port), replicationOffest: number(offset) }
}

const BGSAVE_OPTIONS = new Set(['SCHEDULE'])
