'use strict'

/*
 * Rows of the vector-set commands. See index.js for what a row is. Yes and no are booleans, and
 * scores and coordinates numbers, in both protocols.
 */

const { fail, isGiven, isOptions, isText } = require('../arguments')
const { misshapen } = require('../errors')
const { put } = require('../fields')
const { key, suffixed } = require('./forms')
const { double, doubles, map } = require('./replies')
const { list, text, tuple, yes } = require('./shapes')

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  VADD: doc('Adds an element with its vector to a vector set, or changes its vector.', 'O(log(N))'),
  VCARD: doc('Returns the number of elements of a vector set.', 'O(1)'),
  VDIM: doc('Returns the number of dimensions of the vectors of a vector set.', 'O(1)'),
  VEMB: doc("Returns an element's vector, about as it was added.", 'O(1)'),
  VGETATTR: doc("Returns an element's attributes, parsed from JSON.", 'O(1)'),
  VINFO: doc('Tells about a vector set: its size, dimensions, quantization and graph.', 'O(1)'),
  VLINKS: doc("Returns an element's neighbours in each layer of the graph.", 'O(1)'),
  VRANDMEMBER: doc('Returns a random element of a vector set, or several; a negative count ' +
    'allows repeats.', 'O(N) where N is the count.'),
  VRANGE: doc('Returns elements of a vector set in the order of their names.',
    'O(log(K)+M) where K is the number of elements and M how many are returned.', '8.4.0'),
  VREM: doc('Removes an element from a vector set.', 'O(log(N))'),
  VSETATTR: doc("Sets an element's attributes, as JSON; the empty string removes them.", 'O(1)'),
  VSIM: doc('Returns the elements that are most similar to a vector or an element.', 'O(log(N))')
}

const rows = [
  {
    name: 'vAdd',
    args (w, key, vector, element, options) {
      w.key(key, 'key')
      const o = w.options(options, 'options', VADD_OPTIONS)
      number(w, o, 'REDUCE')
      values(w, vector, 'vector')
      w.arg(element, 'element')
      if (o?.CAS) w.token('CAS')
      if (isGiven(o?.QUANT)) w.oneOf(o.QUANT, 'options.QUANT', ['NOQUANT', 'BIN', 'Q8'])
      number(w, o, 'EF')
      if (isGiven(o?.SETATTR)) {
        w.token('SETATTR')
        json(w, o.SETATTR, 'options.SETATTR')
      }
      number(w, o, 'M')
    },
    reply: yes,
    ts: '(key: RedisArgument, vector: RedisDouble[], element: RedisArgument, ' +
      'options?: VAddOptions): Promise<boolean>'
  },
  { name: 'vCard', args: key, ts: '(key: RedisArgument): Promise<number>' },
  { name: 'vDim', args: key, ts: '(key: RedisArgument): Promise<number>' },
  {
    name: 'vEmb',
    args: keyElement,
    reply: (reply, mapping) => reply === null ? null : doubles(reply, mapping),
    ts: '(key: RedisArgument, element: RedisArgument): Promise<number[] | null>'
  },
  {
    name: 'vEmbRaw',
    upper: 'VEMB_RAW',
    command: ['VEMB'],
    args: suffixed(keyElement, 'RAW'),
    reply: raw,
    about: 'Returns the vector as it is stored; a view that maps BLOB_STRING to Buffer gets the ' +
      'bytes unharmed.',
    ts: '(key: RedisArgument, element: RedisArgument): Promise<VEmbRawReply<T> | null>'
  },
  {
    name: 'vGetAttr',
    args: keyElement,
    reply: attributes,
    ts: '(key: RedisArgument, element: RedisArgument): Promise<unknown>'
  },
  {
    name: 'vInfo',
    args: key,
    reply: (reply, mapping) => reply === null ? null : map(reply, mapping),
    ts: '(key: RedisArgument): Promise<VInfoReply | null>'
  },
  {
    name: 'vLinks',
    args: keyElement,
    ts: '(key: RedisArgument, element: RedisArgument): Promise<T[][] | null>'
  },
  {
    name: 'vLinksWithScores',
    upper: 'VLINKS_WITHSCORES',
    command: ['VLINKS'],
    args: suffixed(keyElement, 'WITHSCORES'),
    reply: (reply, mapping) => (
      reply === null ? null : list(reply).map(layer => scores(layer, mapping))
    ),
    about: 'Returns how similar each is as well.',
    ts: '(key: RedisArgument, element: RedisArgument): Promise<Record<string, number>[] | null>'
  },
  {
    name: 'vRandMember',
    args (w, key, count) {
      w.key(key, 'key')
      if (count !== undefined) w.int(count, 'count')
    },
    ts: [
      '(key: RedisArgument): Promise<T | null>',
      '(key: RedisArgument, count: RedisInteger): Promise<T[]>'
    ]
  },
  {
    name: 'vRange',
    args (w, key, start, end, count) {
      w.key(key, 'key')
      w.arg(start, 'start')
      w.arg(end, 'end')
      if (count !== undefined) w.int(count, 'count')
    },
    ts: '(key: RedisArgument, start: RedisArgument, end: RedisArgument, count?: RedisInteger): ' +
      'Promise<T[]>'
  },
  {
    name: 'vRem',
    args: keyElement,
    reply: yes,
    ts: '(key: RedisArgument, element: RedisArgument): Promise<boolean>'
  },
  {
    name: 'vSetAttr',
    args (w, key, element, attributes) {
      keyElement(w, key, element)
      if (isText(attributes)) w.arg(attributes, 'attributes')
      else json(w, attributes, 'attributes')
    },
    reply: yes,
    ts: '(key: RedisArgument, element: RedisArgument, ' +
      'attributes: RedisArgument | Record<string, unknown>): Promise<boolean>'
  },
  {
    name: 'vSim',
    args: similar,
    ts: '(key: RedisArgument, query: RedisArgument | RedisDouble[], options?: VSimOptions): ' +
      'Promise<T[]>'
  },
  {
    name: 'vSimWithScores',
    upper: 'VSIM_WITHSCORES',
    command: ['VSIM'],
    args: suffixed(similar, 'WITHSCORES'),
    reply: scores,
    about: 'Returns how similar each is as well.',
    ts: '(key: RedisArgument, query: RedisArgument | RedisDouble[], options?: VSimOptions): ' +
      'Promise<Record<string, number>>'
  }
]

