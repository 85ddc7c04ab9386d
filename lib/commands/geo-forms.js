'use strict'

/*
 * What the geo commands share: argument forms, and the transform of a search's reply. Coordinates
 * and distances become numbers, whatever the protocol.
 */

const { fail, isGiven } = require('../arguments')
const { put } = require('../fields')
const { double } = require('./replies')
const { list, tuple } = require('./shapes')

/** What a search can return in addition to the members. */
const GEO_REPLY_WITH = Object.freeze({
  DISTANCE: 'WITHDIST',
  HASH: 'WITHHASH',
  COORDINATES: 'WITHCOORD'
})

/** `longitude latitude` of an object that has them. */
function coordinates (w, v, name) {
  if (v === null || typeof v !== 'object') fail(name, 'a { longitude, latitude }', v)
  w.bound(v.longitude, `${name}.longitude`)
  w.bound(v.latitude, `${name}.latitude`)
}

function unit (w, v, name) {
  w.oneOf(v, name, UNITS)
}

/** `ASC`, `COUNT 5 ANY` ... `o` is an options object that the caller has checked. */
function searchOptions (w, o) {
  if (isGiven(o?.SORT)) w.oneOf(o.SORT, 'options.SORT', ['ASC', 'DESC'])
  if (!isGiven(o?.COUNT)) return
  const isObject = typeof o.COUNT === 'object'
  w.token('COUNT')
  w.int(isObject ? o.COUNT.value : o.COUNT, 'options.COUNT')
  if (isObject && o.COUNT.ANY) w.token('ANY')
}

/**
 * What to return in addition to the members: an array of GEO_REPLY_WITH's words. The transform of
 * the reply reads them again.
 */
function replyWith (w, v) {
  if (!Array.isArray(v)) fail('replyWith', 'an array', v)
  for (const word of v) w.oneOf(word, 'replyWith', REPLY_WITH)
  w.preserved = v.map(word => word.toUpperCase())
}

/**
 * Members with what was asked for. The server sends it in one order, however it was asked, and
 * members alone when nothing was.
 */
function located (reply, mapping, asked = []) {
  if (asked.length === 0) return list(reply).map(member => ({ member }))
  const told = new Set(asked)
  return list(reply).map(item => {
    const [member, ...rest] = tuple(item, 1 + told.size)
    const made = { member }
    if (told.has(GEO_REPLY_WITH.DISTANCE)) put(made, 'distance', double(rest.shift(), mapping))
    if (told.has(GEO_REPLY_WITH.HASH)) put(made, 'hash', rest.shift())
    if (told.has(GEO_REPLY_WITH.COORDINATES)) {
      put(made, 'coordinates', position(rest.shift(), mapping))
    }
    return made
  })
}

/** A place, or null when there is no such member. */
function position (reply, mapping) {
  if (reply === null) return null
  const [longitude, latitude] = tuple(reply, 2)
  return { longitude: double(longitude, mapping), latitude: double(latitude, mapping) }
}

const REPLY_WITH = Object.values(GEO_REPLY_WITH)
const UNITS = ['m', 'km', 'mi', 'ft']
const SEARCH_OPTIONS = new Set(['SORT', 'COUNT'])
const STORE_OPTIONS = new Set([...SEARCH_OPTIONS, 'STOREDIST'])

module.exports = {
  GEO_REPLY_WITH,
  SEARCH_OPTIONS,
  STORE_OPTIONS,
  coordinates,
  unit,
  searchOptions,
  replyWith,
  located,
  position
}
