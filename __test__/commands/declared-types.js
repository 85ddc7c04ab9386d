'use strict'

// Tells whether the declared types of a method accept a call, so that tests know which calls must
// be refused. Reads the types of rows and the hand-written declarations, as much of TypeScript as
// these use.
//
// It is as lenient as the methods are on purpose: what counts as not given (undefined, null, false)
// is fine for an option, anything is a yes or no, words may be in lower case, one item may
// stand for a list of it, and fields that are not declared are not looked at.

const fs = require('node:fs')
const path = require('node:path')

const SOURCES = path.join(__dirname, '..', '..', 'scripts', 'generate')

/** name -> the text of a type or an interface */
const declarations = read()
/** text -> what parsing has made of it */
const parsed = new Map()

/**
 * The parameters of a method's overloads.
 * @param {object} row of the command table
 * @returns {{ name: string, isOptional: boolean, isRest: boolean, type: object }[][]}
 */
function overloadsOf (row) {
  return [row.ts].flat().map(text => new Parser(text).parameters())
}

/**
 * Whether one of a method's overloads accepts `args`. A list or an object that has to be there has
 * to hold something, unless `mayBeEmpty`.
 */
function accepts (row, args, mayBeEmpty) {
  return overloadsOf(row).some(parameters => {
    return parameters.every((parameter, i) => {
      if (parameter.isRest) return args.slice(i).every(arg => isOf(arg, parameter.type.item))
      if (args[i] === undefined) return parameter.isOptional
      if (isNotGiven(args[i]) && parameter.isOptional) return true
      if (isEmpty(args[i]) && !parameter.isOptional && !mayBeEmpty) return false
      return isOf(args[i], parameter.type)
    })
  })
}

/** Whether a value is of a type. */
function isOf (v, type) {
  switch (type.kind) {
    case 'name':
      return type.name in BUILT_IN ? BUILT_IN[type.name](v) : isOf(v, declared(type.name))
    case 'literal':
      return typeof type.value === 'number'
        ? isInteger(v)
        : typeof v === 'string' && v.toUpperCase() === type.value.toUpperCase()
    case 'union':
      return type.of.some(one => isOf(v, one))
    case 'intersection':
      return type.of.every(one => isOf(v, one))
    case 'array':
      return Array.isArray(v) ? v.every(item => isOf(item, type.item)) : isOf(v, type.item)
    case 'tuple':
      return Array.isArray(v) && type.of.every((one, i) => isOf(v[i], one)) &&
        (type.rest === undefined || isOf(v.slice(type.of.length), type.rest))
    case 'record':
      return isPlain(v) && Object.values(v).every(item => isOf(item, type.value))
    case 'map':
      return v instanceof Map &&
        [...v].every(([key, value]) => isOf(key, type.key) && isOf(value, type.value))
    case 'object':
      return isPlain(v) && type.fields.every(({ name, isOptional, type }) => (
        isOptional && isNotGiven(v[name]) ? true : isOf(v[name], type)
      ))
    default:
      throw new Error(`a type of kind ${type.kind}`)
  }
}

const isText = v => typeof v === 'string' || v instanceof Uint8Array
const isNumeric = v => typeof v === 'string' && v.trim() !== '' && !Number.isNaN(toNumber(v))
const toNumber = v => Number(v.replace(/^\s*([+-]?)inf\s*$/i, '$1Infinity'))
const isInteger = v => Number.isSafeInteger(v) || typeof v === 'bigint' ||
  (typeof v === 'string' && /^-?\d+$/.test(v))
const isDouble = v => (typeof v === 'number' && !Number.isNaN(v)) || typeof v === 'bigint' ||
  isNumeric(v)
const isPlain = v => typeof v === 'object' && v !== null && !Array.isArray(v) &&
  !(v instanceof Uint8Array) && !(v instanceof Map) && !(v instanceof Date)

/** Types that are not looked up. */
const BUILT_IN = {
  string: v => typeof v === 'string',
  // A number that is sent as text may be NaN.
  number: v => typeof v === 'number',
  boolean: () => true,
  true: () => true,
  unknown: () => true,
  null: v => v === null,
  Buffer: v => v instanceof Uint8Array,
  Date: v => v instanceof Date && !Number.isNaN(v.getTime()),
  RedisArgument: isText,
  RedisInteger: isInteger,
  RedisDouble: isDouble,
  // Modules of a server may have events of their own.
  LatencyEvent: isText,
  RangeEnd: v => isText(v) || (typeof v === 'number' && !Number.isNaN(v)),
  JsonReviver: v => typeof v === 'function',
  RedisJsonArgument: isJson
}

function isJson (v) {
  try {
    return JSON.stringify(v) !== undefined
  } catch {
    return false
  }
}

function isNotGiven (v) {
  return v === undefined || v === null || v === false
}

