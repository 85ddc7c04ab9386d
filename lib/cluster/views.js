'use strict'

/*
 * Views of a cluster's client for one part of a call: another sender, or other command options.
 */

/**
 * A view of `cluster` whose commands go over `sender`.
 * @param {object} cluster the client, or a view of it
 * @param {import('../boundary/sender').Sender} sender
 * @param {object} [options] compiled command options; default: those of `cluster`
 */
function viewOver (cluster, sender, options = cluster._command) {
  return Object.create(cluster, { _bridge: { value: sender }, _command: { value: options } })
}

/** A view of `cluster` with other compiled command options. */
function viewWith (cluster, options) {
  return Object.create(cluster, { _command: { value: options } })
}

module.exports = { viewOver, viewWith }
