/** The types of a field in the schema of an index. */
export const SCHEMA_FIELD_TYPE: {
  readonly TEXT: 'TEXT'
  readonly NUMERIC: 'NUMERIC'
  readonly GEO: 'GEO'
  readonly TAG: 'TAG'
  readonly VECTOR: 'VECTOR'
  readonly GEOSHAPE: 'GEOSHAPE'
}

/** Algorithms and languages of phonetic matching. */
export const SCHEMA_TEXT_FIELD_PHONETIC: {
  readonly DM_EN: 'dm:en'
  readonly DM_FR: 'dm:fr'
  readonly DM_PT: 'dm:pt'
  readonly DM_ES: 'dm:es'
}

/** The algorithms of a vector field. */
export const SCHEMA_VECTOR_FIELD_ALGORITHM: {
  readonly FLAT: 'FLAT'
  readonly HNSW: 'HNSW'
  readonly VAMANA: 'SVS-VAMANA'
}

/** Languages of documents and queries. */
export const REDISEARCH_LANGUAGE: {
  readonly ARABIC: 'Arabic'
  readonly ARMENIAN: 'Armenian'
  readonly BASQUE: 'Basque'
  readonly CATALANA: 'Catalan'
  readonly DANISH: 'Danish'
  readonly DUTCH: 'Dutch'
  readonly ENGLISH: 'English'
  readonly FINNISH: 'Finnish'
  readonly FRENCH: 'French'
  readonly GERMAN: 'German'
  readonly GREEK: 'Greek'
  readonly HINDI: 'Hindi'
  readonly HUNGARIAN: 'Hungarian'
  readonly INDONESAIN: 'Indonesian'
  readonly IRISH: 'Irish'
  readonly ITALIAN: 'Italian'
  readonly LITHUANIAN: 'Lithuanian'
  readonly MALAY: 'Malay'
  readonly NEPALI: 'Nepali'
  readonly NORWEIGAN: 'Norwegian'
  readonly PORTUGUESE: 'Portuguese'
  readonly ROMANIAN: 'Romanian'
  readonly RUSSIAN: 'Russian'
  readonly SERBIAN: 'Serbian'
  readonly SPANISH: 'Spanish'
  readonly SWEDISH: 'Swedish'
  readonly TAGALOG: 'Tagalog'
  readonly TAMIL: 'Tamil'
  readonly TURKISH: 'Turkish'
  readonly YIDDISH: 'Yiddish'
  readonly CHINESE: 'Chinese'
}

/** The steps of an aggregation. */
export const FT_AGGREGATE_STEPS: {
  readonly GROUPBY: 'GROUPBY'
  readonly SORTBY: 'SORTBY'
  readonly APPLY: 'APPLY'
  readonly LIMIT: 'LIMIT'
  readonly FILTER: 'FILTER'
}

/** The reducers of a GROUPBY step: what is computed from each group. */
export const FT_AGGREGATE_GROUP_BY_REDUCERS: {
  readonly COUNT: 'COUNT'
  readonly COUNT_DISTINCT: 'COUNT_DISTINCT'
  readonly COUNT_DISTINCTISH: 'COUNT_DISTINCTISH'
  readonly SUM: 'SUM'
  readonly MIN: 'MIN'
  readonly MAX: 'MAX'
  readonly AVG: 'AVG'
  readonly STDDEV: 'STDDEV'
  readonly QUANTILE: 'QUANTILE'
  readonly TOLIST: 'TOLIST'
  readonly FIRST_VALUE: 'FIRST_VALUE'
  readonly RANDOM_SAMPLE: 'RANDOM_SAMPLE'
  readonly COLLECT: 'COLLECT'
}

/** How the samples of a series are stored. */
export const TIME_SERIES_ENCODING: {
  readonly COMPRESSED: 'COMPRESSED'
  readonly UNCOMPRESSED: 'UNCOMPRESSED'
}

/** What the server does with a sample whose timestamp the series has already. */
export const TIME_SERIES_DUPLICATE_POLICIES: {
  readonly BLOCK: 'BLOCK'
  readonly FIRST: 'FIRST'
  readonly LAST: 'LAST'
  readonly MIN: 'MIN'
  readonly MAX: 'MAX'
  readonly SUM: 'SUM'
}

/** The aggregations: how one value is computed from the samples of a bucket. */
export const TIME_SERIES_AGGREGATION_TYPE: {
  readonly AVG: 'AVG'
  readonly FIRST: 'FIRST'
  readonly LAST: 'LAST'
  readonly MIN: 'MIN'
  readonly MAX: 'MAX'
  readonly SUM: 'SUM'
  readonly RANGE: 'RANGE'
  readonly COUNT: 'COUNT'
  readonly COUNT_NAN: 'COUNTNAN'
  readonly COUNT_ALL: 'COUNTALL'
  readonly STD_P: 'STD.P'
  readonly STD_S: 'STD.S'
  readonly VAR_P: 'VAR.P'
  readonly VAR_S: 'VAR.S'
  readonly TWA: 'TWA'
}

/** Which timestamp a bucket gets: its start, middle or end. */
export const TIME_SERIES_BUCKET_TIMESTAMP: {
  readonly LOW: '-'
  readonly MIDDLE: '~'
  readonly END: '+'
}

/** How one series is computed from the series of a group. */
export const TIME_SERIES_REDUCERS: {
  readonly AVG: 'AVG'
  readonly SUM: 'SUM'
  readonly MIN: 'MIN'
  readonly MAX: 'MAX'
  readonly RANGE: 'RANGE'
  readonly COUNT: 'COUNT'
  readonly COUNTNAN: 'COUNTNAN'
  readonly COUNTALL: 'COUNTALL'
  readonly STD_P: 'STD.P'
  readonly STD_S: 'STD.S'
  readonly VAR_P: 'VAR.P'
  readonly VAR_S: 'VAR.S'
}

/** Where `ts.read` begins, in place of a timestamp. */
export const TS_READ_TIMESTAMP: {
  readonly EARLIEST: '-'
  readonly LATEST: '+'
  readonly NEW: '$'
}
