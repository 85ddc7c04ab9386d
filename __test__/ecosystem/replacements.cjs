'use strict'

// Which module a face puts in the place of which.

const { createRequire } = require('node:module')
const path = require('node:path')

const FACES = {
  // Libraries that bring an older node-redis of their own get the one that oxidis is like, too.
  reference: {
    redis: 'redis', '@redis/client': 'redis/node_modules/@redis/client',
    ioredis: 'ioredis', 'ioredis/built/utils': 'ioredis/built/utils'
  },
  oxidis: {
    redis: '@oxidis/redis', '@redis/client': '@oxidis/redis',
    ioredis: '@oxidis/ioredis', 'ioredis/built/utils': '@oxidis/ioredis/built/utils'
  }
}
/** Take names of node-redis 4's constants, which no later one has, and clients from the program. */
const LEFT_ALONE = ['@langchain/redis', 'redis-om']

const origin = path.join(__dirname, 'package.json')
const here = createRequire(origin)

/** What is replaced whatever the face. */
const ALWAYS = { 'next/constants.js': './next-constants.cjs' }

/** The file to load in place of `request`, undefined when that is not replaced. */
function replacement (request, parent = '') {
  const face = { ...FACES[process.env.FACE], ...ALWAYS }
  if (!Object.hasOwn(face, request) || parent === origin) return undefined
  const within = `${path.sep}node_modules${path.sep}`
  if (LEFT_ALONE.some(name => parent.includes(within + name.replace('/', path.sep)))) {
    return undefined
  }
  return here.resolve(face[request])
}

module.exports = { replacement }
