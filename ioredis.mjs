// `import Redis from 'oxidis/ioredis'`: the interface of ioredis.

import Redis from './ioredis.js'

export const {
  Cluster,
  ClusterAllFailedError,
  Command,
  MaxRetriesPerRequestError,
  Pipeline,
  ReplyError,
  ScanStream,
  print
} = Redis

export { Redis }
export default Redis