function doc (summary, complexity, since = '8.0.0') {
  return { summary, complexity, since }
}

function keyElement (w, key, element) {
  w.key(key, 'key')
  w.arg(element, 'element')
}

/** (key, query, options), where the query is an element or a vector. */
function similar (w, key, query, options) {
  w.key(key, 'key')
  if (isText(query)) {
    w.token('ELE')
    w.arg(query, 'query')
  } else {
    values(w, query, 'query')
  }
  const o = w.options(options, 'options', VSIM_OPTIONS)
  number(w, o, 'COUNT')
  if (isGiven(o?.EPSILON)) {
    w.token('EPSILON')
    w.float(o.EPSILON, 'options.EPSILON')
  }
  number(w, o, 'EF')
  if (isGiven(o?.FILTER)) {
    w.token('FILTER')
    w.arg(o.FILTER, 'options.FILTER')
  }
  number(w, o, 'FILTER-EF')
  if (o?.TRUTH) w.token('TRUTH')
  if (o?.NOTHREAD) w.token('NOTHREAD')
}

/** Writes an option that is an integer, if the caller gave it. */
function number (w, o, option) {
  if (!isGiven(o?.[option])) return
  w.token(option)
  w.int(o[option], `options.${option}`)
}

/** `VALUES 2 0.5 1` */
function values (w, vector, name) {
  if (!Array.isArray(vector)) fail(name, 'an array of numbers', vector)
  if (vector.length === 0) fail(name, 'a non-empty array', vector)
  w.token('VALUES')
  w.int(vector.length, name)
  for (let i = 0; i < vector.length; i++) w.float(vector[i], `${name}[${i}]`)
}

function json (w, v, name) {
  if (!isOptions(v)) fail(name, 'an object', v)
  w.arg(JSON.stringify(v), name)
}

function scores (reply, mapping) {
  return map(reply, mapping, (element, score) => double(score, mapping))
}

/** Only Q8 has a scale, so the server sends it for no other quantization. */
function raw (reply, mapping) {
  if (reply === null) return null
  const [quantization, raw, l2Norm, quantizationRange] = tuple(reply, 3)
  const made = { quantization, raw, l2Norm: double(l2Norm, mapping) }
  if (quantizationRange !== undefined) {
    put(made, 'quantizationRange', double(quantizationRange, mapping))
  }
  return made
}

function attributes (reply) {
  if (reply === null) return null
  const json = text(reply)
  try {
    return JSON.parse(json)
  } catch {
    // The message of JSON.parse would show the value.
    throw misshapen(': the attributes of this element are not valid JSON')
  }
}

const VADD_OPTIONS = new Set(['REDUCE', 'CAS', 'QUANT', 'EF', 'SETATTR', 'M'])
const VSIM_OPTIONS = new Set(['COUNT', 'EPSILON', 'EF', 'FILTER', 'FILTER-EF', 'TRUTH', 'NOTHREAD'])

module.exports = rows.map(row => (
  { ...row, docs: DOCS[row.command?.[0] ?? row.name.toUpperCase()] }
))
