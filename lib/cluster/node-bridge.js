'use strict'

/*
 * The sender to one node of a cluster and to no other.
 *
 * Redirects and refusals of the node reach the caller. The node's lane is shared, so a command that
 * may wait on the server gets a session on the node.
 */

const { SessionBridge } = require('../boundary/session-bridge')

class NodeBridge extends SessionBridge {
  placeFor () {
    return this.target
  }

  sendBlocking (command) {
    return this.bridge.sendBlocking({ ...command, place: this.target })
  }
}

module.exports = { NodeBridge }
