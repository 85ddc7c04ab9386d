'use strict'

/*
 * The words of the server's own commands, under the names that node-redis exports them by. Nothing
 * here is needed to call a command: the values are plain strings, and a string does as well.
 */

/** The filters of `clientKill`: which connections it ends. */
const CLIENT_KILL_FILTERS = Object.freeze({
  ADDRESS: 'ADDR',
  LOCAL_ADDRESS: 'LADDR',
  ID: 'ID',
  TYPE: 'TYPE',
  USER: 'USER',
  SKIP_ME: 'SKIPME',
  MAXAGE: 'MAXAGE'
})

/** How `clientUnblock` ends a blocking command: as after its timeout, or with an error. */
const CLIENT_UNBLOCK_MODES = words('TIMEOUT', 'ERROR')

/** Which checks `clusterFailover` skips: that the primary agrees, that other primaries do. */
const FAILOVER_MODES = words('FORCE', 'TAKEOVER')

/** The states that `clusterSetSlot` gives a slot. */
const CLUSTER_SLOT_STATES = words('IMPORTING', 'MIGRATING', 'STABLE', 'NODE')

/** The filters of `commandList`. */
const COMMAND_LIST_FILTER_BY = words('MODULE', 'ACLCAT', 'PATTERN')

/** Whether `flushAll` and `flushDb` free memory in the background. */
const REDIS_FLUSH_MODES = words('ASYNC', 'SYNC')

/** How `arGrep` compares a value with its argument. */
const AR_PREDICATE_TYPES = words('EXACT', 'MATCH', 'GLOB', 'RE')

/** How `arGrep` joins several comparisons. */
const AR_PREDICATE_COMBINATORS = words('AND', 'OR')

/** The operations of `arOp` over a range. */
const AR_OPERATIONS = words('SUM', 'MIN', 'MAX', 'AND', 'OR', 'XOR', 'MATCH', 'USED')

function words (...names) {
  return Object.freeze(Object.fromEntries(names.map(name => [name, name])))
}

module.exports = {
  CLIENT_KILL_FILTERS,
  CLIENT_UNBLOCK_MODES,
  FAILOVER_MODES,
  CLUSTER_SLOT_STATES,
  COMMAND_LIST_FILTER_BY,
  REDIS_FLUSH_MODES,
  AR_PREDICATE_TYPES,
  AR_PREDICATE_COMBINATORS,
  AR_OPERATIONS
}
