'use strict'

/*
 * Error replies of a node that say who has what. The node has not run the command.
 */

/** Codes after which the command belongs elsewhere, or can be run soon. */
const REDIRECTS = new Set(['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN', 'READONLY'])
/** Codes of a node that is not what it was taken for, or not yet. */
const ROLE_CHANGES = new Set(['READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'LOADING'])
/** Redirects that one command follows: the default of `maxCommandRedirections`. */
const MOST_REDIRECTS = 5

module.exports = { MOST_REDIRECTS, REDIRECTS, ROLE_CHANGES }
