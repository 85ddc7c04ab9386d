'use strict'

/*
 * What libraries require from ioredis's own files: the package that stands in for ioredis has it at
 * the same paths.
 */

const { CONNECTION_CLOSED_ERROR_MSG } = require('./errors')
const { parseURL } = require('./url')

module.exports = { CONNECTION_CLOSED_ERROR_MSG, parseURL }
