'use strict'

/*
 * The options of `OpenTelemetry.init`, under node-redis's names. `traces` is our own.
 */

const { fail } = require('../arguments')

/** The groups of metrics, and which are made by default, as in node-redis. */
const GROUPS = ['command', 'connection-basic', 'connection-advanced', 'resiliency', 'pubsub',
  'streaming', 'client-side-caching']
const DEFAULT_GROUPS = ['connection-basic', 'resiliency']

/** Bounds of histograms in seconds, those of OpenTelemetry's conventions for databases. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/* Checks: each returns what is expected if the value is wrong, else false. */
const flag = v => typeof v !== 'boolean' && 'a boolean'
const names = v => !(Array.isArray(v) && v.every(one => typeof one === 'string')) &&
  'an array of strings'
const groups = v => (!Array.isArray(v) || !v.every(one => GROUPS.includes(one))) &&
  `an array of ${GROUPS.map(one => `'${one}'`).join(', ')}`
const bounds = v => !(Array.isArray(v) && v.every(one => typeof one === 'number')) &&
  'an array of numbers'
const provider = method => v => typeof v?.[method] !== 'function' && `an object with ${method}()`

const METRICS = {
  enabled: [flag, false],
  meterProvider: [provider('getMeter'), undefined],
  includeCommands: [names, []],
  excludeCommands: [names, []],
  enabledMetricGroups: [groups, DEFAULT_GROUPS],
  hidePubSubChannelNames: [flag, false],
  hideStreamNames: [flag, false],
  bucketsOperationDuration: [bounds, BUCKETS],
  bucketsConnectionCreateTime: [bounds, BUCKETS],
  bucketsConnectionWaitTime: [bounds, BUCKETS],
  bucketsStreamProcessingDuration: [bounds, BUCKETS]
}

const TRACES = {
  enabled: [flag, false],
  tracerProvider: [provider('getTracer'), undefined],
  includeCommands: [names, []],
  excludeCommands: [names, []]
}

/**
 * The options with their defaults. Throws a TypeError that names what is wrong.
 * @param {object | undefined} config
 */
function parse (config) {
  const { metrics, traces, ...others } = group(config, 'config')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new TypeError(`${METHOD}: option "${unknown}" is not known`)
  return {
    metrics: checked(group(metrics, 'metrics'), METRICS, 'metrics.'),
    traces: checked(group(traces, 'traces'), TRACES, 'traces.')
  }
}

function group (given = {}, name) {
  if (typeof given !== 'object' || given === null) refuse(name, 'an object', given)
  return given
}

function checked (given, table, path) {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(table, name)) {
      throw new TypeError(`${METHOD}: option "${path}${name}" is not known`)
    }
  }
  return Object.fromEntries(Object.entries(table).map(([name, [check, value]]) => {
    const one = given[name] ?? value
    const expected = one !== undefined && check(one)
    if (expected) refuse(path + name, expected, one)
    return [name, one]
  }))
}

function refuse (name, expected, value) {
  try {
    fail(name, expected, value)
  } catch (error) {
    error.message = `${METHOD}: ${error.message}`
    throw error
  }
}

/**
 * Whether something is told of a command.
 * @param {{ includeCommands: string[], excludeCommands: string[] }} options
 * @returns {(command: string) => boolean}
 */
function filter ({ includeCommands, excludeCommands }) {
  const upper = list => new Set(list.map(name => name.toUpperCase()))
  const [included, excluded] = [upper(includeCommands), upper(excludeCommands)]
  return command => (included.size === 0 || included.has(command)) && !excluded.has(command)
}

const METHOD = 'OpenTelemetry.init'

module.exports = { filter, parse }
