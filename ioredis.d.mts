// The types of `import Redis from 'oxidis/ioredis'`.

export * from './ioredis.js'
export { Redis as default } from './ioredis.js'
