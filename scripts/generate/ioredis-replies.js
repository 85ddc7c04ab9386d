'use strict'

/*
 * What the commands of the second face resolve to, as types. Those that are not named resolve to
 * `unknown`: their replies depend on their arguments or on the server.
 */

/** Type -> the commands. In the methods for Buffers each `string` is a Buffer. */
const REPLIES = {
  number: `append bitcount bitop bitpos copy dbsize decr decrby del exists expire expireat
    expiretime geoadd geosearchstore getbit hdel hexists hincrby hlen hset hsetnx hstrlen incr
    incrby lastsave linsert llen lpush lpushx lrem move msetnx persist pexpire pexpireat
    pexpiretime pfadd pfcount psubscribe pttl publish punsubscribe renamenx rpush rpushx sadd scard
    sdiffstore setbit setnx setrange sintercard sinterstore sismember smove spublish srem
    ssubscribe strlen subscribe sunionstore sunsubscribe touch ttl unlink unsubscribe wait xack
    xdel xlen xtrim zcard zcount zdiffstore zintercard zinterstore zlexcount zrangestore zrem
    zremrangebylex zremrangebyrank zremrangebyscore zunionstore`,
  "'OK'": `asking auth discard flushall flushdb hmset lset ltrim mset pfmerge psetex quit readonly
    readwrite rename replicaof restore save select setex slaveof swapdb unwatch watch`,
  string: `bgrewriteaof bgsave dump echo getrange hincrbyfloat incrbyfloat info lolwut ping substr
    type zincrby`,
  'string | null': `blmove brpoplpush geodist get getdel getex getset hget lindex lmove randomkey
    rpoplpush xadd zscore`,
  'string[]': `hkeys hvals keys sdiff sinter smembers sunion time zdiff zinter zpopmax zpopmin
    zrange zrangebylex zrangebyscore zrevrange zrevrangebylex zrevrangebyscore zunion lrange`,
  '(string | null)[]': 'geohash hmget mget zmscore',
  'number[]': 'smismember',
  'number | null': 'zrank zrevrank',
  'Record<string, string>': 'hgetall',
  '[cursor: string, elements: string[]]': 'scan hscan sscan zscan',
  '[key: string, element: string] | null': 'blpop brpop',
  '[key: string, member: string, score: string] | null': 'bzpopmax bzpopmin',
  '[id: string, fields: string[]][]': 'xrange xrevrange',
  '[key: string, items: [id: string, fields: string[]][]][] | null': 'xread xreadgroup',
  '[error: Error | null, result: unknown][] | null': 'exec'
}

/** Command -> its type where a second argument follows the key: a count. */
const WITH_COUNT = {
  lpop: 'string[] | null', rpop: 'string[] | null', spop: 'string[]', srandmember: 'string[]'
}

/** Those of `WITH_COUNT` without one. */
const WITHOUT_COUNT = 'string | null'

/** Command -> its type, where arguments say more: SET with GET, ZADD with INCR. */
const OTHERS = { set: "'OK' | string | null", zadd: 'number | string | null' }

/** The type of a command's reply. */
const TYPES = new Map([
  ...Object.entries(REPLIES).flatMap(([type, names]) =>
    names.split(/\s+/).map(name => [name, type])),
  ...Object.entries(OTHERS)
])

module.exports = { TYPES, WITHOUT_COUNT, WITH_COUNT }
