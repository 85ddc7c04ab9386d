// A primary that Sentinel watches over.
import { createSentinel, type RedisSentinelOptions, type RedisSentinelType } from 'redis'

const options: RedisSentinelOptions = {
  name: 'mymaster',
  sentinelRootNodes: [{ host: 'a', port: 26379 }, { host: 'b', port: 26379 }],
  nodeClientOptions: { password: 'p', database: 2 },
  sentinelClientOptions: { password: 'q' },
  masterPoolSize: 4,
  replicaPoolSize: 2
}

export async function run (): Promise<string | null> {
  const sentinel: RedisSentinelType = createSentinel(options)
  sentinel.on('error', (error: Error) => console.error(error))
  sentinel.on('topology-change', (event: { type: string }) => console.log(event.type))
  await sentinel.connect()
  const value = await sentinel.use(async client => {
    await client.watch('k')
    await client.multi().set('k', 'v').exec()
    return client.get('k')
  })
  await sentinel.close()
  return value
}
