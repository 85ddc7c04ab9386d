'use strict'

/*
 * Rows of the script commands. See index.js for what a row is. What a script returns is handed
 * over as the server sent it: its RESP2 and RESP3 forms may differ.
 */

const { isGiven } = require('../arguments')
const { evaluate, none } = require('./forms')

module.exports = [
  {
    name: 'eval',
    args: evaluate('script'),
    ts: '(script: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'evalRo',
    upper: 'EVAL_RO',
    args: evaluate('script'),
    ts: '(script: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'evalSha',
    args: evaluate('sha1'),
    ts: '(sha1: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'evalShaRo',
    upper: 'EVALSHA_RO',
    args: evaluate('sha1'),
    ts: '(sha1: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'scriptExists',
    upper: 'SCRIPT_EXISTS',
    command: ['SCRIPT', 'EXISTS'],
    args (w, sha1) {
      w.args(sha1, 'sha1')
    },
    ts: '(sha1: RedisVariadicArgument): Promise<number[]>'
  },
  {
    name: 'scriptFlush',
    upper: 'SCRIPT_FLUSH',
    command: ['SCRIPT', 'FLUSH'],
    args (w, mode) {
      if (isGiven(mode)) w.oneOf(mode, 'mode', ['ASYNC', 'SYNC'])
    },
    ts: "(mode?: 'ASYNC' | 'SYNC'): Promise<'OK'>"
  },
  {
    name: 'scriptKill',
    upper: 'SCRIPT_KILL',
    command: ['SCRIPT', 'KILL'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'scriptLoad',
    upper: 'SCRIPT_LOAD',
    command: ['SCRIPT', 'LOAD'],
    args (w, script) {
      w.arg(script, 'script')
    },
    ts: '(script: RedisArgument): Promise<T>'
  }
]
