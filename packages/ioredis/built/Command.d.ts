export { Command as default } from 'oxidis/ioredis'
