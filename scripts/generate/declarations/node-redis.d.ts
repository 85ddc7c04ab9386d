/** node-redis's names of error replies by how they were written. */
export {
  ErrorReply as SimpleError,
  ErrorReply as BlobError
}

/** node-redis's name of {@link FtSchema}. */
export type RediSearchSchema = FtSchema
/** node-redis's name of {@link FtSearchReply}, with strings. */
export type SearchReply = FtSearchReply<string>
/** The languages of {@link REDISEARCH_LANGUAGE}. */
export type RediSearchLanguage = (typeof REDISEARCH_LANGUAGE)[keyof typeof REDISEARCH_LANGUAGE]
/** node-redis's name of {@link FtFieldType}. */
export type SchemaFieldType = FtFieldType
/** The algorithms of {@link SCHEMA_TEXT_FIELD_PHONETIC}. */
export type SchemaTextFieldPhonetic =
  (typeof SCHEMA_TEXT_FIELD_PHONETIC)[keyof typeof SCHEMA_TEXT_FIELD_PHONETIC]
/** The algorithms of {@link SCHEMA_VECTOR_FIELD_ALGORITHM}. */
export type SchemaVectorFieldAlgorithm =
  (typeof SCHEMA_VECTOR_FIELD_ALGORITHM)[keyof typeof SCHEMA_VECTOR_FIELD_ALGORITHM]
/** The words of {@link FT_AGGREGATE_GROUP_BY_REDUCERS}. */
export type FtAggregateGroupByReducer =
  (typeof FT_AGGREGATE_GROUP_BY_REDUCERS)[keyof typeof FT_AGGREGATE_GROUP_BY_REDUCERS]
/** node-redis's name of {@link TsEncoding}. */
export type TimeSeriesEncoding = TsEncoding
/** node-redis's name of {@link TsDuplicatePolicy}. */
export type TimeSeriesDuplicatePolicies = TsDuplicatePolicy
/** node-redis's name of {@link TsAggregationType}. */
export type TimeSeriesAggregationType = TsAggregationType
/** One or several of {@link TsAggregationType}. */
export type TimeSeriesAggregationTypeList = [TsAggregationType, ...TsAggregationType[]]
/** The words of {@link TIME_SERIES_BUCKET_TIMESTAMP}. */
export type TimeSeriesBucketTimestamp =
  (typeof TIME_SERIES_BUCKET_TIMESTAMP)[keyof typeof TIME_SERIES_BUCKET_TIMESTAMP]
/** node-redis's name of {@link TsReducer}. */
export type TimeSeriesReducer = TsReducer
/** Where `ts.read` begins: a timestamp, or a word of {@link TS_READ_TIMESTAMP}. */
export type TsReadTimestamp = TsTimestamp
/** node-redis's name of {@link RedisClientOptions}. */
export type AnyRedisClientOptions =
  RedisClientOptions<RedisModules, RedisFunctions, RedisScripts, RespVersions, TypeMapping>

/**
 * The modules that every client has: their commands need no definition. A type and no interface,
 * because only types can be passed for `RedisModules`.
 */
export type RedisDefaultModules = {}

/**
 * node-redis's type of a client, by its definitions and type mapping. Definitions that are not known
 * by name (`RedisModules`, `RedisFunctions`, `RedisScripts` themselves) add nothing.
 */
export type RedisClientType<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = 3, T extends TypeMapping = {}
> = RedisClientForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]

/** node-redis's type of a pool, as `RedisClientType`. */
export type RedisClientPoolType<
  M extends RedisModules = {}, F extends RedisFunctions = {}, S extends RedisScripts = {},
  RESP extends RespVersions = 3, T extends TypeMapping = {}
> = RedisClientPoolForms<Known<S> & Known<F> & Known<M>>[RedisTextForm<T>]
