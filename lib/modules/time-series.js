'use strict'

/*
 * The rows of `client.ts`: the commands of the time-series module. See lib/commands/index.js for
 * what a row is. Here are those that change series or tell about them.
 */

const { fail, isGiven } = require('../arguments')
const { key } = require('../commands/forms')
const { optional } = require('./option-forms')
const { aggregationType, sample, series, timestamp } = require('./time-series-forms')
const { info, infoDebug } = require('./time-series-replies')

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'TS.ADD': doc('Adds a sample to a series, which is made if it does not exist.',
    'O(M) where M is the number of compaction rules.'),
  'TS.ALTER': doc('Changes the options of a series.', 'O(N) where N is the number of labels.'),
  'TS.CREATE': doc('Makes a series.', 'O(1)'),
  'TS.CREATERULE': doc('Makes a rule by which one series is compacted into another.', 'O(1)'),
  'TS.DECRBY': doc('Adds a sample that is less than the last by a number.',
    'O(M) where M is the number of compaction rules.'),
  'TS.DEL': doc('Deletes the samples of a range; returns how many.',
    'O(N) where N is the number of samples.', '1.6.0'),
  'TS.DELETERULE': doc('Deletes a compaction rule.', 'O(1)'),
  'TS.INCRBY': doc('Adds a sample that is more than the last by a number.',
    'O(M) where M is the number of compaction rules.'),
  'TS.INFO': doc('Tells about a series: its samples, memory, labels and rules.', 'O(1)'),
  'TS.MADD': doc('Adds samples to several series; returns their timestamps.',
    'O(N*M) where N is the number of samples and M that of compaction rules.')
}

const rows = [
  {
    name: 'add',
    command: ['TS.ADD'],
    args (w, key, time, value, options) {
      w.key(key, 'key')
      timestamp(w, time, 'timestamp')
      sample(w, value, 'value')
      series(w, optional(w, options, 'options', ADD_OPTIONS), ADD_OPTIONS)
    },
    ts: '(key: RedisArgument, timestamp: TsTimestamp, value: RedisDouble, ' +
      'options?: TsAddOptions): Promise<number>'
  },
  {
    name: 'alter',
    command: ['TS.ALTER'],
    args (w, key, options) {
      w.key(key, 'key')
      series(w, optional(w, options, 'options', ALTER_OPTIONS), ALTER_OPTIONS)
    },
    ts: "(key: RedisArgument, options?: TsAlterOptions): Promise<'OK'>"
  },
  {
    name: 'create',
    command: ['TS.CREATE'],
    args (w, key, options) {
      w.key(key, 'key')
      series(w, optional(w, options, 'options', CREATE_OPTIONS), CREATE_OPTIONS)
    },
    ts: "(key: RedisArgument, options?: TsCreateOptions): Promise<'OK'>"
  },
  {
    name: 'createRule',
    command: ['TS.CREATERULE'],
    args (w, sourceKey, destinationKey, type, bucketDuration, alignTimestamp) {
      rule(w, sourceKey, destinationKey)
      w.token('AGGREGATION')
      aggregationType(w, type, 'aggregationType')
      w.int(bucketDuration, 'bucketDuration')
      if (alignTimestamp !== undefined) w.int(alignTimestamp, 'alignTimestamp')
    },
    ts: '(sourceKey: RedisArgument, destinationKey: RedisArgument, ' +
      'aggregationType: TsAggregationType, bucketDuration: RedisInteger, ' +
      "alignTimestamp?: RedisInteger): Promise<'OK'>"
  },
  {
    name: 'decrBy',
    command: ['TS.DECRBY'],
    args: changeBy,
    ts: '(key: RedisArgument, value: RedisDouble, options?: TsIncrByOptions): Promise<number>'
  },
  {
    name: 'del',
    command: ['TS.DEL'],
    args (w, key, from, to) {
      w.key(key, 'key')
      timestamp(w, from, 'fromTimestamp')
      timestamp(w, to, 'toTimestamp')
    },
    ts: '(key: RedisArgument, fromTimestamp: TsTimestamp, toTimestamp: TsTimestamp): ' +
      'Promise<number>'
  },
  {
    name: 'deleteRule',
    command: ['TS.DELETERULE'],
    args: rule,
    ts: "(sourceKey: RedisArgument, destinationKey: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'incrBy',
    command: ['TS.INCRBY'],
    args: changeBy,
    ts: '(key: RedisArgument, value: RedisDouble, options?: TsIncrByOptions): Promise<number>'
  },
  {
    name: 'info',
    command: ['TS.INFO'],
    args: key,
    reply: info,
    ts: '(key: RedisArgument): Promise<TsInfoReply<T>>'
  },
  {
    name: 'infoDebug',
    upper: 'INFO_DEBUG',
    command: ['TS.INFO'],
    args (w, key) {
      w.key(key, 'key')
      w.token('DEBUG')
    },
    reply: infoDebug,
    about: 'Tells about its chunks as well.',
    ts: '(key: RedisArgument): Promise<TsInfoDebugReply<T>>'
  },
  {
    name: 'mAdd',
    command: ['TS.MADD'],
    args (w, toAdd) {
      if (!Array.isArray(toAdd) || toAdd.length === 0) fail('toAdd', 'a non-empty array', toAdd)
      toAdd.forEach((item, i) => {
        w.key(item?.key, `toAdd[${i}].key`)
        timestamp(w, item.timestamp, `toAdd[${i}].timestamp`)
        sample(w, item.value, `toAdd[${i}].value`)
      })
    },
    about: 'A sample that was refused has an error in its place.',
    ts: '(toAdd: TsMAddSample[]): Promise<(number | ErrorReply)[]>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

function rule (w, sourceKey, destinationKey) {
  w.key(sourceKey, 'sourceKey')
  w.key(destinationKey, 'destinationKey')
}

/** (key, value, options) of TS.INCRBY and TS.DECRBY. */
function changeBy (w, key, value, options) {
  w.key(key, 'key')
  w.float(value, 'value')
  const o = optional(w, options, 'options', CHANGE_OPTIONS)
  if (isGiven(o.TIMESTAMP)) {
    w.token('TIMESTAMP')
    timestamp(w, o.TIMESTAMP, 'options.TIMESTAMP')
  }
  series(w, o, CHANGED)
}

/* Each in the order of the wire. */
const ADD_OPTIONS = new Set(['RETENTION', 'ENCODING', 'CHUNK_SIZE', 'ON_DUPLICATE', 'LABELS',
  'IGNORE'])
const ALTER_OPTIONS = new Set(['RETENTION', 'CHUNK_SIZE', 'DUPLICATE_POLICY', 'LABELS', 'IGNORE'])
const CREATE_OPTIONS = new Set(['RETENTION', 'ENCODING', 'CHUNK_SIZE', 'DUPLICATE_POLICY', 'LABELS',
  'IGNORE'])
const CHANGED = ['RETENTION', 'UNCOMPRESSED', 'CHUNK_SIZE', 'LABELS', 'IGNORE']
const CHANGE_OPTIONS = new Set(['TIMESTAMP', ...CHANGED])

module.exports = [
  ...rows.map(row => ({ ...row, docs: DOCS[row.command[0]] })),
  ...require('./time-series-reads'),
  ...require('./time-series-filters')
]
