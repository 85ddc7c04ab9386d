'use strict'

// In place of `next/constants.js`: all that the cache handler takes from Next.js, which has 200 MB
// and is not needed to call a cache handler as Next.js does.

module.exports = { PHASE_PRODUCTION_BUILD: 'phase-production-build' }
