'use strict'

// A chat over Pub/Sub: everybody in a room hears what anybody says there. A client goes on sending
// commands while it is subscribed, so one for each person is enough.
//
//   REDIS_URL=redis://localhost:6379 node examples/chat.js
//
// Ann and Ben greet each other, Ben leaves, and Ann is alone in the room.

const { once, EventEmitter } = require('node:events')

const { createClient } = require('oxidis')

const ROOM = `example:chat:${process.pid}`

/** Somebody in the room. Emits `heard` with what others say. */
class Person extends EventEmitter {
  constructor (name) {
    super()
    this.name = name
    this.client = createClient({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' })
  }

  /** Resolves when the server has confirmed: from then on nothing is missed. */
  async enter () {
    await this.client.connect()
    await this.client.subscribe(ROOM, message => {
      const { from, text } = JSON.parse(message)
      if (from === this.name) return
      process.stdout.write(`${this.name} hears ${from}: ${text}\n`)
      this.emit('heard', text)
    })
  }

  /** Resolves to the number of people in the room, the speaker included. */
  say (text) {
    return this.client.publish(ROOM, JSON.stringify({ from: this.name, text }))
  }

  async leave () {
    await this.client.unsubscribe(ROOM)
    await this.client.close()
  }
}

const ann = new Person('ann')
const ben = new Person('ben')

async function main () {
  await Promise.all([ann.enter(), ben.enter()])

  const greeted = once(ben, 'heard')
  await ann.say('hello, anybody there?')
  await greeted
  const answered = once(ann, 'heard')
  await ben.say('hello ann, I was about to go')
  await answered

  await ben.leave()
  const listeners = await ann.say('ben?')
  process.stdout.write(`in the room: ${listeners}\n`)
  await ann.leave()
}

main().catch(error => {
  console.error(`chat: ${error.message}`)
  for (const { client } of [ann, ben]) client.destroy()
  process.exitCode = 1
})
