'use strict'

/*
 * Rows of the commands that change the connection they run on, so that they make sense on one's
 * own only: sessions have them as methods. A client has the same names, and refuses them with the
 * right call (refusals.js). See index.js for what a row is.
 *
 * After any of them but SELECT, WATCH and UNWATCH the connection is closed when the session ends:
 * nothing else surely takes them back.
 */

const { databaseOf, isGiven } = require('../arguments')
const { STATE } = require('./flags')
const { none } = require('./forms')
const { laneRefusal } = require('./guards')

const rows = [
  {
    name: 'asking',
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'auth',
    args (w, credentials) {
      const o = w.options(credentials, 'credentials', CREDENTIALS)
      if (isGiven(o?.username)) w.arg(o.username, 'credentials.username')
      w.arg(o?.password, 'credentials.password')
    },
    ts: "(credentials: RedisAuthentication): Promise<'OK'>"
  },
  {
    name: 'clientCaching',
    upper: 'CLIENT_CACHING',
    command: ['CLIENT', 'CACHING'],
    args: either('YES', 'NO'),
    ts: "(value: boolean): Promise<'OK'>"
  },
  {
    name: 'clientNoEvict',
    upper: 'CLIENT_NO-EVICT',
    command: ['CLIENT', 'NO-EVICT'],
    args: either('ON', 'OFF'),
    ts: "(value: boolean): Promise<'OK'>"
  },
  {
    name: 'clientNoTouch',
    upper: 'CLIENT_NO-TOUCH',
    command: ['CLIENT', 'NO-TOUCH'],
    args: either('ON', 'OFF'),
    ts: "(value: boolean): Promise<'OK'>"
  },
  {
    name: 'clientSetName',
    upper: 'CLIENT_SETNAME',
    command: ['CLIENT', 'SETNAME'],
    args (w, name) {
      w.arg(name, 'name')
    },
    ts: "(name: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'clientTracking',
    upper: 'CLIENT_TRACKING',
    command: ['CLIENT', 'TRACKING'],
    args (w, mode, options) {
      w.token(mode ? 'ON' : 'OFF')
      const o = w.options(options, 'options', TRACKING_OPTIONS)
      if (o === undefined || !mode) return
      if (isGiven(o.REDIRECT)) {
        w.token('REDIRECT')
        w.int(o.REDIRECT, 'options.REDIRECT')
      }
      if (o.BCAST) broadcast(w, o.PREFIX)
      else if (o.OPTIN) w.token('OPTIN')
      else if (o.OPTOUT) w.token('OPTOUT')
      if (o.NOLOOP) w.token('NOLOOP')
    },
    about: 'Where they are not redirected, what the server tells of changed keys is counted in ' +
      '`stats().pushesIgnored`.',
    ts: "(mode: boolean, options?: ClientTrackingOptions): Promise<'OK'>"
  },
  {
    name: 'hello',
    args (w, protover, options) {
      if (protover === undefined && options === undefined) return
      if (protover !== 2 && protover !== 3) {
        throw new TypeError('argument "protover" must be 2 or 3')
      }
      w.int(protover, 'protover')
      const o = w.options(options, 'options', HELLO_OPTIONS)
      if (isGiven(o?.AUTH)) {
        w.token('AUTH')
        w.arg(o.AUTH.username, 'options.AUTH.username')
        w.arg(o.AUTH.password, 'options.AUTH.password')
      }
      if (isGiven(o?.SETNAME)) {
        w.token('SETNAME')
        w.arg(o.SETNAME, 'options.SETNAME')
      }
    },
    shape: 'object',
    about: 'Replies are understood in either protocol, also when it is changed here.',
    ts: '(protover?: 2 | 3, options?: HelloOptions): Promise<HelloReply<T>>'
  },
  {
    name: 'hImportDiscard',
    upper: 'HIMPORT_DISCARD',
    command: ['HIMPORT', 'DISCARD'],
    args (w, fieldset) {
      w.arg(fieldset, 'fieldset')
    },
    docs: since('Forgets one fieldset of the connection.', 'O(N) where N is its number of fields'),
    ts: '(fieldset: RedisArgument): Promise<number>'
  },
  {
    name: 'hImportDiscardAll',
    upper: 'HIMPORT_DISCARDALL',
    command: ['HIMPORT', 'DISCARDALL'],
    args: none,
    docs: since('Forgets all fieldsets of the connection.',
      'O(N) where N is the number of fieldsets'),
    ts: '(): Promise<number>'
  },
  {
    name: 'hImportPrepare',
    upper: 'HIMPORT_PREPARE',
    command: ['HIMPORT', 'PREPARE'],
    args (w, fieldset, fields) {
      w.arg(fieldset, 'fieldset')
      w.args(fields, 'fields')
    },
    docs: since('Names a list of fields, for later HIMPORT SET on the same connection.',
      'O(N*log(N)) where N is the number of fields'),
    ts: "(fieldset: RedisArgument, fields: RedisVariadicArgument): Promise<'OK'>"
  },
  {
    name: 'hImportSet',
    upper: 'HIMPORT_SET',
    command: ['HIMPORT', 'SET'],
    args (w, key, fieldset, values) {
      w.key(key, 'key')
      w.arg(fieldset, 'fieldset')
      w.args(values, 'values')
    },
    docs: since('Makes a hash of the fields of a fieldset and as many values.',
      'O(N) where N is the number of values'),
    ts: '(key: RedisArgument, fieldset: RedisArgument, values: RedisVariadicArgument): ' +
      "Promise<'OK'>"
  },
  {
    name: 'readonly',
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'readwrite',
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'scriptDebug',
    upper: 'SCRIPT_DEBUG',
    command: ['SCRIPT', 'DEBUG'],
    args (w, mode) {
      w.oneOf(mode, 'mode', ['YES', 'SYNC', 'NO'])
    },
    ts: "(mode: 'YES' | 'SYNC' | 'NO'): Promise<'OK'>"
  },
  {
    name: 'select',
    args (w, database) {
      w.int(databaseOf(database), 'database')
    },
    about: 'For this session: the next one begins in the database of the client.',
    ts: "(database: number): Promise<'OK'>"
  },
  {
    name: 'unwatch',
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'watch',
    args (w, keys) {
      w.keys(keys, 'keys')
    },
    about: 'If one of them has changed by then, the transaction fails with a `WatchError`.',
    ts: "(keys: RedisVariadicArgument): Promise<'OK'>"
  }
]

/** HELLO as a client has it: it only asks. */
const helloOfClient = {
  name: 'hello',
  args (w, protover) {
    if (protover !== undefined) throw new TypeError(laneRefusal('HELLO', STATE))
  },
  shape: 'object',
  about: 'On a client it only asks; a session can also change protocol and login.',
  ts: '(): Promise<HelloReply<T>>'
}

/** (value), a boolean. */
function either (yes, no) {
  return (w, value) => w.token(value ? yes : no)
}

function broadcast (w, prefixes) {
  w.token('BCAST')
  if (!prefixes) return
  for (const prefix of Array.isArray(prefixes) ? prefixes : [prefixes]) {
    w.token('PREFIX')
    w.arg(prefix, 'options.PREFIX')
  }
}

function since (summary, complexity) {
  return { summary, complexity, since: '8.10.0' }
}

const CREDENTIALS = new Set(['username', 'password'])
const HELLO_OPTIONS = new Set(['protover', 'AUTH', 'SETNAME'])
const TRACKING_OPTIONS =
  new Set(['REDIRECT', 'BCAST', 'PREFIX', 'OPTIN', 'OPTOUT', 'NOLOOP'])

module.exports = { helloOfClient, rows }
