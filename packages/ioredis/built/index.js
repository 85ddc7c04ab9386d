'use strict'

// The class of ioredis, from oxidis.

module.exports = require('oxidis/ioredis')
