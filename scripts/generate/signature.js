'use strict'

/*
 * Reads the type that a row of the command table gives its method: `(key: RedisArgument, count?:
 * number): Promise<T[]>`. It knows as much of TypeScript as rows use, and throws at anything else.
 */

/**
 * The parts of such a type.
 * @param {string} ts one overload of a row's `ts`
 * @returns {{ params: object[], reply: string }} `reply` is what the promise resolves to; a
 *   parameter is `{ text, name, type, isOptional, isRest }`, where `text` is the whole of it
 */
function signature (ts) {
  const end = closing(ts, 0)
  const reply = /^: Promise<(.*)>$/.exec(ts.slice(end + 1))
  if (ts[0] !== '(' || reply === null) throw new Error(`not a signature: ${ts}`)
  return { params: split(ts.slice(1, end)).map(parameter), reply: reply[1] }
}

function parameter (text) {
  const [, dots, name, mark, type] = /^(\.\.\.)?(\w+)(\??): (.*)$/.exec(text)
  return { text, name, type, isOptional: mark === '?', isRest: dots !== undefined }
}

/** Splits at the commas that are not within brackets. */
function split (text) {
  const parts = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if ('([{<'.includes(text[i])) i = closing(text, i)
    else if (text[i] === ',') {
      parts.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  const last = text.slice(start).trim()
  return last === '' ? parts : [...parts, last]
}

/** Where the bracket that opens at `start` closes. */
function closing (text, start) {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    if ('([{<'.includes(text[i])) depth++
    // The second character of `=>` closes nothing.
    else if (')]}>'.includes(text[i]) && text[i - 1] !== '=' && --depth === 0) return i
  }
  throw new Error(`unbalanced: ${text}`)
}

module.exports = { signature }
