'use strict'

/*
 * Rows of the list commands. See index.js for what a row is.
 */

const { isGiven } = require('../arguments')
const { key, keyCount, keySpan, waitSeconds } = require('./forms')
const { tuple } = require('./shapes')

/* A signature that two rows share. */
const POPPED = '(key: RedisVariadicArgument, timeout: RedisDouble): ' +
  'Promise<{ key: T; element: T } | null>'

module.exports = [
  {
    name: 'blMove',
    blocks: true,
    args (w, source, destination, sourceSide, destinationSide, timeout) {
      move(w, source, destination, sourceSide, destinationSide)
      waitSeconds(w, timeout, 'timeout')
    },
    ts: '(source: RedisArgument, destination: RedisArgument, sourceSide: ListSide, ' +
      'destinationSide: ListSide, timeout: RedisDouble): Promise<T | null>'
  },
  {
    name: 'blMoveM',
    blocks: true,
    args (w, source, destination, sourceSide, destinationSide, timeout, options) {
      move(w, source, destination, sourceSide, destinationSide)
      waitSeconds(w, timeout, 'timeout')
      moveOptions(w, options)
    },
    ts: '(source: RedisArgument, destination: RedisArgument, sourceSide: ListSide, ' +
      'destinationSide: ListSide, timeout: RedisDouble, options?: LMoveMOptions): ' +
      'Promise<T[] | null>',
    docs: {
      summary: 'Moves several elements from one end of a list to an end of another. Waits until ' +
        'there are some.',
      complexity: 'O(N) where N is the number of elements moved.'
    }
  },
  {
    name: 'blmPop',
    blocks: true,
    args (w, timeout, keys, side, options) {
      waitSeconds(w, timeout, 'timeout')
      popSeveral(w, keys, side, options)
    },
    ts: '(timeout: RedisDouble, keys: RedisVariadicArgument, side: ListSide, ' +
      'options?: LMPopOptions): Promise<[key: T, elements: T[]] | null>'
  },
  { name: 'blPop', blocks: true, args: keysWait, reply: popped, ts: POPPED },
  { name: 'brPop', blocks: true, args: keysWait, reply: popped, ts: POPPED },
  {
    name: 'brPopLPush',
    blocks: true,
    args (w, source, destination, timeout) {
      w.key(source, 'source')
      w.key(destination, 'destination')
      waitSeconds(w, timeout, 'timeout')
    },
    ts: '(source: RedisArgument, destination: RedisArgument, timeout: RedisDouble): ' +
      'Promise<T | null>'
  },
  {
    name: 'lIndex',
    args (w, key, index) {
      w.key(key, 'key')
      w.int(index, 'index')
    },
    ts: '(key: RedisArgument, index: RedisInteger): Promise<T | null>'
  },
  {
    name: 'lInsert',
    args (w, key, position, pivot, element) {
      w.key(key, 'key')
      w.oneOf(position, 'position', ['BEFORE', 'AFTER'])
      w.arg(pivot, 'pivot')
      w.arg(element, 'element')
    },
    ts: "(key: RedisArgument, position: 'BEFORE' | 'AFTER', pivot: RedisArgument, " +
      'element: RedisArgument): Promise<number>'
  },
  { name: 'lLen', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'lMove',
    args: move,
    ts: '(source: RedisArgument, destination: RedisArgument, sourceSide: ListSide, ' +
      'destinationSide: ListSide): Promise<T | null>'
  },
  {
    name: 'lMoveM',
    args (w, source, destination, sourceSide, destinationSide, options) {
      move(w, source, destination, sourceSide, destinationSide)
      moveOptions(w, options)
    },
    ts: '(source: RedisArgument, destination: RedisArgument, sourceSide: ListSide, ' +
      'destinationSide: ListSide, options?: LMoveMOptions): Promise<T[] | null>',
    docs: {
      summary: 'Moves several elements from one end of a list to an end of another.',
      complexity: 'O(N) where N is the number of elements moved.'
    }
  },
  {
    name: 'lmPop',
    args: popSeveral,
    ts: '(keys: RedisVariadicArgument, side: ListSide, options?: LMPopOptions): ' +
      'Promise<[key: T, elements: T[]] | null>'
  },
  { name: 'lPop', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'lPopCount',
    upper: 'LPOP_COUNT',
    command: ['LPOP'],
    args: keyCount,
    about: 'Pops up to `count` elements.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[] | null>'
  },
  {
    name: 'lPos',
    args: position,
    ts: '(key: RedisArgument, element: RedisArgument, options?: LPosOptions): ' +
      'Promise<number | null>'
  },
  {
    name: 'lPosCount',
    upper: 'LPOS_COUNT',
    command: ['LPOS'],
    args (w, key, element, count, options) {
      position(w, key, element, options)
      w.token('COUNT')
      w.int(count, 'count')
    },
    about: 'Returns up to `count` indexes; 0 means all.',
    ts: '(key: RedisArgument, element: RedisArgument, count: RedisInteger, ' +
      'options?: LPosOptions): Promise<number[]>'
  },
  {
    name: 'lPush',
    args: keyElements,
    ts: '(key: RedisArgument, elements: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'lPushX',
    args: keyElements,
    ts: '(key: RedisArgument, elements: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'lRange',
    args: keySpan,
    ts: '(key: RedisArgument, start: RedisInteger, stop: RedisInteger): Promise<T[]>'
  },
  {
    name: 'lRem',
    args (w, key, count, element) {
      keyCount(w, key, count)
      w.arg(element, 'element')
    },
    ts: '(key: RedisArgument, count: RedisInteger, element: RedisArgument): Promise<number>'
  },
  {
    name: 'lSet',
    args (w, key, index, element) {
      w.key(key, 'key')
      w.int(index, 'index')
      w.arg(element, 'element')
    },
    ts: "(key: RedisArgument, index: RedisInteger, element: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'lTrim',
    args: keySpan,
    ts: "(key: RedisArgument, start: RedisInteger, stop: RedisInteger): Promise<'OK'>"
  },
  { name: 'rPop', args: key, ts: '(key: RedisArgument): Promise<T | null>' },
  {
    name: 'rPopCount',
    upper: 'RPOP_COUNT',
    command: ['RPOP'],
    args: keyCount,
    about: 'Pops up to `count` elements.',
    ts: '(key: RedisArgument, count: RedisInteger): Promise<T[] | null>'
  },
  {
    name: 'rPopLPush',
    args (w, source, destination) {
      w.key(source, 'source')
      w.key(destination, 'destination')
    },
    ts: '(source: RedisArgument, destination: RedisArgument): Promise<T | null>'
  },
  {
    name: 'rPush',
    args: keyElements,
    ts: '(key: RedisArgument, elements: RedisVariadicArgument): Promise<number>'
  },
  {
    name: 'rPushX',
    args: keyElements,
    ts: '(key: RedisArgument, elements: RedisVariadicArgument): Promise<number>'
  }
]

