'use strict'

/*
 * JSON to and from the wire. Errors never show the text, as the engine's own would.
 */

/** The JSON of an argument. */
function toJson (v, name) {
  let text
  try {
    text = JSON.stringify(v)
  } catch {
    throw new TypeError(`argument "${name}" must be JSON: without cycles, bigints and a ` +
      'toJSON that throws')
  }
  if (text === undefined) {
    throw new TypeError(`argument "${name}" must be JSON, not ${typeof v}`)
  }
  return text
}

/**
 * What JSON in a reply, text or bytes, stands for; null for null. An error of the caller's own
 * `reviver` is passed on as it is.
 */
function fromJson (reply, reviver) {
  if (reply === null) return null
  const text = String(reply)
  try {
    return JSON.parse(text, reviver)
  } catch (error) {
    if (reviver !== undefined && isJson(text)) throw error
    throw new SyntaxError('the JSON in the reply of the server is not valid')
  }
}

function isJson (text) {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

module.exports = { fromJson, toJson }
