'use strict'

/*
 * Who says what among the sentinels: which of them can be reached, do they know the name, and do
 * they agree on the primary?
 */

const { addressOf } = require('../addresses')
const { logIn } = require('./login')
const { connect, nameOf, resolve } = require('./reach')
const { speak } = require('./tls')
const { fieldsOf } = require('./wire')

/**
 * Asks each sentinel. Returns the address of the primary; null if nobody knows it.
 * @param {object} patient of which `sentinels` are the parsed options, and `seeds` the addresses
 */
async function checkSentinels (patient) {
  const { findings, seeds, name } = patient
  const outcomes = []
  // One by one, so that what is found stands in the order of the options.
  for (const seed of seeds) outcomes.push(await ask(patient, seed))
  const answered = outcomes.filter(({ isKnown }) => isKnown !== undefined)
  findings.measured.sentinels = outcomes.map(({ seed, isKnown, primary }) => ({
    address: addressOf(seed),
    isUp: isKnown !== undefined,
    primary: primary && nameOf(primary)
  }))
  if (answered.length === 0) {
    findings.fail('sentinel', 'NO_SENTINEL', 'no sentinel can be asked', 'the findings above say ' +
      'why; the port of Sentinel is 26379 unless somebody has changed it')
    return null
  }
  if (answered.length < outcomes.length) {
    findings.warn('sentinel', 'SENTINELS_DOWN', `${outcomes.length - answered.length} of ` +
      `${outcomes.length} sentinels cannot be asked`, 'start them: without a majority there is ' +
      'no failover')
  }
  const knowing = answered.filter(({ isKnown }) => isKnown)
  if (knowing.length === 0) {
    const names = [...new Set(answered.flatMap(({ names }) => names))]
    findings.fail('sentinel', 'NAME_NOT_KNOWN', `no sentinel knows a primary with the name ` +
      `"${name}"; they know ${names.length > 0 ? names.map(one => `"${one}"`).join(', ') : 'none'}`,
    'write the option `name` as in `sentinel monitor <name> ...` of sentinel.conf')
    return null
  }
  const primaries = new Map(knowing.map(({ primary }) => [nameOf(primary), primary]))
  if (primaries.size > 1) {
    findings.warn('sentinel', 'SENTINELS_DISAGREE', 'the sentinels name different primaries: ' +
      knowing.map(({ seed, primary }) => `${addressOf(seed)} names ${nameOf(primary)}`).join(', '),
    'a failover may be under way; if it stays so, the sentinels do not hear of each other')
  }
  if (knowing.length < answered.length) {
    findings.warn('sentinel', 'NAME_KNOWN_TO_SOME', `${answered.length - knowing.length} of the ` +
      `sentinels do not know "${name}"`, 'add `sentinel monitor` to their configuration')
  }
  const [primary] = primaries.values()
  findings.ok('sentinel', `${knowing.length} of ${outcomes.length} sentinels name ` +
    `${nameOf(primary)} as the primary`)
  return primary
}

/** What one sentinel says: `isKnown` is undefined if it cannot be asked. */
async function ask (patient, seed) {
  const { sentinels, name, findings } = patient
  const options = { ...sentinels, socket: { ...sentinels.socket, ...seed } }
  const one = { ...patient, options, given: patient.sentinelGiven }
  const addresses = await resolve(one)
  const target = addresses && await connect(one, addresses)
  const wire = target && await speak(one, target)
  if (!wire) return { seed }
  try {
    if (!await logIn(one, wire)) return { seed }
    const address = await wire.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
    if (address?.isUnknown) {
      findings.fail('sentinel', 'NO_SENTINEL_MODE', `${addressOf(seed)} is no sentinel, but a ` +
        'server of data', 'the port of Sentinel is 26379 unless somebody has changed it')
      return { seed }
    }
    if (Array.isArray(address)) {
      const [host, port] = address
      return { seed, isKnown: true, primary: { host, port: Number(port) }, names: [] }
    }
    const masters = await wire.try('SENTINEL', 'MASTERS') ?? []
    return { seed, isKnown: false, names: masters.map(one => fieldsOf(one).name) }
  } catch {
    return { seed }
  } finally {
    wire.close()
  }
}

module.exports = { checkSentinels }
