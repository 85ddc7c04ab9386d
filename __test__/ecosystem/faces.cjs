'use strict'

// Loaded before a program (`node --require`): decides what `require('redis')` and its like give it,
// in its own files and in those of libraries. FACE is `reference`, for the packages themselves, or
// `oxidis`, for what stands in for them, as npm's `overrides` would do it.

const Module = require('node:module')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const { replacement } = require('./replacements.cjs')

const resolve = Module._resolveFilename
Module._resolveFilename = function (request, parent, ...rest) {
  return resolve.call(this, replacement(request, parent?.filename) ?? request, parent, ...rest)
}
// Replaces the names that ES modules import. Their resolver runs on a thread of its own.
Module.register(pathToFileURL(path.join(__dirname, 'replacements.mjs')))
