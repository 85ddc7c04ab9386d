'use strict'

// A processor of BullMQ that runs in a process of its own.

module.exports = async job => {
  await job.log('in the sandbox')
  return { number: job.data.number * 100, isOwnProcess: process.send !== undefined }
}
