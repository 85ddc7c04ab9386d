'use strict'

// What libraries require from this path: the text of an error, and the reader of URLs.

module.exports = require('oxidis/lib/ioredis/deep-paths')
