'use strict'

/*
 * Scans as streams of arrays, some of which are empty. `close()` ends one early.
 */

const { Readable } = require('node:stream')

class ScanStream extends Readable {
  /**
   * @param {{ redis: object, command: string, key?: string | Buffer, match?: string, type?: string,
   *   count?: number | string, noValues?: boolean, objectMode?: boolean }} opt
   */
  constructor (opt) {
    super(opt)
    this.opt = opt
    this._redisCursor = '0'
    this._redisDrained = false
  }

  _read () {
    if (this._redisDrained) return this.push(null)
    const { key, match, type, count, noValues, redis, command } = this.opt
    const args = key ? [key, this._redisCursor] : [this._redisCursor]
    if (match) args.push('MATCH', match)
    if (type) args.push('TYPE', type)
    if (count) args.push('COUNT', String(count))
    if (noValues) args.push('NOVALUES')
    redis[command](args, (error, reply) => {
      if (error) return this.destroy(error)
      const [cursor, elements] = reply
      this._redisCursor = String(cursor)
      this._redisDrained ||= this._redisCursor === '0'
      this.push(elements)
    })
  }

  /** Asks the server for nothing more. */
  close () {
    this._redisDrained = true
  }
}

module.exports = { ScanStream }
