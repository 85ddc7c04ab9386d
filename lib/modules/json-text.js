'use strict'

/*
 * JSON to and from the wire. Errors never show the text, as the engine's own would.
 */

const { text } = require('../commands/shapes')
const { Thrown, misshapen } = require('../errors')

/** The JSON of an argument. */
function toJson (v, name) {
  let json
  try {
    json = JSON.stringify(v)
  } catch {
    throw new TypeError(`argument "${name}" must be JSON: without cycles, bigints and a ` +
      'toJSON that throws')
  }
  if (json === undefined) {
    throw new TypeError(`argument "${name}" must be JSON, not ${typeof v}`)
  }
  return json
}

/**
 * What JSON in a reply, text or bytes, stands for; null for null. An error of the caller's own
 * `reviver` is passed on as it is.
 */
function fromJson (reply, reviver) {
  if (reply === null) return null
  const json = text(reply)
  try {
    return JSON.parse(json, reviver)
  } catch (error) {
    if (reviver !== undefined && isJson(json)) throw new Thrown(error)
    throw misshapen(': it is not valid JSON')
  }
}

function isJson (json) {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

module.exports = { fromJson, toJson }
