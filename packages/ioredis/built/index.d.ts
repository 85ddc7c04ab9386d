export * from 'oxidis/ioredis'
export { Redis as default } from 'oxidis/ioredis'