function keyElements (w, key, elements) {
  w.key(key, 'key')
  w.args(elements, 'elements')
}

function move (w, source, destination, sourceSide, destinationSide) {
  w.key(source, 'source')
  w.key(destination, 'destination')
  w.oneOf(sourceSide, 'sourceSide', SIDES)
  w.oneOf(destinationSide, 'destinationSide', SIDES)
}

function moveOptions (w, options) {
  const o = w.options(options, 'options', LMOVEM_OPTIONS)
  if (o === undefined) return
  const exactly = isGiven(o.EXACTLY)
  w.token(exactly ? 'EXACTLY' : 'COUNT')
  w.int(exactly ? o.EXACTLY : o.COUNT, exactly ? 'options.EXACTLY' : 'options.COUNT')
  w.oneOf(o.ORDER, 'options.ORDER', ['OBO', 'BULK'])
}

/** (keys, side, options) */
function popSeveral (w, keys, side, options) {
  w.keysCounted(keys, 'keys')
  w.oneOf(side, 'side', SIDES)
  const o = w.options(options, 'options', LMPOP_OPTIONS)
  if (!isGiven(o?.COUNT)) return
  w.token('COUNT')
  w.int(o.COUNT, 'options.COUNT')
}

/** (key or keys, timeout) */
function keysWait (w, key, timeout) {
  w.keys(key, 'key')
  waitSeconds(w, timeout, 'timeout')
}

/** The list that an element came from, and the element. */
function popped (reply) {
  if (reply === null) return null
  const [key, element] = tuple(reply, 2)
  return { key, element }
}

function position (w, key, element, options) {
  w.key(key, 'key')
  w.arg(element, 'element')
  const o = w.options(options, 'options', LPOS_OPTIONS)
  if (o === undefined) return
  if (isGiven(o.RANK)) {
    w.token('RANK')
    w.int(o.RANK, 'options.RANK')
  }
  if (isGiven(o.MAXLEN)) {
    w.token('MAXLEN')
    w.int(o.MAXLEN, 'options.MAXLEN')
  }
}

const SIDES = ['LEFT', 'RIGHT']
const LMOVEM_OPTIONS = new Set(['COUNT', 'EXACTLY', 'ORDER'])
const LMPOP_OPTIONS = new Set(['COUNT'])
const LPOS_OPTIONS = new Set(['RANK', 'MAXLEN'])
