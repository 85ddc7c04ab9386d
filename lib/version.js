'use strict'

/** The version of the package. `npm version` writes it; package.spec.js compares all places. */
module.exports = '0.1.0'
