'use strict'

/*
 * What the outcomes of one call on several nodes mean for its caller.
 */

const { isRoleChange } = require('../error-replies')
const { ConnectionError, ErrorReply, OxidisError } = require('../errors')

/**
 * Throws the first error among `outcomes` (of `Promise.allSettled`), if there is one. Other nodes
 * may have run the command then, so that error must not say that it was certainly not applied.
 */
function checkAll (outcomes) {
  const failed = outcomes.filter(({ status }) => status === 'rejected')
  if (failed.length === 0) return
  const error = failed[0].reason
  const isUntouched = failed.length === outcomes.length &&
    failed.every(({ reason }) => !(reason instanceof OxidisError) || reason.applied === 'no')
  if (error instanceof OxidisError && error.applied === 'no' && !isUntouched) {
    error.applied = 'unknown'
  }
  throw error
}

/** Whether a failure may be over once it is known again which node is what. */
function mayPass (error) {
  if (error instanceof ErrorReply) return isRoleChange(error.code)
  return error instanceof ConnectionError
}

module.exports = { checkAll, mayPass }
