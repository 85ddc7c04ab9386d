'use strict'

// graphql-redis-subscriptions: subscriptions by name and by pattern, through GraphQL and without.

const assert = require('node:assert')

const { GraphQLObjectType, GraphQLSchema, GraphQLString, parse, subscribe } = require('graphql')
const { RedisPubSub } = require('graphql-redis-subscriptions')
const Redis = require('ioredis')

module.exports = async ({ url }) => {
  const publisher = new Redis(url)
  const subscriber = new Redis(url)
  const pubsub = new RedisPubSub({ publisher, subscriber })
  const heard = []
  const ids = [
    await pubsub.subscribe('news', message => heard.push(['first', message])),
    await pubsub.subscribe('news', message => heard.push(['second', message])),
    await pubsub.subscribe('news.*', message => heard.push(['pattern', message]), { pattern: true })
  ]
  const count = async () => (await publisher.pubsub('NUMSUB', 'news'))[1]
  const once = await count()
  await pubsub.publish('news', { text: 'ünï', list: [1, null] })
  await pubsub.publish('news.sport', 'goal')
  while (heard.length < 3) await pause()
  pubsub.unsubscribe(ids[0])
  await pubsub.publish('news', 'for one')
  while (heard.length < 4) await pause()
  pubsub.unsubscribe(ids[1])
  while (await count() > 0) await pause()

  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { ok: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        added: {
          type: GraphQLString,
          subscribe: () => pubsub.asyncIterableIterator(['added', 'changed']),
          resolve: payload => payload.added
        }
      }
    })
  })
  const results = await subscribe({ schema, document: parse('subscription { added }') })
  // The library hears a message only once it knows that it has subscribed, which nothing tells.
  const known = new Set()
  const reading = read(results, known, ['probe added', 'probe changed'])
  while (known.size < 2) {
    for (const name of ['added', 'changed']) await pubsub.publish(name, { added: `probe ${name}` })
    await pause()
  }
  await reading
  await pubsub.publish('added', { added: 'one' })
  await pubsub.publish('changed', { added: 'two' })
  const heardLast = new Set()
  await read(results, heardLast, ['one', 'two'])
  const seen = [...heardLast].filter(text => !text.startsWith('probe'))
  assert.deepStrictEqual(seen, ['one', 'two'])
  await results.return()
  while ((await publisher.pubsub('NUMSUB', 'added', 'changed')).join() !== 'added,0,changed,0') {
    await pause()
  }
  const ended = Promise.all([publisher, subscriber].map(client =>
    new Promise(resolve => { client.once('end', resolve) })))
  await pubsub.close()
  await ended
  return { heard, once, seen, status: [publisher.status, subscriber.status] }
}

/** Adds what comes to `known`, until all that is `wanted` has come. */
async function read (results, known, wanted) {
  while (!wanted.every(text => known.has(text))) known.add((await results.next()).value.data.added)
}

function pause () {
  return new Promise(resolve => { setTimeout(resolve, 5) })
}
