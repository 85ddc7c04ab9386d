'use strict'

/*
 * Rows of the bitmap commands. See index.js for what a row is. Bitfield offsets are integers, or
 * text such as `#2`: the second field of that width.
 */

const { fail, isGiven } = require('../arguments')

module.exports = [
  {
    name: 'bitCount',
    args (w, key, range) {
      w.key(key, 'key')
      const o = w.options(range, 'range', RANGE_OPTIONS)
      if (o === undefined) return
      w.int(o.start, 'range.start')
      w.int(o.end, 'range.end')
      if (isGiven(o.mode)) w.oneOf(o.mode, 'range.mode', UNITS)
    },
    ts: '(key: RedisArgument, range?: BitCountRange): Promise<number>'
  },
  {
    name: 'bitField',
    args (w, key, operations) {
      w.key(key, 'key')
      for (const operation of list(operations)) subcommand(w, operation)
    },
    ts: '(key: RedisArgument, operations: BitFieldOperation[]): Promise<(number | null)[]>'
  },
  {
    name: 'bitFieldRo',
    upper: 'BITFIELD_RO',
    args (w, key, operations) {
      w.key(key, 'key')
      for (const operation of list(operations)) {
        w.token('GET')
        field(w, operation)
      }
    },
    ts: '(key: RedisArgument, operations: BitFieldRoOperation[]): Promise<number[]>'
  },
  {
    name: 'bitOp',
    args (w, operation, destKey, key) {
      w.oneOf(operation, 'operation', OPERATIONS)
      w.key(destKey, 'destKey')
      w.keys(key, 'key')
    },
    ts: '(operation: BitOperation, destKey: RedisArgument, key: RedisVariadicArgument): ' +
      'Promise<number>'
  },
  {
    name: 'bitPos',
    args (w, key, bit, start, end, mode) {
      w.key(key, 'key')
      w.int(bit, 'bit')
      if (start !== undefined) w.int(start, 'start')
      if (end !== undefined) w.int(end, 'end')
      if (isGiven(mode)) w.oneOf(mode, 'mode', UNITS)
    },
    ts: "(key: RedisArgument, bit: 0 | 1, start?: RedisInteger, end?: RedisInteger, " +
      "mode?: 'BYTE' | 'BIT'): Promise<number>"
  },
  {
    name: 'getBit',
    args (w, key, offset) {
      w.key(key, 'key')
      w.int(offset, 'offset')
    },
    ts: '(key: RedisArgument, offset: RedisInteger): Promise<number>'
  },
  {
    name: 'setBit',
    args (w, key, offset, value) {
      w.key(key, 'key')
      w.int(offset, 'offset')
      w.int(value, 'value')
    },
    ts: '(key: RedisArgument, offset: RedisInteger, value: 0 | 1): Promise<number>'
  }
]

function list (operations) {
  if (!Array.isArray(operations)) fail('operations', 'an array', operations)
  return operations
}

/** One operation of BITFIELD. */
function subcommand (w, o) {
  w.oneOf(o?.operation, 'operations: operation', ['GET', 'SET', 'INCRBY', 'OVERFLOW'])
  switch (o.operation.toUpperCase()) {
    case 'GET':
      return field(w, o)
    case 'SET':
      field(w, o)
      return w.int(o.value, 'operations: value')
    case 'INCRBY':
      field(w, o)
      return w.int(o.increment, 'operations: increment')
    default:
      return w.oneOf(o.behavior, 'operations: behavior', ['WRAP', 'SAT', 'FAIL'])
  }
}

/** `u8 #2`: the width and the place of a field. */
function field (w, o) {
  w.arg(o?.encoding, 'operations: encoding')
  if (typeof o.offset === 'string') w.arg(o.offset, 'operations: offset')
  else w.int(o.offset, 'operations: offset')
}

const OPERATIONS = ['AND', 'OR', 'XOR', 'NOT', 'DIFF', 'DIFF1', 'ANDOR', 'ONE']
const RANGE_OPTIONS = new Set(['start', 'end', 'mode'])
const UNITS = ['BYTE', 'BIT']
