// The ES module face: the names of index.js one by one, and all of them as the default export.
// __test__/package.spec.js compares the list with index.js.

import oxidis from './index.js'

export default oxidis

export const {
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
  TS_READ_TIMESTAMP,
  createClient,
  createClientPool,
  defineScript,
  RedisClient,
  RedisClientPool,
  GEO_REPLY_WITH,
  RESP_TYPES,
  VerbatimString,
  OxidisError,
  ErrorReply,
  ConnectionError,
  ConnectionTimeoutError,
  TimeoutError,
  ClientClosedError,
  ClientOfflineError,
  QueueFullError,
  AbortError,
  WatchError,
  MultiErrorReply,
  ProtocolError,
  RootNodesUnavailableError,
  MaxCommandRedirectionsError
} = oxidis
