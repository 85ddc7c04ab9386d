'use strict'

/*
 * Checks of options by tables: name -> [check, default, meaning].
 *
 * A check returns what is expected if the value is wrong, else false. `undefined` and `null` mean
 * that an option is not given. A number may come as a string, as it does from the environment.
 */

/**
 * Those of the options in `given` that are set, checked.
 * @param {object} given
 * @param {Record<string, [Function, unknown, string]>} table
 * @param {string} path what stands in front of the names in messages, such as `socket.`
 * @param {import('../unknown-options').Unknown} unknown hears of names that `table` does not have
 */
function check (given, table, path, unknown) {
  if (isNoObject(given)) {
    throw new TypeError(`option${path === '' ? 's' : ` "${path.slice(0, -1)}"`} must be an object`)
  }
  const checked = {}
  for (const name of Object.keys(given)) {
    if (isAbsent(given[name])) continue
    if (!Object.hasOwn(table, name)) {
      unknown.note(path, name, Object.keys(table))
      continue
    }
    const value = valueOf(given[name], table[name][0], path + name)
    if (value !== undefined) checked[name] = value
  }
  return checked
}

/**
 * The value of an option as it is used; undefined if it is not given.
 * @param {unknown} given
 * @param {Function & { isNumber?: boolean, isOptional?: boolean }} check
 * @param {string} name
 */
function valueOf (given, check, name) {
  if (given === '' && check.isOptional) return undefined
  const isDigits = check.isNumber && typeof given === 'string' && NUMBER.test(given)
  const value = isDigits ? Number(given) : given
  const expected = check(value)
  if (expected) throw new TypeError(`option "${name}" must be ${expected}`)
  return value
}

/** A check of a number, which may come as a string of digits. */
function numeric (check) {
  return Object.assign(check, { isNumber: true })
}

/** A check of a text for which `''` means that it is not given, as in an empty variable. */
function optional (check) {
  return Object.assign(v => check(v), { isOptional: true })
}

/** Whether `value` means that an option is not given. */
function isAbsent (value) {
  return value === undefined || value === null
}

function isNoObject (value) {
  return value === null || typeof value !== 'object' || Array.isArray(value)
}

const NUMBER = /^\s*-?\d+(?:\.\d+)?\s*$/

module.exports = { check, isAbsent, isNoObject, numeric, optional, valueOf }
