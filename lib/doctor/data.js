'use strict'

/*
 * Settings and states of a server that lose data, or refuse writes: memory, eviction, persistence.
 */

const { fieldsOf } = require('./wire')

/**
 * @param {object} patient
 * @param {import('./wire').Wire} wire
 * @param {Record<string, string>} info what INFO says
 */
async function checkData ({ findings }, wire, info) {
  if (info.used_memory === undefined) return
  const [used, most] = [Number(info.used_memory), Number(info.maxmemory ?? 0)]
  const policy = info.maxmemory_policy
  const evicts = most > 0 && policy?.startsWith('allkeys')
  findings.measured.memory = { used, max: most, policy }
  if (most > 0 && used >= most && policy === 'noeviction') {
    findings.fail('data', 'FULL', `the memory of the server is full: ${megabytes(used)} of ` +
      `${megabytes(most)} (maxmemory) are used, nothing is evicted (noeviction), and so writes ` +
      'are refused (OOM)', 'raise `maxmemory`, delete keys, or let it evict: ' +
      '`maxmemory-policy allkeys-lru` for a cache')
  } else if (most > 0 && used >= ALMOST * most && policy === 'noeviction') {
    findings.warn('data', 'ALMOST_FULL', `${megabytes(used)} of ${megabytes(most)} (maxmemory) ` +
      'are used, and nothing is evicted: writes will be refused (OOM)', 'raise `maxmemory`')
  } else {
    findings.ok('data', most > 0
      ? `${megabytes(used)} of ${megabytes(most)} are used, ${policy}`
      : `${megabytes(used)} are used, without a bound`)
  }
  await checkPersistence(findings, wire, info, evicts)
}

async function checkPersistence (findings, wire, info, evicts) {
  const save = fieldsOf(await wire.try('CONFIG', 'GET', 'save')).save
  const hasLog = info.aof_enabled === '1'
  if (save === '' && !hasLog && !evicts) {
    findings.warn('data', 'NOT_PERSISTENT', 'the server keeps nothing on disk: a restart loses ' +
      'all data', 'appendonly yes, or `save 3600 1`; nothing has to be done if it is only a cache')
  }
  if (evicts && (hasLog || save)) {
    findings.warn('data', 'EVICTS', 'the server writes its data to disk, and yet it may drop any ' +
      `key once the memory is full (${info.maxmemory_policy})`, 'use `volatile-lru` or ' +
      '`noeviction` for data that must stay; nothing has to be done if it is only a cache')
  }
  if (save === undefined && !hasLog) {
    findings.note('data', 'PERSISTENCE_UNKNOWN',
      'the server does not tell whether it saves to disk')
  }
  if (info.rdb_last_bgsave_status === 'err') {
    findings.fail('data', 'SAVE_FAILED', 'the last save to disk has failed, and so writes are ' +
      'refused (MISCONF) unless stop-writes-on-bgsave-error is no',
    'look into the log of the server, and whether its disk is full')
  }
  if (info.aof_last_write_status === 'err') {
    findings.fail('data', 'LOG_FAILED', 'the last write to the append-only file has failed, and ' +
      'so writes are refused (MISCONF)', 'look into the log of the server, and at its disk')
  }
}

function megabytes (bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** The share of maxmemory from which on a person should look. */
const ALMOST = 0.9

module.exports = { checkData }
