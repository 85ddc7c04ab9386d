'use strict'

/*
 * Rows of the function commands. See index.js for what a row is. What a function returns is handed
 * over as the server sent it: its RESP2 and RESP3 forms may differ.
 */

const { isGiven } = require('../arguments')
const { evaluate, none } = require('./forms')
const { map, maps } = require('./replies')
const { list } = require('./shapes')

module.exports = [
  {
    name: 'fCall',
    args: evaluate('name'),
    ts: '(name: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'fCallRo',
    upper: 'FCALL_RO',
    args: evaluate('name'),
    ts: '(name: RedisArgument, options?: EvalOptions): Promise<unknown>'
  },
  {
    name: 'functionDelete',
    upper: 'FUNCTION_DELETE',
    command: ['FUNCTION', 'DELETE'],
    args (w, library) {
      w.arg(library, 'library')
    },
    ts: "(library: RedisArgument): Promise<'OK'>"
  },
  {
    name: 'functionDump',
    upper: 'FUNCTION_DUMP',
    command: ['FUNCTION', 'DUMP'],
    args: none,
    about: 'Only a view that maps BLOB_STRING to Buffer gets the bytes unharmed.',
    ts: '(): Promise<T>'
  },
  {
    name: 'functionFlush',
    upper: 'FUNCTION_FLUSH',
    command: ['FUNCTION', 'FLUSH'],
    args (w, mode) {
      if (isGiven(mode)) w.oneOf(mode, 'mode', ['ASYNC', 'SYNC'])
    },
    ts: "(mode?: RedisFlushMode): Promise<'OK'>"
  },
  {
    name: 'functionKill',
    upper: 'FUNCTION_KILL',
    command: ['FUNCTION', 'KILL'],
    args: none,
    ts: "(): Promise<'OK'>"
  },
  {
    name: 'functionList',
    upper: 'FUNCTION_LIST',
    command: ['FUNCTION', 'LIST'],
    args: libraryName,
    reply: libraries,
    ts: '(options?: FunctionListOptions): Promise<FunctionLibrary<T>[]>'
  },
  {
    name: 'functionListWithCode',
    upper: 'FUNCTION_LIST_WITHCODE',
    command: ['FUNCTION', 'LIST'],
    args (w, options) {
      libraryName(w, options)
      w.token('WITHCODE')
    },
    reply: libraries,
    about: "Returns the libraries' code too.",
    ts: '(options?: FunctionListOptions): Promise<(FunctionLibrary<T> & { library_code: T })[]>'
  },
  {
    name: 'functionLoad',
    upper: 'FUNCTION_LOAD',
    command: ['FUNCTION', 'LOAD'],
    args (w, code, options) {
      if (w.options(options, 'options', LOAD_OPTIONS)?.REPLACE) w.token('REPLACE')
      w.arg(code, 'code')
    },
    ts: '(code: RedisArgument, options?: { REPLACE?: boolean }): Promise<T>'
  },
  {
    name: 'functionRestore',
    upper: 'FUNCTION_RESTORE',
    command: ['FUNCTION', 'RESTORE'],
    args (w, dump, options) {
      w.arg(dump, 'dump')
      const o = w.options(options, 'options', RESTORE_OPTIONS)
      if (isGiven(o?.mode)) w.oneOf(o.mode, 'options.mode', ['FLUSH', 'APPEND', 'REPLACE'])
    },
    ts: "(dump: RedisArgument, options?: FunctionRestoreOptions): Promise<'OK'>"
  },
  {
    name: 'functionStats',
    upper: 'FUNCTION_STATS',
    command: ['FUNCTION', 'STATS'],
    args: none,
    reply: (reply, mapping) => map(reply, mapping, (name, value) => {
      if (name !== 'engines') return value === null ? null : map(value, mapping)
      return map(value, mapping, (engine, counts) => map(counts, mapping))
    }),
    ts: '(): Promise<FunctionStats<T>>'
  }
]

function libraryName (w, options) {
  const o = w.options(options, 'options', LIST_OPTIONS)
  if (!isGiven(o?.LIBRARYNAME)) return
  w.token('LIBRARYNAME')
  w.arg(o.LIBRARYNAME, 'options.LIBRARYNAME')
}

function libraries (reply, mapping) {
  return list(reply).map(library => map(library, mapping, (name, value) => (
    name === 'functions' ? maps(value, mapping) : value
  )))
}

const LIST_OPTIONS = new Set(['LIBRARYNAME'])
const LOAD_OPTIONS = new Set(['REPLACE'])
const RESTORE_OPTIONS = new Set(['mode'])
