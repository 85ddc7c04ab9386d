'use strict'

// A program's way to ask for something to be done to its server: outcome.js answers.

/** Asks and waits until it is done. */
function answerOf (request) {
  return new Promise((resolve, reject) => {
    process.once('message', answer => answer === 'done' ? resolve() : reject(new Error(answer)))
    process.send(request)
  })
}

module.exports = { answerOf }
