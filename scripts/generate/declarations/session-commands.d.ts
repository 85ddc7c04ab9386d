/** Who logs in: see `auth`. */
export interface RedisAuthentication {
  /** Default: the server's default user. */
  username?: RedisArgument
  password: RedisArgument
}

/** What HELLO does besides: see `hello`. */
export interface HelloOptions {
  /** Logs in. */
  AUTH?: { username: RedisArgument; password: RedisArgument }
  /** Names the connection. */
  SETNAME?: RedisArgument
}

/** What a server says about itself and the connection. */
export interface HelloReply<T> {
  server: T
  version: T
  proto: 2 | 3
  id: number
  mode: T
  role: T
  modules: unknown[]
}

/** Which changes of keys the server tells of: see `clientTracking`. */
export interface ClientTrackingOptions {
  /** The id of the connection to tell. Default: this one. */
  REDIRECT?: RedisInteger
  /** Tells of all keys, read or not. Default false. */
  BCAST?: boolean
  /** With BCAST: only of keys that begin so. Default: all. */
  PREFIX?: RedisVariadicArgument
  /** Only of keys read right after `clientCaching(true)`. Default false. */
  OPTIN?: boolean
  /** Not of keys read right after `clientCaching(false)`. Default false. */
  OPTOUT?: boolean
  /** Not of changes that this connection makes. Default false. */
  NOLOOP?: boolean
}
