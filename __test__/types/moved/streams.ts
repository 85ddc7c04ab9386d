// A consumer of a stream's group.
import { createClient } from 'redis'

export class Consumer {
  private readonly client = createClient({ url: 'redis://localhost' })

  async start (stream: string, group: string, name: string) {
    await this.client.connect()
    try {
      await this.client.xGroupCreate(stream, group, '0', { MKSTREAM: true })
    } catch (error: any) {
      if (!error.message.includes('BUSYGROUP')) throw error
    }
    for (;;) {
      const read = await this.client.xReadGroup(group, name, [{ key: stream, id: '>' }],
        { COUNT: 10, BLOCK: 5000 }) as {
          name: string
          messages: { id: string; message: Record<string, string> }[]
        }[] | null
      if (!read) continue
      for (const { messages } of read) {
        for (const { id, message } of messages) {
          await this.handle(message)
          await this.client.xAck(stream, group, id)
        }
      }
      await this.client.xTrim(stream, 'MAXLEN', 1000, { strategyModifier: '~' })
    }
  }

  private async handle (message: Record<string, string>) {
    await this.client.xAdd('done', '*', { ...message, at: String(Date.now()) })
  }
}
