/** The fields of an index. A list indexes a field several times, under several names. */
export interface FtSchema {
  [field: string]: FtSchemaField | FtSchemaField[]
}

export type FtSchemaField = FtFieldType | FtTextField | FtNumericField | FtTagField |
  FtVectorField | FtGeoShapeField

export type FtFieldType = 'TEXT' | 'NUMERIC' | 'GEO' | 'TAG' | 'VECTOR' | 'GEOSHAPE'

export interface FtField {
  /** The name in queries. Default: the field's own. */
  AS?: RedisArgument
  /** Lets queries ask for documents without the field. */
  INDEXMISSING?: boolean
}

export interface FtSortableField extends FtField {
  /** Keeps values to sort by; UNF as they are, else in lower case and without accents. */
  SORTABLE?: boolean | 'UNF'
  /** Only to sort by. */
  NOINDEX?: boolean
}

export interface FtTextField extends FtSortableField {
  type: 'TEXT'
  NOSTEM?: boolean
  /** Default 1. */
  WEIGHT?: RedisDouble
  /** `dm:en`, see SCHEMA_TEXT_FIELD_PHONETIC. */
  PHONETIC?: string
  WITHSUFFIXTRIE?: boolean
  INDEXEMPTY?: boolean
}

export interface FtNumericField extends FtSortableField {
  type: 'NUMERIC' | 'GEO'
}

export interface FtTagField extends FtSortableField {
  type: 'TAG'
  /** Default: a comma. */
  SEPARATOR?: RedisArgument
  CASESENSITIVE?: boolean
  WITHSUFFIXTRIE?: boolean
  INDEXEMPTY?: boolean
}

/** Which attributes there are depends on the algorithm. */
export interface FtVectorField extends FtField {
  type: 'VECTOR'
  ALGORITHM: 'FLAT' | 'HNSW' | 'SVS-VAMANA'
  TYPE: 'FLOAT32' | 'FLOAT64' | 'BFLOAT16' | 'FLOAT16' | 'INT8' | 'UINT8'
  DIM: RedisInteger
  DISTANCE_METRIC: 'L2' | 'IP' | 'COSINE'
  INITIAL_CAP?: RedisInteger
  /** Only with FLAT. */
  BLOCK_SIZE?: RedisInteger
  /** Only with HNSW. */
  M?: RedisInteger
  /** Only with HNSW. */
  EF_CONSTRUCTION?: RedisInteger
  /** Only with HNSW. */
  EF_RUNTIME?: RedisInteger
  /** Only with HNSW. */
  RERANK?: boolean
  /** Only with SVS-VAMANA. */
  COMPRESSION?: string
  /** Only with SVS-VAMANA. */
  CONSTRUCTION_WINDOW_SIZE?: RedisInteger
  /** Only with SVS-VAMANA. */
  GRAPH_MAX_DEGREE?: RedisInteger
  /** Only with SVS-VAMANA. */
  SEARCH_WINDOW_SIZE?: RedisInteger
  /** Only with SVS-VAMANA. */
  EPSILON?: RedisDouble
  /** Only with SVS-VAMANA. */
  TRAINING_THRESHOLD?: RedisInteger
  /** Only with SVS-VAMANA. */
  REDUCE?: RedisInteger
}

export interface FtGeoShapeField extends FtField {
  type: 'GEOSHAPE'
  COORD_SYSTEM?: 'SPHERICAL' | 'FLAT'
}

export interface FtCreateOptions {
  /** Default HASH. */
  ON?: 'HASH' | 'JSON'
  /** Which keys. Default: all. */
  PREFIX?: RedisVariadicArgument
  FILTER?: RedisArgument
  /** See REDISEARCH_LANGUAGE. Default English. */
  LANGUAGE?: RedisArgument
  LANGUAGE_FIELD?: RedisArgument
  /** 0 to 1. Default 1. */
  SCORE?: RedisDouble
  SCORE_FIELD?: RedisArgument
  MAXTEXTFIELDS?: boolean
  /** Seconds without use after which the index is deleted. */
  TEMPORARY?: RedisInteger
  NOOFFSETS?: boolean
  NOHL?: boolean
  NOFIELDS?: boolean
  NOFREQS?: boolean
  SKIPINITIALSCAN?: boolean
  /** An empty array: no word is left out. */
  STOPWORDS?: RedisVariadicArgument
}

export interface FtDropIndexOptions {
  /** Deletes the documents too. */
  DD?: boolean
}

export interface FtSynUpdateOptions {
  SKIPINITIALSCAN?: boolean
}

/** What `$name` in a query stands for. */
export type FtParams = Record<string, RedisArgument | number>

export type FtSortKey = RedisArgument | { BY: RedisArgument; DIRECTION?: 'ASC' | 'DESC' }

