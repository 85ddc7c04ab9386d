'use strict'

/*
 * Rows of the commands about a stream and its entries. Reading is in stream-reads.js, consumer
 * groups are in stream-groups.js. See index.js for what a row is.
 */

const { fail, isGiven, isText } = require('../arguments')
const { key } = require('./forms')
const { map, message } = require('./replies')

module.exports = [
  {
    name: 'xAdd',
    args: add(),
    ts: '(key: RedisArgument, id: RedisArgument, message: Record<string, RedisArgument>, ' +
      'options?: XAddOptions): Promise<T>'
  },
  {
    name: 'xAddNoMkStream',
    upper: 'XADD_NOMKSTREAM',
    command: ['XADD'],
    args: add('NOMKSTREAM'),
    about: 'Adds nothing, and returns null, when there is no such stream.',
    ts: '(key: RedisArgument, id: RedisArgument, message: Record<string, RedisArgument>, ' +
      'options?: XAddOptions): Promise<T | null>'
  },
  {
    name: 'xCfgSet',
    args (w, key, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', XCFGSET_OPTIONS)
      if (isGiven(o?.IDMP_DURATION)) {
        w.token('IDMP-DURATION')
        w.int(o.IDMP_DURATION, 'options.IDMP_DURATION')
      }
      if (isGiven(o?.IDMP_MAXSIZE)) {
        w.token('IDMP-MAXSIZE')
        w.int(o.IDMP_MAXSIZE, 'options.IDMP_MAXSIZE')
      }
    },
    ts: "(key: RedisArgument, options?: XCfgSetOptions): Promise<'OK'>",
    docs: {
      summary: 'Sets for how long, and for how many, a stream remembers idempotent ids.',
      complexity: 'O(1)'
    }
  },
  {
    name: 'xDel',
    args (w, key, id) {
      w.key(key, 'key')
      w.args(id, 'id')
    },
    ts: '(key: RedisArgument, id: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'xDelEx',
    args (w, key, id, policy) {
      w.key(key, 'key')
      if (isGiven(policy)) w.oneOf(policy, 'policy', POLICIES)
      w.token('IDS')
      w.argsCounted(id, 'id')
    },
    ts: '(key: RedisArgument, id: RedisVariadicArgument, policy?: StreamDeletionPolicy): ' +
      'Promise<StreamDeletionReplyCode[]>'
  },
  {
    name: 'xInfoStream',
    upper: 'XINFO_STREAM',
    command: ['XINFO', 'STREAM'],
    args: key,
    reply: (reply, mapping) => map(reply, mapping, (name, value) => (
      name === 'first-entry' || name === 'last-entry' ? message(value, mapping) : value
    )),
    ts: '(key: RedisArgument): Promise<XInfoStreamReply<T>>'
  },
  { name: 'xLen', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'xSetId',
    args (w, key, lastId, options) {
      w.key(key, 'key')
      w.arg(lastId, 'lastId')
      const o = w.options(options, 'options', XSETID_OPTIONS)
      if (isGiven(o?.ENTRIESADDED)) {
        w.token('ENTRIESADDED')
        w.int(o.ENTRIESADDED, 'options.ENTRIESADDED')
      }
      if (isGiven(o?.MAXDELETEDID)) {
        w.token('MAXDELETEDID')
        w.arg(o.MAXDELETEDID, 'options.MAXDELETEDID')
      }
    },
    ts: "(key: RedisArgument, lastId: RedisArgument, options?: XSetIdOptions): Promise<'OK'>"
  },
  {
    name: 'xTrim',
    args (w, key, strategy, threshold, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', XTRIM_OPTIONS)
      w.oneOf(strategy, 'strategy', STRATEGIES)
      if (isGiven(o?.strategyModifier)) {
        w.oneOf(o.strategyModifier, 'options.strategyModifier', MODIFIERS)
      }
      trimAt(w, threshold, 'threshold')
      // Without `~` the server would refuse it: an exact trim has no limit.
      if (o?.strategyModifier === '~' && isGiven(o.LIMIT)) {
        w.token('LIMIT')
        w.int(o.LIMIT, 'options.LIMIT')
      }
      if (isGiven(o?.policy)) w.oneOf(o.policy, 'options.policy', POLICIES)
    },
    ts: "(key: RedisArgument, strategy: 'MAXLEN' | 'MINID', " +
      'threshold: RedisInteger | RedisArgument, options?: XTrimOptions): Promise<number>'
  }
]

/** (key, id, message, options) */
function add (word) {
  return function (w, key, id, message, options) {
    w.key(key, 'key')
    if (word !== undefined) w.token(word)
    const o = w.options(options, 'options', XADD_OPTIONS)
    if (o !== undefined) addOptions(w, o)
    w.arg(id, 'id')
    fieldValues(w, message)
  }
}

function addOptions (w, o) {
  if (isGiven(o.policy)) w.oneOf(o.policy, 'options.policy', POLICIES)
  if (isGiven(o.IDMPAUTO)) {
    w.token('IDMPAUTO')
    w.arg(o.IDMPAUTO.pid, 'options.IDMPAUTO.pid')
  } else if (isGiven(o.IDMP)) {
    w.token('IDMP')
    w.arg(o.IDMP.pid, 'options.IDMP.pid')
    w.arg(o.IDMP.iid, 'options.IDMP.iid')
  }
  const trim = w.options(isGiven(o.TRIM) ? o.TRIM : undefined, 'options.TRIM', TRIM_OPTIONS)
  if (trim === undefined) return
  w.oneOf(trim.strategy, 'options.TRIM.strategy', STRATEGIES)
  if (isGiven(trim.strategyModifier)) {
    w.oneOf(trim.strategyModifier, 'options.TRIM.strategyModifier', MODIFIERS)
  }
  trimAt(w, trim.threshold, 'options.TRIM.threshold')
  if (isGiven(trim.limit)) {
    w.token('LIMIT')
    w.int(trim.limit, 'options.TRIM.limit')
  }
  if (isGiven(trim.policy)) w.oneOf(trim.policy, 'options.TRIM.policy', POLICIES)
}

/** A length, or an id as text. */
function trimAt (w, v, name) {
  if (isText(v)) w.arg(v, name)
  else w.int(v, name)
}

function fieldValues (w, message) {
  if (message === null || typeof message !== 'object' || Array.isArray(message) ||
    isText(message) || message instanceof Map) {
    fail('message', 'an object of fields', message)
  }
  const fields = Object.keys(message)
  if (fields.length === 0) throw new TypeError('argument "message" must have at least one field')
  for (const field of fields) {
    w.arg(field, 'message: field')
    w.arg(message[field], 'message: value')
  }
}

const MODIFIERS = ['=', '~']
const POLICIES = ['KEEPREF', 'DELREF', 'ACKED']
const STRATEGIES = ['MAXLEN', 'MINID']
const TRIM_OPTIONS = new Set(['strategy', 'strategyModifier', 'threshold', 'limit', 'policy'])
const XADD_OPTIONS = new Set(['policy', 'IDMPAUTO', 'IDMP', 'TRIM'])
const XCFGSET_OPTIONS = new Set(['IDMP_DURATION', 'IDMP_MAXSIZE'])
const XSETID_OPTIONS = new Set(['ENTRIESADDED', 'MAXDELETEDID'])
const XTRIM_OPTIONS = new Set(['strategyModifier', 'LIMIT', 'policy'])
