'use strict'

/*
 * Values of TLS options, in the forms that Node takes. No message shows one: it may be a key.
 */

/** Whether `value` is a Buffer, or any other view of bytes. */
function isBytes (value) {
  return ArrayBuffer.isView(value)
}

/** The bytes of a text or of a view; undefined if `value` is neither. */
function bytesOf (value) {
  if (typeof value === 'string') return Buffer.from(value)
  if (!isBytes(value)) return undefined
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** The bytes of a text in PEM, or the error that says what `name` must be. */
function pemOf (value, name, expected) {
  const bytes = bytesOf(value)
  if (bytes === undefined) wrong(name, expected)
  // A path in place of the content would otherwise fail with the first command only.
  if (!bytes.includes('-----BEGIN ')) wrong(name, 'PEM')
  return bytes
}

function wrong (name, expected) {
  throw new TypeError(`option "socket.tls.${name}" must be ${expected}`)
}

/** Whether an option is given. */
function isGiven (value) {
  return value !== undefined && value !== null
}

module.exports = { bytesOf, isBytes, isGiven, pemOf, wrong }