export interface FtNumericFilter {
  field: RedisArgument
  /** A number, or text such as `(5`. */
  min: number | RedisArgument
  max: number | RedisArgument
}

export interface FtGeoFilter {
  field: RedisArgument
  lon: RedisDouble
  lat: RedisDouble
  radius: RedisDouble
  unit: 'm' | 'km' | 'mi' | 'ft'
}

export interface FtSummarize {
  FIELDS?: RedisVariadicArgument
  FRAGS?: RedisInteger
  LEN?: RedisInteger
  SEPARATOR?: RedisArgument
}

export interface FtHighlight {
  FIELDS?: RedisVariadicArgument
  TAGS?: { open: RedisArgument; close: RedisArgument }
}

export interface FtSearchOptions {
  VERBATIM?: boolean
  NOSTOPWORDS?: boolean
  WITHSCORES?: boolean
  /** Explains the scores, which come as well. */
  EXPLAINSCORE?: boolean
  WITHPAYLOADS?: boolean
  WITHSORTKEYS?: boolean
  FILTER?: FtNumericFilter | FtNumericFilter[]
  GEOFILTER?: FtGeoFilter | FtGeoFilter[]
  INKEYS?: RedisVariadicArgument
  INFIELDS?: RedisVariadicArgument
  /** An empty array: ids only. */
  RETURN?: RedisVariadicArgument
  SUMMARIZE?: boolean | FtSummarize
  HIGHLIGHT?: boolean | FtHighlight
  SLOP?: RedisInteger
  /** Milliseconds; the server's own limit, beside the command's deadline. */
  TIMEOUT?: RedisInteger
  INORDER?: boolean
  LANGUAGE?: RedisArgument
  EXPANDER?: RedisArgument
  SCORER?: RedisArgument
  PAYLOAD?: RedisArgument
  SORTBY?: FtSortKey
  /** Default: the first 10. */
  LIMIT?: { from: RedisInteger; size: RedisInteger }
  PARAMS?: FtParams
  /** Default 2. */
  DIALECT?: RedisInteger
}

export interface FtProfileSearchOptions extends FtSearchOptions {
  LIMITED?: boolean
}

/** Reducers, whose further fields depend on the type. */
export type FtReducer =
  | { type: 'COUNT'; AS?: RedisArgument }
  | {
    type: 'COUNT_DISTINCT' | 'COUNT_DISTINCTISH' | 'SUM' | 'MIN' | 'MAX' | 'AVG' | 'STDDEV' |
      'TOLIST'
    property: RedisArgument
    AS?: RedisArgument
  }
  | { type: 'QUANTILE'; property: RedisArgument; quantile: RedisDouble; AS?: RedisArgument }
  | {
    type: 'FIRST_VALUE'
    property: RedisArgument
    BY?: RedisArgument | { property: RedisArgument; direction?: 'ASC' | 'DESC' }
    AS?: RedisArgument
  }
  | { type: 'RANDOM_SAMPLE'; property: RedisArgument; sampleSize: RedisInteger; AS?: RedisArgument }
  | {
    type: 'COLLECT'
    FIELDS: RedisVariadicArgument
    DISTINCT?: boolean
    SORTBY?: FtSortKey | FtSortKey[]
    LIMIT?: { from: RedisInteger; size: RedisInteger }
    AS?: RedisArgument
  }

export type FtAggregateStep =
  | { type: 'GROUPBY'; properties?: RedisVariadicArgument; REDUCE: FtReducer | FtReducer[] }
  | { type: 'SORTBY'; BY: FtSortKey | FtSortKey[]; MAX?: RedisInteger }
  | { type: 'APPLY'; expression: RedisArgument; AS: RedisArgument }
  | { type: 'LIMIT'; from: RedisInteger; size: RedisInteger }
  | { type: 'FILTER'; expression: RedisArgument }

export type FtLoadField = RedisArgument | { identifier: RedisArgument; AS?: RedisArgument }

export interface FtAggregateOptions {
  VERBATIM?: boolean
  ADDSCORES?: boolean
  /** `*` for all. */
  LOAD?: FtLoadField | FtLoadField[]
  /** Milliseconds; the server's own limit, beside the command's deadline. */
  TIMEOUT?: RedisInteger
  STEPS?: FtAggregateStep[]
  PARAMS?: FtParams
  /** Default 2. */
  DIALECT?: RedisInteger
}

export interface FtAggregateWithCursorOptions extends FtAggregateOptions {
  /** Results of a page. Default 1000. */
  COUNT?: RedisInteger
  /** Milliseconds without a read after which the cursor is gone. Default 300000. */
  MAXIDLE?: RedisInteger
}

