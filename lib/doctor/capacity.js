'use strict'

/*
 * Does the server take as many connections as the client's pool may open?
 */

/**
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 * @param {Record<string, string>} info what INFO says
 */
async function checkCapacity ({ options, findings }, wire, info) {
  const most = Number(info.maxclients ?? NaN)
  const now = Number(info.connected_clients ?? NaN)
  if (Number.isNaN(most) || Number.isNaN(now)) return
  const { lanes, pool: { max } } = options
  // The lanes, the sessions, and the connection of Pub/Sub.
  const wanted = lanes + max + 1
  findings.measured.clients = { now, max: most, wanted }
  const text = `the server takes ${most} connections (maxclients) and has ${now}; one client ` +
    `with these options may open ${wanted}`
  if (wanted > most - now) {
    findings.warn('capacity', 'FEW_CLIENTS', text, 'raise `maxclients` (and the limit of open ' +
      'files of the server), or lower pool.max; every process has a client of its own')
  } else {
    findings.ok('capacity', text)
  }
}

module.exports = { checkCapacity }
