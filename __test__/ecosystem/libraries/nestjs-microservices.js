'use strict'

// The Redis transport of NestJS: requests with answers, streams of answers, errors, events.

require('reflect-metadata')
const assert = require('node:assert')

module.exports = async ({ url }) => {
  const { NestFactory } = await import('@nestjs/core')
  const { Controller: controller, Module } = await import('@nestjs/common')
  const { ClientProxyFactory, EventPattern, MessagePattern, Payload, RpcException, Transport } =
    await import('@nestjs/microservices')
  const { firstValueFrom, from, lastValueFrom, toArray } = await import('rxjs')
  const options = { host: '127.0.0.1', port: Number(new URL(url).port), wildcards: true }
  const events = []

  class Controller {
    sum (numbers) { return numbers.reduce((one, other) => one + other, 0) }
    count (to) { return from(Array.from({ length: to }, (_, n) => n)) }
    fail () { throw new RpcException('as asked') }
    happened (data) { events.push(data) }
    any (data) { events.push({ any: data }) }
  }
  decorate(Controller, 'sum', MessagePattern('sum'), Payload)
  decorate(Controller, 'count', MessagePattern('count'), Payload)
  decorate(Controller, 'fail', MessagePattern('fail'), Payload)
  decorate(Controller, 'happened', EventPattern('happened'), Payload)
  decorate(Controller, 'any', EventPattern('any.*'), Payload)
  controller()(Controller)
  function App () {}
  Module({ controllers: [Controller] })(App)

  const app = await NestFactory.createMicroservice(App,
    { transport: Transport.REDIS, options, logger: false })
  await app.listen()
  const client = ClientProxyFactory.create({ transport: Transport.REDIS, options })
  await client.connect()
  const ask = (pattern, data) => firstValueFrom(client.send(pattern, data))
  const seen = {
    sum: await ask('sum', [1, 2, 3]),
    many: await Promise.all(Array.from({ length: 50 }, (_, n) => ask('sum', [n, n]))),
    count: await lastValueFrom(client.send('count', 4).pipe(toArray())),
    failed: await ask('fail', {}).catch(error => error.message ?? error)
  }
  assert.strictEqual(seen.sum, 6)
  await firstValueFrom(client.emit('happened', { text: 'ünï' }), { defaultValue: null })
  await firstValueFrom(client.emit('any.thing', 1), { defaultValue: null })
  while (events.length < 2) await new Promise(resolve => { setTimeout(resolve, 5) })
  seen.events = events.map(event => JSON.stringify(event)).toSorted()
  await client.close()
  await app.close()
  return seen
}

/** What TypeScript's decorators do. */
function decorate (target, name, decorator, Payload) {
  Payload()(target.prototype, name, 0)
  decorator(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name))
}