export interface FtProfileAggregateOptions extends FtAggregateOptions {
  LIMITED?: boolean
}

export interface FtCursorReadOptions {
  COUNT?: RedisInteger
}

export interface FtExplainOptions {
  PARAMS?: FtParams
  /** Default 2. */
  DIALECT?: RedisInteger
}

export interface FtExplainCliOptions {
  /** Default 2. */
  DIALECT?: RedisInteger
}

export interface FtSpellCheckTerms {
  mode: 'INCLUDE' | 'EXCLUDE'
  dictionary: RedisArgument
}

export interface FtSpellCheckOptions {
  /** 1 to 4. Default 1. */
  DISTANCE?: RedisInteger
  TERMS?: FtSpellCheckTerms | FtSpellCheckTerms[]
  /** Default 2. */
  DIALECT?: RedisInteger
}

export interface FtHybridOptions {
  SEARCH: { query: RedisArgument; SCORER?: RedisArgument; YIELD_SCORE_AS?: RedisArgument }
  VSIM: {
    field: RedisArgument
    /** `$name` of a parameter. */
    vector: RedisArgument
    method?:
      | { type: 'KNN'; K: RedisInteger; EF_RUNTIME?: RedisInteger }
      | { type: 'RANGE'; RADIUS: RedisDouble; EPSILON?: RedisDouble }
    FILTER?: RedisArgument
    YIELD_SCORE_AS?: RedisArgument
  }
  COMBINE?: {
    method:
      | { type: 'RRF'; WINDOW?: RedisInteger; CONSTANT?: RedisDouble }
      | { type: 'LINEAR'; ALPHA?: RedisDouble; BETA?: RedisDouble; WINDOW?: RedisInteger }
    YIELD_SCORE_AS?: RedisArgument
  }
  LOAD?: RedisVariadicArgument
  GROUPBY?: { fields: RedisVariadicArgument; REDUCE?: FtReducer | FtReducer[] }
  APPLY?: FtHybridApply | FtHybridApply[]
  SORTBY?: { fields: { field: RedisArgument; direction?: 'ASC' | 'DESC' }[] }
  NOSORT?: boolean
  FILTER?: RedisArgument
  LIMIT?: { offset: RedisInteger; count: RedisInteger }
  PARAMS?: FtParams
  /** Milliseconds; the server's own limit, beside the command's deadline. */
  TIMEOUT?: RedisInteger
}

export interface FtHybridApply {
  expression: RedisArgument
  AS?: RedisArgument
}

export interface FtSugAddOptions {
  /** Adds to the score instead of setting it. */
  INCR?: boolean
  PAYLOAD?: RedisArgument
}

export interface FtSugGetOptions {
  FUZZY?: boolean
  /** Default 5. */
  MAX?: RedisInteger
}

/** A sentence, or a sentence with the explanations of its parts. */
export type FtScoreExplanation = string | Buffer | [string | Buffer, FtScoreExplanation[]]

/** Fields of a document: text, or anything where a JSON document came whole. */
export type FtDocumentValue = Record<string, any>

export interface FtSearchReply<T> {
  total: number
  documents: {
    id: T
    score?: number
    scoreExplain?: FtScoreExplanation
    payload?: T
    sortKey?: T
    value: FtDocumentValue
  }[]
  /** Only in RESP3. */
  warnings: string[]
}

export interface FtSearchNoContentReply<T> {
  total: number
  documents: T[]
  /** Only in RESP3. */
  warnings: string[]
}

export interface FtAggregateReply<T> {
  total: number
  results: Record<string, T>[]
  /** Only in RESP3. */
  warnings: string[]
}

export interface FtAggregateWithCursorReply<T> extends FtAggregateReply<T> {
  /** 0 after the last page. */
  cursor: number
}

export interface FtHybridReply<T> {
  totalResults: number
  /** Milliseconds. */
  executionTime: number
  warnings: string[]
  results: ({ id?: T } & FtDocumentValue)[]
}

export interface FtProfileReply<R> {
  results: R
  /** Maps are flat lists. Its form depends on the server's version. */
  profile: unknown
}

export interface FtSpellCheckReply<T> {
  term: T
  suggestions: { score: number; suggestion: T }[]
}

/** The fields that programs use most. The object has all that the server sends. */
export interface FtInfoReply<T> {
  index_name: T
  index_options: T[]
  index_definition: Record<string, any>
  attributes: Record<string, any>[]
  num_docs: number
  max_doc_id: number
  num_terms: number
  num_records: number
  indexing: number
  percent_indexed: number
  total_indexing_time: number
  hash_indexing_failures: number
  gc_stats: Record<string, any>
  cursor_stats: Record<string, any>
  [fact: string]: any
}
