'use strict'

// Loaded before each test file (`node --require`): keeps node:test from watching every promise.
//
// node:test tells which test an uncaught error belongs to. For that it has a hook that the engine
// calls for each promise that is made and for each that is collected: 15 times the work of an
// `await`, and about a third of what all test files compute. Here the hook hears of tests alone, so
// that a test still finds the suite that it is declared in. An uncaught error still fails its file,
// but without the name of the test: `node <file>` tells that.
//
// Only the versions of Node whose runner was looked at: others do as they always do.

const hooks = require('node:async_hooks')

const KNOWN = [20, 22, 24]

if (KNOWN.includes(Number(process.versions.node.split('.')[0]))) replaceHook()

/** node:test takes both of these when it is loaded; everybody else gets the true ones. */
function replaceHook () {
  const { AsyncResource, createHook } = hooks
  let heard
  hooks.createHook = callbacks => {
    heard = callbacks.init
    const hook = { enable: () => hook, disable: () => hook }
    return hook
  }
  // The base class of tests and suites.
  hooks.AsyncResource = class extends AsyncResource {
    constructor (type, options) {
      super(type, options)
      heard?.(this.asyncId(), type, this.triggerAsyncId(), this)
    }
  }
  try {
    require('node:test')
  } finally {
    Object.assign(hooks, { AsyncResource, createHook })
  }
}
