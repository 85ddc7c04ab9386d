// A check of health, and what a client tells of itself.
import { createClient } from 'redis'

export async function health (client: ReturnType<typeof createClient>) {
  if (!client.isOpen) return { status: 'down' as const }
  const started = Date.now()
  const pong = await client.ping()
  const info = await client.info('memory')
  const used = /used_memory:(\d+)/.exec(info)?.[1]
  const clients = await client.clientList()
  const { maxmemory } = await client.configGet('maxmemory')
  return {
    status: pong === 'PONG' && client.isReady ? 'up' as const : 'down' as const,
    ms: Date.now() - started,
    used: Number(used),
    connections: clients.length,
    maxmemory,
    prefix: client.options?.keyPrefix,
    url: client.options?.url
  }
}
