'use strict'

/*
 * The doctor: says why a server cannot be used as the options say, or what will go wrong some day.
 *
 * `npx oxidis doctor` prints it, and programs call `diagnose` for their health endpoints. It writes
 * nothing to a server, shows no secret, and ends by itself. The groups of checks are in files of
 * their own. Each gets the *patient*: the options, and where findings are put. A group that finds
 * out that nothing more can be found out ends the examination.
 */

const { RedisClient } = require('../client/client')
const { addressOf } = require('../addresses')
const { parseClusterOptions } = require('../cluster/options')
const { parseOptions } = require('../options/client')
const { parseSentinelOptions } = require('../sentinel/options')
const { clearTimeout, performance, setTimeout } = require('../timers')
const { checkCapacity } = require('./capacity')
const { checkClient } = require('./client')
const { checkCluster } = require('./cluster')
const { checkData } = require('./data')
const { Findings } = require('./findings')
const { checkLatency } = require('./latency')
const { checkRights, logIn } = require('./login')
const { connect, nameOf, resolve } = require('./reach')
const { checkSentinels } = require('./sentinel')
const { examine, modeOf } = require('./server')
const { speak } = require('./tls')

/**
 * Examines a server, a cluster, or a primary that Sentinel watches over.
 * @param {object | string} [given] what createClient, createCluster (`rootNodes`) or createSentinel
 *   (`sentinelRootNodes`) is called with, or a URL; an existing client of one server stands for its
 *   options
 * @param {{ load?: boolean, timeout?: number }} [how] `load`: measure the throughput, which takes
 *   3 s and sends as many PINGs as the server answers; `timeout`: ms after which the examination
 *   ends with what was found until then, default 30,000
 * @returns {Promise<{ target: string, status: 0 | 1 | 2, tookMs: number, findings: object[],
 *   measured: object }>} `status` 0: all is well; 1: there are warnings; 2: it cannot be used
 */
async function diagnose (given, how = {}) {
  const { load, timeout } = checkedHow(how)
  const since = performance.now()
  const patient = patientOf(given instanceof RedisClient ? given.options : given)
  let timer
  const late = new Promise(resolve => { timer = setTimeout(resolve, timeout, LATE) })
  const outcome = await Promise.race([examined(patient, load), late])
  clearTimeout(timer)
  if (outcome === LATE) {
    patient.findings.fail('doctor', 'OUT_OF_TIME', `the examination was not done within ${
      timeout} ms`, 'the server or the network is slow: see what was found until then')
  }
  const { findings: { list, measured, status }, target } = patient
  // Copies, because an examination that is late may still find something.
  const tookMs = Math.round(performance.now() - since)
  return { target, status, tookMs, findings: [...list], measured: { ...measured } }
}

function checkedHow (how) {
  if (typeof how !== 'object' || how === null) {
    throw new TypeError('diagnose: argument "how" must be an object')
  }
  const { load = false, timeout = DEFAULT_TIMEOUT } = how
  if (typeof load !== 'boolean') throw new TypeError('diagnose: option "load" must be a boolean')
  if (!(typeof timeout === 'number' && timeout >= 1 && timeout <= 2 ** 31 - 1)) {
    throw new TypeError('diagnose: option "timeout" must be a number of milliseconds from 1 to ' +
      `${2 ** 31 - 1}`)
  }
  return { load, timeout }
}

/** Who is examined: parsed options, and a place for findings. Throws for wrong options. */
function patientOf (given) {
  if (given?.sentinelRootNodes !== undefined) return patientOfSentinel(given)
  if (given?.rootNodes !== undefined) return patientOfCluster(given)
  const options = parseOptions(given)
  const { host, port, path } = options.socket
  return {
    kind: 'server',
    target: path ?? addressOf({ host, port }),
    asked: given,
    given: typeof given === 'string' ? { url: given } : given ?? {},
    options,
    findings: new Findings(secretsOf(options))
  }
}

function patientOfCluster (given) {
  const { client, topology: { seeds }, own } = parseClusterOptions(given)
  const options = parseOptions(client)
  return {
    kind: 'cluster',
    target: seeds.map(addressOf).join(', '),
    asked: given,
    given: client,
    options,
    seeds,
    addressMap: own.nodeAddressMap,
    findings: new Findings(secretsOf(options))
  }
}

