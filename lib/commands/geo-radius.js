'use strict'

/*
 * Rows of the GEORADIUS family, which servers call deprecated: GEOSEARCH (geo.js) does the same.
 * See index.js for what a row is.
 */

const {
  SEARCH_OPTIONS, STORE_OPTIONS, coordinates, located, replyWith, searchOptions, unit
} = require('./geo-forms')

const ABOUT_WITH = 'Tells distances, hashes or coordinates too: what GEO_REPLY_WITH names.'
const ABOUT_STORE = 'Stores the result, with geohashes or (STOREDIST) distances as scores.'

module.exports = [
  ...family('geoRadius', 'GEORADIUS', 'GeoCoordinates', coordinates),
  ...family('geoRadiusByMember', 'GEORADIUSBYMEMBER', 'RedisArgument',
    (w, from, name) => w.arg(from, name))
]

/** The methods that search around a place or a member. `center` writes the centre's arguments. */
function family (name, command, type, center) {
  function around (w, key, from, radius, measure, options) {
    w.key(key, 'key')
    center(w, from, 'from')
    w.float(radius, 'radius')
    unit(w, measure, 'unit')
    searchOptions(w, options)
  }

  function search (w, key, from, radius, measure, options) {
    around(w, key, from, radius, measure, w.options(options, 'options', SEARCH_OPTIONS))
  }

  function searchWith (w, key, from, radius, measure, told, options) {
    search(w, key, from, radius, measure, options)
    replyWith(w, told)
  }

  function searchStore (w, key, from, radius, measure, destination, options) {
    const o = w.options(options, 'options', STORE_OPTIONS)
    around(w, key, from, radius, measure, o)
    w.token(o?.STOREDIST ? 'STOREDIST' : 'STORE')
    w.key(destination, 'destination')
  }

  const common = `(key: RedisArgument, from: ${type}, radius: RedisDouble, unit: GeoUnits, `
  const found = `${common}options?: GeoSearchOptions): Promise<T[]>`
  const foundWith = `${common}replyWith: GeoReplyWith[], options?: GeoSearchOptions): ` +
    'Promise<GeoReplyWithMember<T>[]>'
  return [
    { name, args: search, ts: found },
    { name: `${name}Ro`, upper: `${command}_RO`, args: search, ts: found },
    {
      name: `${name}RoWith`,
      upper: `${command}_RO_WITH`,
      command: [`${command}_RO`],
      args: searchWith,
      reply: located,
      about: ABOUT_WITH,
      ts: foundWith
    },
    {
      name: `${name}Store`,
      upper: `${command}_STORE`,
      command: [command],
      args: searchStore,
      about: ABOUT_STORE,
      ts: `${common}destination: RedisArgument, options?: GeoStoreOptions): Promise<number>`
    },
    {
      name: `${name}With`,
      upper: `${command}_WITH`,
      command: [command],
      args: searchWith,
      reply: located,
      about: ABOUT_WITH,
      ts: foundWith
    }
  ]
}
