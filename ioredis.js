'use strict'

// `require('oxidis/ioredis')`: the interface of ioredis.

module.exports = require('./lib/ioredis')
// Said once more, so that tools which do not run this file find the default export.
module.exports.default = module.exports
