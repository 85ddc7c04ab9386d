export type GeoUnits = 'm' | 'km' | 'mi' | 'ft'

export interface GeoCoordinates {
  longitude: RedisArgument | number
  latitude: RedisArgument | number
}

export interface GeoMember extends GeoCoordinates {
  member: RedisArgument
}

/** Where something is. */
export interface GeoPosition {
  longitude: number
  latitude: number
}

export interface GeoAddOptions {
  /** Only new members (NX), or only members that exist (XX). */
  condition?: 'NX' | 'XX'
  /** @deprecated use `condition` */
  NX?: boolean
  /** @deprecated use `condition` */
  XX?: boolean
  /** Counts changed members too. */
  CH?: boolean
}

/** A member, or a place. */
export type GeoSearchFrom = RedisArgument | GeoCoordinates

export type GeoSearchBy =
  | { radius: RedisDouble; unit: GeoUnits }
  | { width: RedisDouble; height: RedisDouble; unit: GeoUnits }

export interface GeoSearchOptions {
  /** Nearest or farthest first. Default: in no order. */
  SORT?: 'ASC' | 'DESC'
  /** The most members to return; with ANY the first that are found. */
  COUNT?: RedisInteger | { value: RedisInteger; ANY?: boolean }
}

export interface GeoStoreOptions extends GeoSearchOptions {
  /** Stores distances as scores. */
  STOREDIST?: boolean
}

/** One of GEO_REPLY_WITH's values. */
export type GeoReplyWith = 'WITHDIST' | 'WITHHASH' | 'WITHCOORD'

/** A member, with what was asked for. */
export interface GeoReplyWithMember<T> {
  member: T
  distance?: number
  hash?: number
  coordinates?: GeoPosition
}
