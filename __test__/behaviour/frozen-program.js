'use strict'

// A program that freezes intrinsics and uses a client: `node frozen-program.js url what when`.
// It prints what it got as JSON, and ends by itself if nothing hangs.

const [,, url, what, when] = process.argv

if (when === 'first') freeze()
const { createClient } = require('../..')
if (when === 'later') freeze()

main().then(told => console.log(JSON.stringify(told)), error => console.error(error))

async function main () {
  const client = createClient({ url })
  const [hash, error, bad, good] = await Promise.allSettled(
    [client.hGetAll('h'), client.hGetAll('error'), client.get('bad'), client.get('good')])
  const told = {
    hash: Object.entries(hash.value),
    error: [error.reason.name, error.reason.code, error.reason.message.slice(4),
      error.reason.command],
    bad: bad.reason.code,
    session: await client.session(async session => {
      await session.watch('k')
      return session.get('good')
    }),
    popped: (await client.blPop('list', 5)).element,
    multi: await client.multi().get('good').get('good').exec()
  }
  const multiError = await client.multi().get('good').hGetAll('error').exec()
    .catch(error => error)
  told.multiError = [multiError.code, multiError.replies[1].code]
  told.refused = await client.multi().del('k').exec().catch(error => error.name)
  told.message = await new Promise(resolve => client.subscribe('talk', resolve))
  await client.unsubscribe('talk').catch(() => {})
  told.argument = await client.get(5).catch(error => error.name)
  told.lost = await client.incr('n').catch(error => error.code)
  if (good.value !== 'ok') told.good = good
  await client.close()
  return told
}

function freeze () {
  if (what === 'prototype') Object.freeze(Object.prototype)
  if (what === 'error') Object.freeze(Error)
  if (what === 'all') freezeAll()
}

/** Freezes what the language defines, as `lockdown()` of SES does, without its repairs. */
function freezeAll () {
  const seen = new Set()
  const walk = value => {
    if (value === null || !/^(object|function)$/.test(typeof value) || seen.has(value)) return
    seen.add(value)
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(value))) {
      walk(descriptor.value)
      walk(descriptor.get)
      walk(descriptor.set)
    }
    walk(Object.getPrototypeOf(value))
  }
  const names = ['Object', 'Function', 'Array', 'Number', 'Boolean', 'String', 'Symbol', 'Date',
    'Promise', 'RegExp', 'Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError',
    'SyntaxError', 'TypeError', 'URIError', 'ArrayBuffer', 'SharedArrayBuffer', 'Uint8Array',
    'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array',
    'Float64Array', 'Uint8ClampedArray', 'BigUint64Array', 'BigInt64Array', 'DataView', 'Map',
    'BigInt', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'Proxy', 'Reflect', 'FinalizationRegistry',
    'JSON', 'Math', 'Atomics']
  for (const name of names) walk(globalThis[name])
  walk(Object.getPrototypeOf(async function () {}))
  walk(Object.getPrototypeOf(function * () {}))
  walk(Object.getPrototypeOf(async function * () {}))
  walk(Object.getPrototypeOf([][Symbol.iterator]()))
  for (const value of seen) Object.freeze(value)
}
