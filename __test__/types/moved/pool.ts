// A pool of clients.
import { createClientPool, type RedisClientPoolType } from 'redis'

export async function transfer (pool: RedisClientPoolType, from: string, to: string, sum: number) {
  return pool.execute(async client => {
    await client.watch(from)
    const balance = Number(await client.get(from))
    if (balance < sum) return false
    await client.multi().decrBy(from, sum).incrBy(to, sum).exec()
    return true
  })
}

export async function main () {
  const pool = createClientPool({ url: 'redis://localhost' }, {
    minimum: 1, maximum: 10, acquireTimeout: 2000
  })
  pool.on('error', (err: Error) => console.error(err))
  await pool.connect()
  await transfer(pool, 'a', 'b', 5)
  console.log(pool.idleClients, pool.totalClients, pool.tasksQueueLength)
  await pool.close()
}
