/** The filters of `clientKill`: which connections it ends. */
export const CLIENT_KILL_FILTERS: {
  readonly ADDRESS: 'ADDR'
  readonly LOCAL_ADDRESS: 'LADDR'
  readonly ID: 'ID'
  readonly TYPE: 'TYPE'
  readonly USER: 'USER'
  readonly SKIP_ME: 'SKIPME'
  readonly MAXAGE: 'MAXAGE'
}

/** How `clientUnblock` ends a blocking command: as after its timeout, or with an error. */
export const CLIENT_UNBLOCK_MODES: {
  readonly TIMEOUT: 'TIMEOUT'
  readonly ERROR: 'ERROR'
}

/** Which checks `clusterFailover` skips: that the primary agrees, that other primaries do. */
export const FAILOVER_MODES: {
  readonly FORCE: 'FORCE'
  readonly TAKEOVER: 'TAKEOVER'
}

/** The states that `clusterSetSlot` gives a slot. */
export const CLUSTER_SLOT_STATES: {
  readonly IMPORTING: 'IMPORTING'
  readonly MIGRATING: 'MIGRATING'
  readonly STABLE: 'STABLE'
  readonly NODE: 'NODE'
}

/** The filters of `commandList`. */
export const COMMAND_LIST_FILTER_BY: {
  readonly MODULE: 'MODULE'
  readonly ACLCAT: 'ACLCAT'
  readonly PATTERN: 'PATTERN'
}

/** Whether `flushAll` and `flushDb` free memory in the background. */
export const REDIS_FLUSH_MODES: {
  readonly ASYNC: 'ASYNC'
  readonly SYNC: 'SYNC'
}

/** How `arGrep` compares a value with its argument. */
export const AR_PREDICATE_TYPES: {
  readonly EXACT: 'EXACT'
  readonly MATCH: 'MATCH'
  readonly GLOB: 'GLOB'
  readonly RE: 'RE'
}

/** How `arGrep` joins several comparisons. */
export const AR_PREDICATE_COMBINATORS: {
  readonly AND: 'AND'
  readonly OR: 'OR'
}

/** The operations of `arOp` over a range. */
export const AR_OPERATIONS: {
  readonly SUM: 'SUM'
  readonly MIN: 'MIN'
  readonly MAX: 'MAX'
  readonly AND: 'AND'
  readonly OR: 'OR'
  readonly XOR: 'XOR'
  readonly MATCH: 'MATCH'
  readonly USED: 'USED'
}
