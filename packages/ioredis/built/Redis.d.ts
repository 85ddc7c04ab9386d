export { Redis as default } from 'oxidis/ioredis'
