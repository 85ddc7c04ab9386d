'use strict'

// What the calls of calls.js find on a server: the keys `k`, `{k}1`, `{k}2`, `a` and `b`.

const DATA = {
  string: ['SET k 10', 'SET {k}1 ohmytext', 'SET {k}2 mynewtext', 'SET a 1', 'SET b 2'],
  hash: ['HSET k f 5 g 1.5 h text', 'HSET {k}1 f 1'],
  list: ['RPUSH k 3 1 2 1', 'RPUSH {k}1 a b c', 'RPUSH {k}2 d e', 'SET w_1 5', 'SET o_1 one'],
  set: ['SADD k a b c d', 'SADD {k}1 a b m', 'SADD {k}2 b c'],
  'sorted-set': ['ZADD k 1 a 2.5 m -inf low inf high', 'ZADD {k}1 1 a 2 b', 'ZADD {k}2 3 b 4 c',
    'ZADD {k}s 1 x 2 y'],
  stream: ['XADD k 1-1 f v g w', 'XADD k 2-1 f v', 'XADD k 3-1 __f 1', 'XGROUP CREATE k g 0',
    'XREADGROUP GROUP g c COUNT 2 STREAMS k >', 'XADD {k}1 5-1 f v', 'XGROUP CREATE {k}1 g $',
    'XADD empty 1-1 f v', 'XDEL empty 1-1'],
  geo: ['GEOADD k 12.5 41.9 rome 14.27 40.85 naples 9.19 45.46 milan'],
  // The parts of a command are what stands between its spaces: so there is none in the code.
  scripting: ['SET k 10', 'FUNCTION LOAD #!lua\tname=lib\nredis.register_function{' +
    'function_name="f",callback=function(keys,args)return{keys,args}end,flags={"no-writes"}}'],
  module: ['VADD k VALUES 2 1 0 a SETATTR {"year":1980}', 'VADD k VALUES 2 0 1 b',
    'VADD k VALUES 2 0.5 0.5 c'],
  hyperloglog: ['PFADD k a b', 'PFADD {k}1 a b c', 'PFADD {k}2 c d']
}

/** The keys that hold data of a wrong type, when that is asked for. */
const KEYS = ['k', '{k}1', '{k}2', '{k}s', 'a', 'b', 'empty']

/** Groups whose commands take strings, or any type. */
const OF_STRINGS = new Set(['string', 'bitmap', 'hyperloglog', 'generic', 'scripting', 'pubsub'])

/**
 * The commands that make room, those that lay the data for a method of this group, and those that
 * lay data of another type.
 * @param {string | undefined} group as in commands/redis.json
 * @param {string} method
 */
function dataFor (group, method) {
  const data = method.startsWith('sort') ? DATA.list : DATA[group] ?? DATA.string
  const clean = [['FLUSHALL']]
  if (group === 'scripting') clean.push(['FUNCTION', 'FLUSH'])
  if (group === 'server') clean.push(['ACL', 'DELUSER', 'u'])
  return {
    clean,
    lay: data.map(command => command.split(' ')),
    other: KEYS.map(key => OF_STRINGS.has(group) ? ['RPUSH', key, 'x', 'y'] : ['SET', key, 'text'])
  }
}

/** A server without vector sets has nothing to lay: all clients then get its refusal. */
function ignoreNoVectorSets (error) {
  const errors = error.errorIndexes?.map(index => error.replies[index]) ?? [error]
  if (!errors.every(inner => /unknown command 'VADD'/.test(inner.message))) throw error
}

module.exports = { dataFor, ignoreNoVectorSets }
