'use strict'

/*
 * Rows of the time-series commands that find series by their labels. See lib/commands/index.js for
 * what a row is.
 */

const { flag, object, optional } = require('./option-forms')
const {
  RANGE_OPTIONS, filter, groupBy, range, rangeMulti, selected
} = require('./time-series-forms')
const replies = require('./time-series-replies')

const RANGES = 'O(N) where N is the number of samples in the ranges of all series.'
const SERIES = 'O(N) where N is the number of series that match.'

/* The summaries of the documentation. COMMAND DOCS has none for modules. */
const DOCS = {
  'TS.MGET': doc('Returns the last samples of the series that match a filter.', SERIES),
  'TS.MRANGE': doc('Returns the samples of a range of the series that match a filter.', RANGES),
  'TS.MREVRANGE': doc('Returns the samples of a range of the series that match a filter, the ' +
    'latest first.', RANGES, '1.4.0'),
  'TS.QUERYINDEX': doc('Returns the keys of the series that match a filter.', SERIES),
  'TS.QUERYLABELS': doc('Returns the labels of the series that match a filter, or of all.', SERIES,
    '8.10.0')
}

const FROM_TO = 'fromTimestamp: TsTimestamp, toTimestamp: TsTimestamp, '
const FILTER = 'filter: RedisVariadicArgument, '
const SELECTED = 'selectedLabels: RedisVariadicArgument, '
const MAP = 'Promise<Record<string, '

const rows = [
  {
    name: 'mGet',
    command: ['TS.MGET'],
    args (w, match, options) {
      flag(w, optional(w, options, 'options', GET), 'LATEST')
      filter(w, match)
    },
    reply: replies.mGet,
    ts: `(${FILTER}options?: TsGetOptions): ${MAP}{ sample: TsSample | null }>>`
  },
  {
    name: 'mGetSelectedLabels',
    upper: 'MGET_SELECTED_LABELS',
    command: ['TS.MGET'],
    args (w, match, labels, options) {
      flag(w, optional(w, options, 'options', GET), 'LATEST')
      selected(w, labels)
      filter(w, match)
    },
    reply: replies.mGetLabels,
    about: 'Returns the labels that are asked for as well.',
    ts: `(${FILTER}${SELECTED}options?: TsGetOptions): ` +
      `${MAP}{ labels: Record<string, T | null>; sample: TsSample | null }>>`
  },
  {
    name: 'mGetWithLabels',
    upper: 'MGET_WITHLABELS',
    command: ['TS.MGET'],
    args (w, match, options) {
      flag(w, optional(w, options, 'options', GET), 'LATEST')
      w.token('WITHLABELS')
      filter(w, match)
    },
    reply: replies.mGetLabels,
    about: 'Returns all labels as well.',
    ts: `(${FILTER}options?: TsGetOptions): ` +
      `${MAP}{ labels: Record<string, T>; sample: TsSample | null }>>`
  },
  ...both('', {
    args: ranges(range, optional),
    reply: replies.mRange,
    ts: `(${FROM_TO}${FILTER}options?: TsMRangeOptions): ${MAP}TsSample[]>>`
  }),
  ...both('GroupBy', {
    args (w, from, to, match, group, options) {
      range(w, from, to, optional(w, options, 'options', PLAIN))
      filter(w, match)
      groupBy(w, group)
    },
    reply: replies.mRangeGroups,
    about: 'Makes one series of those that have the same value of a label.',
    ts: `(${FROM_TO}${FILTER}groupBy: TsGroupBy, options?: TsRangeOptions): ` +
      `${MAP}{ samples: TsSample[] }>>`
  }),
  ...both('MultiAggr', {
    args: ranges(rangeMulti, object),
    reply: replies.mRangeMulti,
    about: 'Aggregates in several ways at once.',
    ts: `(${FROM_TO}${FILTER}options: TsMRangeMultiAggrOptions): ${MAP}TsMultiSample[]>>`
  }),
  ...both('SelectedLabels', {
    args: selecting(range, optional),
    reply: replies.mRangeLabels,
    about: 'Returns the labels that are asked for as well.',
    ts: `(${FROM_TO}${SELECTED}${FILTER}options?: TsMRangeOptions): ` +
      `${MAP}{ labels: Record<string, T | null>; samples: TsSample[] }>>`
  }),
  ...both('SelectedLabelsGroupBy', {
    args (w, from, to, labels, match, group, options) {
      range(w, from, to, optional(w, options, 'options', PLAIN))
      selected(w, labels)
      filter(w, match)
      groupBy(w, group)
    },
    reply: replies.mRangeLabels,
    about: 'Makes one series of those that have the same value of a label.',
    ts: `(${FROM_TO}${SELECTED}${FILTER}groupBy: TsGroupBy, options?: TsRangeOptions): ` +
      `${MAP}{ labels: Record<string, T | null>; samples: TsSample[] }>>`
  }),
  ...both('SelectedLabelsMultiAggr', {
    args: selecting(rangeMulti, object),
    reply: replies.mRangeLabelsMulti,
    about: 'Aggregates in several ways at once.',
    ts: `(${FROM_TO}${SELECTED}${FILTER}options: TsMRangeMultiAggrOptions): ` +
      `${MAP}{ labels: Record<string, T | null>; samples: TsMultiSample[] }>>`
  }),
  ...both('WithLabels', {
    args: ranges(range, optional, 'WITHLABELS'),
    reply: replies.mRangeLabels,
    about: 'Returns all labels as well.',
    ts: `(${FROM_TO}${FILTER}options?: TsMRangeOptions): ` +
      `${MAP}{ labels: Record<string, T>; samples: TsSample[] }>>`
  }),
  ...both('WithLabelsGroupBy', {
    args (w, from, to, match, group, options) {
      range(w, from, to, optional(w, options, 'options', PLAIN))
      w.token('WITHLABELS')
      filter(w, match)
      groupBy(w, group)
    },
    reply: replies.mRangeGroupsLabels,
    about: 'Makes one series of those that have the same value of a label.',
    ts: `(${FROM_TO}${FILTER}groupBy: TsGroupBy, options?: TsRangeOptions): ` +
      `${MAP}{ labels: Record<string, T>; sources: T[]; samples: TsSample[] }>>`
  }),
  ...both('WithLabelsMultiAggr', {
    args: ranges(rangeMulti, object, 'WITHLABELS'),
    reply: replies.mRangeLabelsMulti,
    about: 'Aggregates in several ways at once.',
    ts: `(${FROM_TO}${FILTER}options: TsMRangeMultiAggrOptions): ` +
      `${MAP}{ labels: Record<string, T>; samples: TsMultiSample[] }>>`
  }),
  {
    name: 'queryIndex',
    command: ['TS.QUERYINDEX'],
    args (w, match) {
      w.args(match, 'filter')
    },
    ts: '(filter: RedisVariadicArgument): Promise<T[]>'
  },
  {
    name: 'queryLabels',
    command: ['TS.QUERYLABELS'],
    args (w, match) {
      w.token('LABELS')
      if (match !== undefined) filter(w, match)
    },
    ts: '(filter?: RedisVariadicArgument): Promise<T[]>'
  },
  {
    name: 'queryLabelValues',
    upper: 'QUERYLABELS_VALUES',
    command: ['TS.QUERYLABELS'],
    args (w, label, match) {
      w.token('VALUES')
      w.arg(label, 'label')
      if (match !== undefined) filter(w, match)
    },
    about: 'Returns the values that one label has.',
    ts: '(label: RedisArgument, filter?: RedisVariadicArgument): Promise<T[]>'
  }
]

