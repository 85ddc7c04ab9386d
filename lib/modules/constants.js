'use strict'

/*
 * The words of the search and time-series commands, under the names that node-redis exports them
 * by (its spelling mistakes included). Nothing here is needed to call a command: the values are
 * plain strings, and a string does as well.
 */

/** The types of a field in the schema of an index. */
const SCHEMA_FIELD_TYPE = words('TEXT', 'NUMERIC', 'GEO', 'TAG', 'VECTOR', 'GEOSHAPE')

/** Algorithms and languages of phonetic matching. */
const SCHEMA_TEXT_FIELD_PHONETIC = Object.freeze({
  DM_EN: 'dm:en',
  DM_FR: 'dm:fr',
  DM_PT: 'dm:pt',
  DM_ES: 'dm:es'
})

/** The algorithms of a vector field. */
const SCHEMA_VECTOR_FIELD_ALGORITHM = Object.freeze({
  ...words('FLAT', 'HNSW'),
  VAMANA: 'SVS-VAMANA'
})

/** Languages of documents and queries. */
const REDISEARCH_LANGUAGE = Object.freeze({
  ARABIC: 'Arabic',
  ARMENIAN: 'Armenian',
  BASQUE: 'Basque',
  CATALANA: 'Catalan',
  DANISH: 'Danish',
  DUTCH: 'Dutch',
  ENGLISH: 'English',
  FINNISH: 'Finnish',
  FRENCH: 'French',
  GERMAN: 'German',
  GREEK: 'Greek',
  HINDI: 'Hindi',
  HUNGARIAN: 'Hungarian',
  INDONESAIN: 'Indonesian',
  IRISH: 'Irish',
  ITALIAN: 'Italian',
  LITHUANIAN: 'Lithuanian',
  MALAY: 'Malay',
  NEPALI: 'Nepali',
  NORWEIGAN: 'Norwegian',
  PORTUGUESE: 'Portuguese',
  ROMANIAN: 'Romanian',
  RUSSIAN: 'Russian',
  SERBIAN: 'Serbian',
  SPANISH: 'Spanish',
  SWEDISH: 'Swedish',
  TAGALOG: 'Tagalog',
  TAMIL: 'Tamil',
  TURKISH: 'Turkish',
  YIDDISH: 'Yiddish',
  CHINESE: 'Chinese'
})

/** The steps of an aggregation. */
const FT_AGGREGATE_STEPS = words('GROUPBY', 'SORTBY', 'APPLY', 'LIMIT', 'FILTER')

/** The reducers of a GROUPBY step: what is computed from each group. */
const FT_AGGREGATE_GROUP_BY_REDUCERS = words('COUNT', 'COUNT_DISTINCT', 'COUNT_DISTINCTISH', 'SUM',
  'MIN', 'MAX', 'AVG', 'STDDEV', 'QUANTILE', 'TOLIST', 'FIRST_VALUE', 'RANDOM_SAMPLE', 'COLLECT')

/** How the samples of a series are stored. */
const TIME_SERIES_ENCODING = words('COMPRESSED', 'UNCOMPRESSED')

/** What the server does with a sample whose timestamp the series has already. */
const TIME_SERIES_DUPLICATE_POLICIES = words('BLOCK', 'FIRST', 'LAST', 'MIN', 'MAX', 'SUM')

/** The aggregations: how one value is computed from the samples of a bucket. */
const TIME_SERIES_AGGREGATION_TYPE = Object.freeze({
  ...words('AVG', 'FIRST', 'LAST', 'MIN', 'MAX', 'SUM', 'RANGE', 'COUNT'),
  COUNT_NAN: 'COUNTNAN',
  COUNT_ALL: 'COUNTALL',
  STD_P: 'STD.P',
  STD_S: 'STD.S',
  VAR_P: 'VAR.P',
  VAR_S: 'VAR.S',
  TWA: 'TWA'
})

/** Which timestamp a bucket gets: its start, middle or end. */
const TIME_SERIES_BUCKET_TIMESTAMP = Object.freeze({ LOW: '-', MIDDLE: '~', END: '+' })

/** How one series is computed from the series of a group. */
const TIME_SERIES_REDUCERS = Object.freeze({
  ...words('AVG', 'SUM', 'MIN', 'MAX', 'RANGE', 'COUNT', 'COUNTNAN', 'COUNTALL'),
  STD_P: 'STD.P',
  STD_S: 'STD.S',
  VAR_P: 'VAR.P',
  VAR_S: 'VAR.S'
})

/** Where `ts.read` begins, in place of a timestamp. */
const TS_READ_TIMESTAMP = Object.freeze({ EARLIEST: '-', LATEST: '+', NEW: '$' })

function words (...names) {
  return Object.freeze(Object.fromEntries(names.map(name => [name, name])))
}

module.exports = {
  SCHEMA_FIELD_TYPE,
  SCHEMA_TEXT_FIELD_PHONETIC,
  SCHEMA_VECTOR_FIELD_ALGORITHM,
  REDISEARCH_LANGUAGE,
  FT_AGGREGATE_STEPS,
  FT_AGGREGATE_GROUP_BY_REDUCERS,
  TIME_SERIES_ENCODING,
  TIME_SERIES_DUPLICATE_POLICIES,
  TIME_SERIES_AGGREGATION_TYPE,
  TIME_SERIES_BUCKET_TIMESTAMP,
  TIME_SERIES_REDUCERS,
  TS_READ_TIMESTAMP
}
