export { ScanStream as default } from 'oxidis/ioredis'
