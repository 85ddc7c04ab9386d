// A cluster, and what concerns its nodes.
import { createCluster, type RedisClusterOptions, type RedisClusterType } from 'redis'

const options: RedisClusterOptions = {
  rootNodes: [{ url: 'redis://127.0.0.1:7000' }, { socket: { host: '127.0.0.2', port: 7000 } }],
  defaults: { password: 'secret', socket: { tls: true } },
  useReplicas: true,
  minimizeConnections: true,
  nodeAddressMap: address => ({ host: 'localhost', port: Number(address.split(':')[1]) })
}

export async function sizes (): Promise<Record<string, number>> {
  const cluster = createCluster(options)
  cluster.on('error', (e: Error) => { console.error(e) })
  await cluster.connect()
  const found: Record<string, number> = {}
  for (const master of cluster.masters) {
    const client = await cluster.nodeClient(master)
    found[master.address] = await client.dbSize()
  }
  const owner = cluster.slots[0].master
  found[owner.address] ??= 0
  const first = cluster.masters[0]?.client
  if (first) await first.sendCommand(['PING'])
  await cluster.set('{a}1', 'x')
  const values: (string | null)[] = await cluster.mGet(['{a}1', '{a}2'])
  found.values = values.length
  await cluster.close()
  return found
}

export function withAddresses (cluster: RedisClusterType) {
  return [...cluster.nodeByAddress.keys()].concat(cluster.replicas.map(({ host }) => host))
}

export const mapped: RedisClusterOptions = {
  rootNodes: [{ url: 'redis://localhost:7000' }],
  nodeAddressMap: { '127.0.0.1:7000': { host: 'localhost', port: 7000 } }
}
