'use strict'

/*
 * What oxidis must know about a command before it sends it, as bits. Most of it is what the server
 * says. The lists below have the rest, each with its reason.
 */

/** Bit of each flag; src/command/mod.rs and lib/commands/flags.js get them from here. */
const BITS = {
  READONLY: 1,
  WRITE: 2,
  REPEATABLE: 4,
  BLOCKING: 8,
  STATE: 16,
  SUBSCRIBE: 32,
  CONTAINER: 64,
  OPAQUE: 128
}

const MEANINGS = {
  READONLY: 'the server lists it as reading keys only',
  WRITE: 'the server lists it as writing keys',
  REPEATABLE: 'sending it twice does what sending it once does, so it may be retried',
  BLOCKING: 'it may wait on the server, holding up whatever follows on its connection',
  STATE: 'it changes the connection it runs on, so it must not go to a shared one',
  SUBSCRIBE: 'it turns the connection into a stream of messages',
  CONTAINER: 'it only has subcommands, each with flags of its own',
  OPAQUE: 'it runs a program, whose error replies begin with whatever word the program likes'
}

/** The flags of one command of the snapshot, in the order of their bits. */
function flagsOf (name, facts) {
  const has = {
    READONLY: facts.flags.includes('readonly'),
    WRITE: facts.flags.includes('write'),
    BLOCKING: facts.flags.includes('blocking'),
    STATE: STATE.has(name),
    SUBSCRIBE: SUBSCRIBE.has(name),
    CONTAINER: facts.container === true,
    OPAQUE: PROGRAMS.has(name)
  }
  const quiet = !has.WRITE && !has.BLOCKING && !has.STATE && !has.SUBSCRIBE
  has.REPEATABLE = quiet && !PROGRAMS.has(name) && (has.READONLY || REPEATABLE.has(name))
  return Object.keys(BITS).filter(flag => has[flag])
}

/** They change the connection for its next user, or the order of its replies. */
const STATE = new Set([
  'ASKING', 'AUTH', 'CLIENT CACHING', 'CLIENT CAPA', 'CLIENT IMPORT-SOURCE', 'CLIENT NO-EVICT',
  'CLIENT NO-TOUCH', 'CLIENT REPLY', 'CLIENT SETINFO', 'CLIENT SETNAME', 'CLIENT TRACKING',
  'DISCARD', 'EXEC', 'HELLO',
  'HIMPORT DISCARD', 'HIMPORT DISCARDALL', 'HIMPORT PREPARE', 'HIMPORT SET', 'MULTI', 'QUIT',
  'READONLY', 'READWRITE', 'REPLCONF', 'RESET', 'SCRIPT DEBUG', 'SELECT', 'UNWATCH', 'WATCH'
])

/** From then on the server sends without being asked. */
const SUBSCRIBE = new Set([
  'MONITOR', 'PSUBSCRIBE', 'PSYNC', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUBSCRIBE', 'SUNSUBSCRIBE',
  'SYNC', 'UNSUBSCRIBE'
])

/**
 * They run scripts and functions. The server calls some of them read-only, but nobody knows what a
 * script costs: it is never run twice. An error that a script returns may begin with the word of a
 * refusal (`BUSY`, `READONLY`) after the script has written.
 */
const PROGRAMS = new Set(['EVAL', 'EVAL_RO', 'EVALSHA', 'EVALSHA_RO', 'FCALL', 'FCALL_RO'])

/** They only ask, but touch no key, so the server does not call them read-only. */
const REPEATABLE = new Set([
  'ACL CAT', 'ACL DRYRUN', 'ACL GETUSER', 'ACL LIST', 'ACL USERS', 'ACL WHOAMI',
  'CLIENT GETNAME', 'CLIENT GETREDIR', 'CLIENT ID', 'CLIENT INFO', 'CLIENT LIST',
  'CLIENT TRACKINGINFO',
  'CLUSTER COUNT-FAILURE-REPORTS', 'CLUSTER COUNTKEYSINSLOT', 'CLUSTER GETKEYSINSLOT',
  'CLUSTER INFO', 'CLUSTER KEYSLOT', 'CLUSTER LINKS', 'CLUSTER MYID', 'CLUSTER MYSHARDID',
  'CLUSTER NODES', 'CLUSTER REPLICAS', 'CLUSTER SHARDS', 'CLUSTER SLAVES', 'CLUSTER SLOTS',
  'COMMAND', 'COMMAND COUNT', 'COMMAND DOCS', 'COMMAND GETKEYS', 'COMMAND GETKEYSANDFLAGS',
  'COMMAND INFO', 'COMMAND LIST', 'CONFIG GET', 'DBSIZE', 'ECHO', 'FUNCTION DUMP',
  'FUNCTION LIST', 'FUNCTION STATS', 'INFO', 'LASTSAVE', 'LATENCY DOCTOR', 'LATENCY GRAPH',
  'LATENCY HISTOGRAM', 'LATENCY HISTORY', 'LATENCY LATEST', 'MEMORY DOCTOR',
  'MEMORY MALLOC-STATS', 'MEMORY STATS', 'MODULE LIST', 'PING', 'PUBSUB CHANNELS',
  'PUBSUB NUMPAT', 'PUBSUB NUMSUB', 'PUBSUB SHARDCHANNELS', 'PUBSUB SHARDNUMSUB', 'ROLE',
  'SLOWLOG GET', 'SLOWLOG LEN', 'TIME'
])

module.exports = { BITS, MEANINGS, flagsOf, STATE, SUBSCRIBE, REPEATABLE, PROGRAMS }
