'use strict'

/*
 * The rows of `client.ft`: the commands of the search module. See lib/commands/index.js for what a
 * row is.
 */

module.exports = [
  ...require('./search-indexes'),
  ...require('./search-queries'),
  ...require('./search-suggestions')
]
