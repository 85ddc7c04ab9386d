'use strict'

/*
 * Options that oxidis does not know.
 *
 * Libraries hand their own options through to the client, so an unknown option is ignored. One
 * warning of the process names it and the nearest known one, because it may be misspelt. With
 * `strictOptions: true` it is a TypeError. No text shows a value.
 */

/** The unknown options that one call was given. */
class Unknown {
  #found = []
  #isStrict

  constructor (isStrict) {
    this.#isStrict = isStrict
  }

  /**
   * Notes option `path + name`, which is none of `known`. Throws if options are strict.
   * @param {string} path what stands in front of the name, such as `socket.`
   * @param {string} name
   * @param {Iterable<string>} known the names that were possible here
   */
  note (path, name, known) {
    if (this.#isStrict) throw new TypeError(`option "${path}${name}" is unknown`)
    this.#found.push([path + name, nearest(path, name, known)])
  }

  /** Warns of those that no warning has named before. */
  tell () {
    const news = this.#found.filter(([name]) => isNews(name))
    if (news.length === 0) return
    const names = news.map(([name, meant]) =>
      `"${name}"${meant === undefined ? '' : ` (the nearest known one is "${meant}")`}`)
    warn(`unknown options are ignored: ${names.join(', ')}. ` +
      'The option strictOptions: true makes them errors')
  }
}

/**
 * Warns that `option` in argument `name` of a command is none of `known`, once for each command.
 * @param {string} name
 * @param {string} option
 * @param {Set<string>} known the options that the command has; one object for each command
 */
function ignoreInCommand (name, option, known) {
  let told = toldOf.get(known)
  if (told === undefined) toldOf.set(known, told = new Set())
  if (told.has(option) || told.size >= MOST_TOLD) return
  told.add(option)
  const meant = closest(option, known)
  warn(`an unknown option of a command is ignored: "${option}" in argument "${name}", which ` +
    `takes ${[...known].join(', ')}${meant === undefined ? '' : ` (the nearest is "${meant}")`}. ` +
    'The client\'s option strictOptions: true makes it an error')
}

function isNews (name) {
  if (told.has(name) || told.size >= MOST_TOLD) return false
  told.add(name)
  return true
}

function warn (text) {
  process.emitWarning(text, { type: 'OxidisWarning', code: 'OXIDIS_UNKNOWN_OPTION' })
}

/** The known option that was probably meant, by its full name; undefined if none is near. */
function nearest (path, name, known) {
  const there = closest(name, known)
  if (there !== undefined) return path + there
  const elsewhere = path === '' ? closest(name, Object.keys(ELSEWHERE)) : undefined
  return elsewhere === undefined ? undefined : ELSEWHERE[elsewhere]
}

/** The one of `known` with the fewest letters to change, if that is a third of them at most. */
function closest (name, known) {
  let best
  let fewest = Math.max(1, Math.floor(name.length / 3)) + 1
  if (name.length > LONGEST) return undefined
  for (const candidate of known) {
    const changes = distance(name.toLowerCase(), candidate.toLowerCase())
    if (changes < fewest) {
      fewest = changes
      best = candidate
    }
  }
  return best
}

/** How many letters have to be added, removed, replaced or swapped to make `b` of `a`. */
function distance (a, b) {
  let before = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j], before[j - 2] + 1)
      }
    }
    before = row
    row = next
  }
  return row[b.length]
}

/** Names that other clients, or people, give to an option that stands elsewhere here. */
const ELSEWHERE = {
  host: 'socket.host',
  hostname: 'socket.host',
  port: 'socket.port',
  path: 'socket.path',
  family: 'socket.family',
  tls: 'socket.tls',
  connectTimeout: 'socket.connectTimeout',
  keepAlive: 'socket.keepAlive',
  noDelay: 'socket.noDelay',
  reconnectStrategy: 'socket.reconnectStrategy',
  retryStrategy: 'socket.reconnectStrategy',
  retry_strategy: 'socket.reconnectStrategy',
  db: 'database',
  user: 'username',
  pass: 'password',
  auth_pass: 'password',
  connectionName: 'name',
  commandTimeout: 'commandOptions.timeout',
  timeout: 'commandOptions.timeout',
  typeMapping: 'commandOptions.typeMapping',
  prefix: 'keyPrefix',
  readOnly: 'readonly',
  enableOfflineQueue: 'disableOfflineQueue',
  enable_offline_queue: 'disableOfflineQueue',
  maxRetriesPerRequest: 'commandOptions.timeout'
}

const told = new Set()
/** The options that a warning has named, by the options that a command has. */
const toldOf = new WeakMap()
/** Names may be data of the application, so the number of those that are kept has a bound. */
const MOST_TOLD = 1000
/** Longer names are not misspelt ones, and comparing takes the square of the length. */
const LONGEST = 64

module.exports = { Unknown, ignoreInCommand }
