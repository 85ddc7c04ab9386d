export { Pipeline as default } from 'oxidis/ioredis'
