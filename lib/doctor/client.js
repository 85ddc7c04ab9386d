'use strict'

/*
 * The proof: does oxidis itself connect with these options, and answer?
 */

const { RedisClient } = require('../client/client')
const { RedisCluster } = require('../cluster/cluster')
const { RedisSentinel } = require('../sentinel/sentinel')
const { checkLoad } = require('./latency')

/** Ms that a connection may take where everything before has worked. */
const PATIENCE = 5000

/**
 * @param {object} patient
 * @param {boolean} load whether the throughput is measured
 */
async function checkClient (patient, load) {
  const { findings, kind, asked } = patient
  const client = new CLIENTS[kind](alone(asked))
  for (const event of ['error', 'node-error', 'client-error']) client.on(event, () => {})
  try {
    await client.connect({ timeout: PATIENCE })
    await client.ping()
    findings.ok('client', 'oxidis connects with these options, and gets answers')
    if (load) await checkLoad(patient, client)
  } catch ({ code, message }) {
    findings.fail('client', 'CLIENT_FAILED', `oxidis cannot use it: ${code}: ${message}`,
      'docs/errors.md explains the code')
  } finally {
    client.destroy()
  }
}

/** The options of a client that shares nothing with those of the program. */
function alone (given) {
  return typeof given === 'string' ? given : { ...given, shared: undefined }
}

const CLIENTS = { server: RedisClient, cluster: RedisCluster, sentinel: RedisSentinel }

module.exports = { checkClient }
