/** Whom `clientKill` ends. */
export const CLIENT_KILL_FILTERS: {
  readonly ADDRESS: 'ADDR'
  readonly LOCAL_ADDRESS: 'LADDR'
  readonly ID: 'ID'
  readonly TYPE: 'TYPE'
  readonly USER: 'USER'
  readonly SKIP_ME: 'SKIPME'
  readonly MAXAGE: 'MAXAGE'
}

/** How `clientUnblock` ends a wait. */
export const CLIENT_UNBLOCK_MODES: {
  readonly TIMEOUT: 'TIMEOUT'
  readonly ERROR: 'ERROR'
}

/** How much of a cluster `clusterFailover` does without. */
export const FAILOVER_MODES: {
  readonly FORCE: 'FORCE'
  readonly TAKEOVER: 'TAKEOVER'
}

/** What `clusterSetSlot` says of a slot. */
export const CLUSTER_SLOT_STATES: {
  readonly IMPORTING: 'IMPORTING'
  readonly MIGRATING: 'MIGRATING'
  readonly STABLE: 'STABLE'
  readonly NODE: 'NODE'
}

/** What `commandList` chooses by. */
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

/** What `arGrep` compares by. */
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

/** What `arOp` makes of a range. */
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
