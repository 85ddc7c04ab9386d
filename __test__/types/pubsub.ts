// What the types of subscriptions accept, refuse and return. Checked by the compiler, never run.

import { createClient, RESP_TYPES, type PubSubListener, type RedisResubscribed } from 'oxidis'

const client = createClient()

async function subscriptions () {
  const listener = (message: string, channel: string) => { void (message + channel) }
  const buffers: PubSubListener<Buffer> = (message, channel) => { void message.equals(channel) }
  const nothing: void = await client.subscribe('a', listener)
  await client.subscribe(['a', Buffer.from('b')], message => { void message.length })
  await client.subscribe('a', listener, false)
  await client.subscribe('a', buffers, true)
  await client.subscribe('a', message => { void message.readInt8(0) }, true)
  await client.pSubscribe('a*', (message, channel) => { void (message + channel) })
  await client.sSubscribe(Buffer.from('a'), listener)
  await client.SUBSCRIBE('a', listener)
  client.subscribe('a', listener, error => { void error?.message })
  client.subscribe('a', buffers, true, error => { void error })

  await client.unsubscribe()
  await client.unsubscribe('a')
  await client.unsubscribe(['a'], listener)
  await client.unsubscribe('a', buffers, true)
  await client.pUnsubscribe('a*')
  await client.SUNSUBSCRIBE('a')
  client.unsubscribe(error => { void error })
  client.unsubscribe('a', listener, error => { void error })

  // @ts-expect-error a listener is needed
  await client.subscribe('a')
  // @ts-expect-error channels are text
  await client.subscribe(1, listener)
  // @ts-expect-error strings come without bufferMode
  await client.subscribe('a', buffers)
  // @ts-expect-error Buffers come with it
  await client.pSubscribe('a', listener, true)
  return nothing
}

async function monitoring () {
  const stop = await client.monitor(line => { void line.startsWith('1') })
  await stop()
  await client.reset()
  const active: boolean = client.isPubSubActive
  const numbers: number[] = Object.values(client.stats().pubsub)
  client.on('resubscribed', ({ channels, lostMs }: RedisResubscribed) => { void (channels + lostMs) })
  await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).subscribe('a', () => {})
  return { active, numbers }
}

void subscriptions
void monitoring
