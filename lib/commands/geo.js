'use strict'

/*
 * Rows of the geo commands; the older GEORADIUS family is in geo-radius.js. See index.js for what
 * a row is.
 */

const { fail, isGiven, isText } = require('../arguments')
const {
  SEARCH_OPTIONS, STORE_OPTIONS, coordinates, located, position, replyWith, searchOptions, unit
} = require('./geo-forms')
const { double } = require('./replies')
const { list } = require('./shapes')

module.exports = [
  {
    name: 'geoAdd',
    args (w, key, toAdd, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', GEOADD_OPTIONS)
      if (isGiven(o?.condition)) w.oneOf(o.condition, 'options.condition', ['NX', 'XX'])
      else if (o?.NX) w.token('NX')
      else if (o?.XX) w.token('XX')
      if (o?.CH) w.token('CH')
      places(w, toAdd)
    },
    ts: '(key: RedisArgument, toAdd: GeoMember | GeoMember[], options?: GeoAddOptions): ' +
      'Promise<number>'
  },
  {
    name: 'geoDist',
    args (w, key, member1, member2, measure) {
      w.key(key, 'key')
      w.arg(member1, 'member1')
      w.arg(member2, 'member2')
      if (isGiven(measure)) unit(w, measure, 'unit')
    },
    reply: double,
    ts: '(key: RedisArgument, member1: RedisArgument, member2: RedisArgument, ' +
      'unit?: GeoUnits): Promise<number | null>'
  },
  {
    name: 'geoHash',
    args: keyMembers,
    ts: '(key: RedisArgument, member: RedisVariadicArgument): Promise<(T | null)[]>'
  },
  {
    name: 'geoPos',
    args: keyMembers,
    reply: (reply, mapping) => list(reply).map(item => position(item, mapping)),
    ts: '(key: RedisArgument, member: RedisVariadicArgument): Promise<(GeoPosition | null)[]>'
  },
  {
    name: 'geoSearch',
    args (w, key, from, by, options) {
      w.key(key, 'key')
      search(w, from, by)
      searchOptions(w, w.options(options, 'options', SEARCH_OPTIONS))
    },
    ts: '(key: RedisArgument, from: GeoSearchFrom, by: GeoSearchBy, ' +
      'options?: GeoSearchOptions): Promise<T[]>'
  },
  {
    name: 'geoSearchStore',
    args (w, destination, source, from, by, options) {
      w.key(destination, 'destination')
      w.key(source, 'source')
      search(w, from, by)
      const o = w.options(options, 'options', STORE_OPTIONS)
      searchOptions(w, o)
      if (o?.STOREDIST) w.token('STOREDIST')
    },
    ts: '(destination: RedisArgument, source: RedisArgument, from: GeoSearchFrom, ' +
      'by: GeoSearchBy, options?: GeoStoreOptions): Promise<number>'
  },
  {
    name: 'geoSearchWith',
    upper: 'GEOSEARCH_WITH',
    command: ['GEOSEARCH'],
    args (w, key, from, by, told, options) {
      w.key(key, 'key')
      search(w, from, by)
      searchOptions(w, w.options(options, 'options', SEARCH_OPTIONS))
      replyWith(w, told)
    },
    reply: located,
    about: 'Tells distances, hashes or coordinates too: what GEO_REPLY_WITH names.',
    ts: '(key: RedisArgument, from: GeoSearchFrom, by: GeoSearchBy, replyWith: GeoReplyWith[], ' +
      'options?: GeoSearchOptions): Promise<GeoReplyWithMember<T>[]>'
  }
]

function keyMembers (w, key, member) {
  w.key(key, 'key')
  w.args(member, 'member')
}

/** `longitude latitude member ...` of one of them or a non-empty array. */
function places (w, toAdd) {
  const list = Array.isArray(toAdd) ? toAdd : [toAdd]
  if (list.length === 0) fail('toAdd', 'a non-empty array', list)
  for (const place of list) {
    coordinates(w, place, 'toAdd')
    w.arg(place.member, 'toAdd.member')
  }
}

/** The centre of a search (a member, or a longitude and latitude), and its radius or box. */
function search (w, from, by) {
  if (isText(from)) {
    w.token('FROMMEMBER')
    w.arg(from, 'from')
  } else {
    w.token('FROMLONLAT')
    coordinates(w, from, 'from')
  }
  if (by === null || typeof by !== 'object') {
    fail('by', 'a { radius, unit } or a { width, height, unit }', by)
  }
  if (by.radius !== undefined) {
    w.token('BYRADIUS')
    w.float(by.radius, 'by.radius')
  } else {
    w.token('BYBOX')
    w.float(by.width, 'by.width')
    w.float(by.height, 'by.height')
  }
  unit(w, by.unit, 'by.unit')
}

const GEOADD_OPTIONS = new Set(['condition', 'NX', 'XX', 'CH'])