function doc (summary, complexity, since = '1.0.0') {
  return { summary, complexity, since }
}

/** A row of `mRange...` and its twin that reads backwards. */
function both (suffix, row) {
  const words = suffix.replace('SelectedLabels', '_SELECTED_LABELS')
    .replace('WithLabels', '_WITHLABELS').replace('GroupBy', '_GROUPBY')
    .replace('MultiAggr', '_MULTIAGGR')
  return [
    { ...row, name: `mRange${suffix}`, upper: `MRANGE${words}`, command: ['TS.MRANGE'] },
    { ...row, name: `mRevRange${suffix}`, upper: `MREVRANGE${words}`, command: ['TS.MREVRANGE'] }
  ]
}

/** (fromTimestamp, toTimestamp, filter, options), with `word` in front of the filter. */
function ranges (write, read, word) {
  return (w, from, to, match, options) => {
    const o = read(w, options, 'options', EXCLUDING)
    write(w, from, to, o)
    if (o.EXCLUDEEMPTY) w.token('EXCLUDEEMPTY')
    if (word !== undefined) w.token(word)
    filter(w, match)
  }
}

/** (fromTimestamp, toTimestamp, selectedLabels, filter, options) */
function selecting (write, read) {
  return (w, from, to, labels, match, options) => {
    const o = read(w, options, 'options', EXCLUDING)
    write(w, from, to, o)
    if (o.EXCLUDEEMPTY) w.token('EXCLUDEEMPTY')
    selected(w, labels)
    filter(w, match)
  }
}

const GET = new Set(['LATEST'])
const PLAIN = new Set(RANGE_OPTIONS)
const EXCLUDING = new Set([...RANGE_OPTIONS, 'EXCLUDEEMPTY'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