function patientOfSentinel (given) {
  const { client, topology, own, sentinels } = parseSentinelOptions(given)
  const options = parseOptions(client)
  const { seeds } = topology.sentinel
  return {
    kind: 'sentinel',
    target: `"${own.name}" of ${seeds.map(addressOf).join(', ')}`,
    asked: given,
    given: client,
    options,
    seeds,
    name: own.name,
    sentinels,
    sentinelGiven: given.sentinelClientOptions ?? {},
    addressMap: own.nodeAddressMap,
    findings: new Findings([...secretsOf(options), ...secretsOf(sentinels)])
  }
}

function secretsOf ({ password }) {
  return password === undefined ? [] : [password]
}

async function examined (patient, load) {
  const { findings } = patient
  try {
    const wire = await admitted(patient)
    if (wire === null) return
    try {
      await questioned(patient, wire)
    } finally {
      wire.close()
    }
    if (findings.status < 2) await checkClient(patient, load)
  } catch ({ code, message }) {
    findings.fail('server', 'LOST', 'the connection was lost in the middle of the examination: ' +
      `${code ?? message}`, 'look into the log of the server; a proxy may cut connections')
  }
}

/** A wire over which commands can be sent; null if there is none. */
async function admitted (patient) {
  const target = await found(patient)
  if (target === null) return null
  patient.at = target
  const wire = await speak(patient, target)
  if (wire === null) return null
  try {
    if (await logIn(patient, wire)) return wire
  } catch (error) {
    wire.close()
    throw error
  }
  wire.close()
  return null
}

/** The address of the server to examine, as options of `net.connect`; null without any. */
async function found (patient) {
  switch (patient.kind) {
    case 'server': return reached(patient, patient.options.socket)
    case 'cluster': return firstOf(patient)
    default: {
      const primary = await checkSentinels(patient)
      if (primary === null) return null
      const name = nameOf(primary)
      const { addressMap } = patient
      const to = typeof addressMap === 'function' ? addressMap(name) : addressMap?.[name]
      return reached(patient, to ?? primary)
    }
  }
}

async function reached (patient, place) {
  patient.options = { ...patient.options, socket: { ...patient.options.socket, ...place } }
  const addresses = await resolve(patient)
  return addresses && connect(patient, addresses)
}

/** The first root node that can be reached. */
async function firstOf (patient) {
  const { findings, seeds } = patient
  for (const [index, seed] of seeds.entries()) {
    const isLast = index === seeds.length - 1
    const one = isLast ? patient : { ...patient, findings: new Findings([]) }
    const target = await reached(one, seed)
    if (target !== null) {
      patient.options = one.options
      if (!isLast) findings.list.push(...one.findings.list)
      return target
    }
    if (!isLast) {
      findings.warn('cluster', 'ROOT_DOWN', `the root node ${addressOf(seed)} cannot be reached`,
        'start it, or take it out of rootNodes')
    }
  }
  return null
}

async function questioned (patient, wire) {
  const { findings, kind } = patient
  const info = await examine(patient, wire)
  // A server that is loading answers nothing else.
  if (findings.status === 2) return
  const mode = modeOf(info)
  if (kind !== 'sentinel' && mode === 'sentinel') {
    findings.fail('server', 'IS_SENTINEL', 'it is a sentinel, which has no data',
      'createSentinel({ name, sentinelRootNodes: [{ host, port }] })')
    return
  }
  if (kind === 'server' && mode === 'cluster') {
    findings.warn('server', 'IS_CLUSTER', 'it is a node of a cluster: commands for keys of other ' +
      'nodes fail (MOVED)', 'createCluster({ rootNodes: [{ url }] })')
  }
  if (kind === 'cluster' && mode !== undefined && mode !== 'cluster') {
    findings.fail('server', 'NO_CLUSTER', 'it is a single server, and no node of a cluster',
      'createClient({ url }), or `cluster-enabled yes` in redis.conf')
    return
  }
  if (mode === 'cluster' || kind === 'cluster') await checkCluster(patient, wire, patient.at)
  else await checkRights(patient, wire)
  await checkData(patient, wire, info)
  await checkCapacity(patient, wire, info)
  await checkLatency(patient, wire)
}

const LATE = Symbol('late')
/** Ms. All steps together take a second where all is well, and each has a bound of its own. */
const DEFAULT_TIMEOUT = 30_000

module.exports = { diagnose }
