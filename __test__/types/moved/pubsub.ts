// Publishers and subscribers.
import { createClient } from 'redis'

export async function bus (url: string) {
  const publisher = createClient({ url })
  const subscriber = publisher.duplicate()
  subscriber.on('error', (err: Error) => console.error(err))
  await Promise.all([publisher.connect(), subscriber.connect()])

  const handlers = new Map<string, Set<(payload: unknown) => void>>()
  await subscriber.pSubscribe('events:*', (message, channel) => {
    const payload: unknown = JSON.parse(message)
    for (const handler of handlers.get(channel) ?? []) handler(payload)
  })
  await subscriber.subscribe(['one', 'two'], (message: string) => { console.log(message.length) })
  await subscriber.subscribe('bytes', (message: Buffer) => { console.log(message.length) }, true)

  return {
    async emit (name: string, payload: unknown) {
      return publisher.publish(`events:${name}`, JSON.stringify(payload))
    },
    on (name: string, handler: (payload: unknown) => void) {
      const set = handlers.get(name) ?? new Set()
      handlers.set(name, set.add(handler))
    },
    async stop () {
      await subscriber.unsubscribe()
      await subscriber.pUnsubscribe('events:*')
      publisher.destroy()
      await subscriber.close()
    }
  }
}
