'use strict'

// What `redis` and `@redis/client` export, by oxidis.

module.exports = require('oxidis')
