'use strict'

// A file that some libraries require by its path.

exports.default = require('oxidis/ioredis').Pipeline
