'use strict'

// `require('oxidis/doctor')`. A file of its own at this place, because tools that do not read
// `exports` of package.json look for it here.

module.exports = require('./lib/doctor')
