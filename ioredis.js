'use strict'

// `require('oxidis/ioredis')`: the interface of ioredis.

module.exports = require('./lib/ioredis')
