'use strict'

/*
 * Rows of the count-min sketch commands. See ../commands/index.js for what a row is.
 */

const { fail, isGiven, isText } = require('../arguments')
const { key } = require('../commands/forms')
const { info, intOption, keyIncrements, keyItems } = require('./sketch-forms')

/* The summaries of the documentation, by command. COMMAND DOCS has none for modules. */
const DOCS = {
  'CMS.INCRBY': doc('Adds to the counts of items in a count-min sketch; returns the new ones.',
    'O(N) where N is the number of items.'),
  'CMS.INFO': doc('Tells the width, the depth and the total count of a count-min sketch.', 'O(1)'),
  'CMS.INITBYDIM': doc('Makes a count-min sketch of a width and a depth.', 'O(1)'),
  'CMS.INITBYPROB': doc('Makes a count-min sketch for an error and a probability of exceeding it.',
    'O(1)'),
  'CMS.MERGE': doc('Merges count-min sketches, each with a weight or all with 1, into another.',
    'O(N) where N is the number of sketches.'),
  'CMS.QUERY': doc('Returns the counts of items in a count-min sketch.',
    'O(N) where N is the number of items.')
}

const rows = [
  {
    name: 'incrBy',
    command: ['CMS.INCRBY'],
    args: keyIncrements,
    ts: '(key: RedisArgument, items: BfIncrByItem | BfIncrByItem[]): Promise<number[]>'
  },
  {
    name: 'info',
    command: ['CMS.INFO'],
    args: key,
    reply: info,
    ts: '(key: RedisArgument): Promise<CmsInfoReply>'
  },
  {
    name: 'initByDim',
    command: ['CMS.INITBYDIM'],
    args (w, key, width, depth, options) {
      w.key(key, 'key')
      w.int(width, 'width')
      w.int(depth, 'depth')
      cells(w, options)
    },
    ts: '(key: RedisArgument, width: RedisInteger, depth: RedisInteger, ' +
      "options?: CmsInitOptions): Promise<'OK'>"
  },
  {
    name: 'initByProb',
    command: ['CMS.INITBYPROB'],
    args (w, key, error, probability, options) {
      w.key(key, 'key')
      w.float(error, 'error')
      w.float(probability, 'probability')
      cells(w, options)
    },
    ts: '(key: RedisArgument, error: RedisDouble, probability: RedisDouble, ' +
      "options?: CmsInitOptions): Promise<'OK'>"
  },
  {
    name: 'merge',
    command: ['CMS.MERGE'],
    args (w, destination, source) {
      w.key(destination, 'destination')
      if (!Array.isArray(source) || source.length === 0) fail('source', 'a non-empty array', source)
      if (isText(source[0])) return w.keysCounted(source, 'source')
      w.int(source.length, 'source')
      for (let i = 0; i < source.length; i++) w.key(source[i]?.name, `source[${i}].name`)
      w.token('WEIGHTS')
      for (let i = 0; i < source.length; i++) w.int(source[i].weight, `source[${i}].weight`)
    },
    ts: "(destination: RedisArgument, source: CmsMergeSketches): Promise<'OK'>"
  },
  {
    name: 'query',
    command: ['CMS.QUERY'],
    args: keyItems,
    ts: '(key: RedisArgument, items: RedisVariadicArgument): Promise<number[]>'
  }
]

function doc (summary, complexity) {
  return { summary, complexity, since: '2.0.0' }
}

/** `CELL_SIZE n`, when given. */
function cells (w, options) {
  const o = w.options(options, 'options', INIT_OPTIONS)
  if (isGiven(o?.CELL_SIZE)) intOption(w, o, 'CELL_SIZE')
}

const INIT_OPTIONS = new Set(['CELL_SIZE'])

module.exports = rows.map(row => ({ ...row, docs: DOCS[row.command[0]] }))