function isEmpty (v) {
  return Array.isArray(v) ? v.length === 0 : isPlain(v) && Object.keys(v).length === 0
}

function declared (name) {
  if (!parsed.has(name)) {
    if (!declarations.has(name)) throw new Error(`no declaration of ${name}`)
    parsed.set(name, new Parser(declarations.get(name)).declaration())
  }
  return parsed.get(name)
}

function read () {
  const folder = path.join(SOURCES, 'declarations')
  const files = [path.join(SOURCES, 'header.d.ts'),
    ...fs.readdirSync(folder).map(file => path.join(folder, file))]
  const text = files.map(file => fs.readFileSync(file, 'utf8')).join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '')
  const parts = text.split(/^export /m).map(part => (
    /^(?:type|interface) (\w+)[^]*/.exec(part)
  )).filter(Boolean)
  return new Map(parts.map(([part, name]) => [name, part]))
}

/** A recursive descent over the tokens of a type. */
class Parser {
  #tokens
  #at = 0

  constructor (text) {
    this.#tokens = text.match(/\.\.\.|=>|`[^`]*`|'[^']*'|\w+|[^\s\w]/g)
  }

  /** `(a: A, b?: B): ...` */
  parameters () {
    const parameters = []
    this.#expect('(')
    while (!this.#skip(')')) {
      const isRest = this.#skip('...')
      const name = this.#next()
      const isOptional = this.#skip('?')
      this.#expect(':')
      parameters.push({ name, isOptional, isRest, type: this.#type() })
      this.#skip(',')
    }
    return parameters
  }

  /** `type A = ...` or `interface A extends B { ... }` */
  declaration () {
    const isInterface = this.#next() === 'interface'
    this.#next()
    if (!isInterface) {
      this.#expect('=')
      return this.#type()
    }
    const bases = []
    if (this.#skip('extends')) {
      do bases.push({ kind: 'name', name: this.#next() })
      while (this.#skip(','))
    }
    const own = this.#type()
    return bases.length === 0 ? own : { kind: 'intersection', of: [...bases, own] }
  }

  #type () {
    this.#skip('|')
    const of = [this.#intersection()]
    while (this.#skip('|')) of.push(this.#intersection())
    return of.length === 1 ? of[0] : { kind: 'union', of }
  }

  #intersection () {
    const of = [this.#array()]
    while (this.#skip('&')) of.push(this.#array())
    return of.length === 1 ? of[0] : { kind: 'intersection', of }
  }

  #array () {
    this.#skip('readonly')
    let type = this.#single()
    while (this.#skip('[')) {
      this.#expect(']')
      type = { kind: 'array', item: type }
    }
    return type
  }

  #single () {
    const token = this.#next()
    if (token === '(') {
      const type = this.#type()
      this.#expect(')')
      return type
    }
    if (token === '[') return this.#tuple()
    if (token === '{') return this.#object()
    if (token[0] === "'") return { kind: 'literal', value: token.slice(1, -1) }
    // What a server would parse is its own business.
    if (token[0] === '`') return { kind: 'name', name: 'string' }
    if (/^\d/.test(token)) return { kind: 'literal', value: Number(token) }
    if (token === 'Record' || token === 'Map') {
      this.#expect('<')
      const key = this.#type()
      this.#expect(',')
      const value = this.#type()
      this.#expect('>')
      return { kind: token.toLowerCase(), key, value }
    }
    return { kind: 'name', name: token }
  }

  /** `[A, b: B, ...C[]]` */
  #tuple () {
    const of = []
    let rest
    while (!this.#skip(']')) {
      if (this.#skip('...')) {
        rest = this.#type()
        continue
      }
      if (this.#tokens[this.#at + 1] === ':') this.#at += 2
      of.push(this.#type())
      this.#skip(',')
    }
    return { kind: 'tuple', of, rest }
  }

  /** `{ a: A; b?: B }` or `{ [name: string]: A }` */
  #object () {
    const fields = []
    while (!this.#skip('}')) {
      if (this.#skip('[')) {
        this.#at += 3
        this.#expect(']')
        this.#expect(':')
        const type = { kind: 'record', value: this.#type() }
        this.#expect('}')
        return type
      }
      const name = this.#next().replace(/^'|'$/g, '')
      const isOptional = this.#skip('?')
      this.#expect(':')
      fields.push({ name, isOptional, type: this.#type() })
      if (!this.#skip(';')) this.#skip(',')
    }
    return { kind: 'object', fields }
  }

  #next () {
    return this.#tokens[this.#at++]
  }

  #skip (token) {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }

  #expect (token) {
    const found = this.#next()
    if (found !== token) {
      throw new Error(`${token} expected, not ${found}, in: ${this.#tokens.join(' ')}`)
    }
  }
}

module.exports = { accepts, overloadsOf }
