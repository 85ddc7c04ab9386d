'use strict'

// @langchain/redis: documents found by vectors, answers of models kept, and a chat's history.

const assert = require('node:assert')

const { Document } = require('@langchain/core/documents')
const { AIMessage, HumanMessage } = require('@langchain/core/messages')
const { FakeEmbeddings } = require('@langchain/core/utils/testing')
const {
  FluentRedisVectorStore, RedisCache, RedisChatMessageHistory, RedisVectorStore
} = require('@langchain/redis')

const { connected } = require('../clients')

module.exports = async given => {
  const client = await connected(given)
  const seen = {}
  const documents = ['red apples', 'green pears', 'a blue train', 'a very fast train']
    .map((pageContent, index) => new Document({ pageContent, metadata: { index, kind: 'thing' } }))
  for (const [name, Store] of Object.entries({ RedisVectorStore, FluentRedisVectorStore })) {
    const store = new Store(new Lengths({}), {
      redisClient: client, indexName: name, keyPrefix: `${name}:`, ttl: 100,
      indexOptions: { ALGORITHM: 'FLAT', DISTANCE_METRIC: 'L2' },
      ...name === 'FluentRedisVectorStore' && {
        customSchema: [{ name: 'index', type: 'numeric' }, { name: 'kind', type: 'tag' }]
      }
    })
    await store.addDocuments(documents)
    const found = async () => (await store.similaritySearchWithScore('red apples', 2))
      .map(([{ pageContent, metadata }, score]) => [pageContent, metadata.index, Math.round(score)])
    let result = await found()
    while (result.length < 2) result = await found()
    assert.strictEqual(result[0][0], 'red apples')
    seen[name] = {
      result, exists: await store.checkIndexExists?.(),
      keys: (await client.keys(`${name}:*`)).length,
      ttl: await client.ttl((await client.keys(`${name}:*`))[0]) > 0
    }
    await store.delete({ deleteAll: true })
    seen[name].left = (await client.keys(`${name}:*`)).length
  }
  const cache = new RedisCache(client, { ttl: 50 })
  await cache.update('prompt', 'model', [{ text: 'ein Wörtchen' }, { text: 'two' }])
  seen.cache = [await cache.lookup('prompt', 'model'), await cache.lookup('prompt', 'other')]
  const history = new RedisChatMessageHistory({ sessionId: 'chat', sessionTTL: 60, client })
  await history.addMessage(new HumanMessage('hello'))
  await history.addMessage(new AIMessage('hällo'))
  seen.history = (await history.getMessages()).map(message => [message.getType(), message.content])
  await history.clear()
  seen.cleared = await history.getMessages()
  await client.close()
  return seen
}

/** An embedding that one can compute in the head. */
class Lengths extends FakeEmbeddings {
  async embedQuery (text) {
    return [text.length, text.split(' ').length, text.codePointAt(0), 1]
  }

  embedDocuments (texts) {
    return Promise.all(texts.map(text => this.embedQuery(text)))
  }
}
