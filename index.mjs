// The ES module face: the names of index.js one by one, and all of them as the default export.
// __test__/package.spec.js compares the list with index.js.

import oxidis from './index.js'

export default oxidis

export const {
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
