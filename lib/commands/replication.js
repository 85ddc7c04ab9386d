'use strict'

/*
 * Rows of the commands that wait until others have what was written before. See index.js for what
 * a row is.
 */

const { waitMilliseconds } = require('./forms')

module.exports = [
  {
    name: 'wait',
    blocks: true,
    args (w, numberOfReplicas, timeout) {
      w.int(numberOfReplicas, 'numberOfReplicas')
      waitMilliseconds(w, timeout, 'timeout')
    },
    ts: '(numberOfReplicas: RedisInteger, timeout: RedisInteger): Promise<number>'
  },
  {
    name: 'waitAof',
    blocks: true,
    args (w, numberOfLocals, numberOfReplicas, timeout) {
      w.int(numberOfLocals, 'numberOfLocals')
      w.int(numberOfReplicas, 'numberOfReplicas')
      waitMilliseconds(w, timeout, 'timeout')
    },
    ts: '(numberOfLocals: RedisInteger, numberOfReplicas: RedisInteger, ' +
      'timeout: RedisInteger): Promise<[locals: number, replicas: number]>'
  }
]
