'use strict'

// @langchain/langgraph-checkpoint-redis: the state of a graph's threads, and what it remembers.

const assert = require('node:assert')

const { emptyCheckpoint } = require('@langchain/langgraph-checkpoint')
const { RedisSaver } = require('@langchain/langgraph-checkpoint-redis')
const { ShallowRedisSaver } = require('@langchain/langgraph-checkpoint-redis/shallow')
const { RedisStore } = require('@langchain/langgraph-checkpoint-redis/store')

const { connected } = require('../clients')

/** Ids are in the order of their time, as those that LangGraph makes. */
const ID = step => `1ef4f797-8335-6428-8001-8a1503f9b87${step}`

module.exports = async given => {
  const client = await connected(given)
  const seen = {}
  for (const [name, Saver] of Object.entries({ RedisSaver, ShallowRedisSaver })) {
    const saver = new Saver(client, { defaultTTL: 60, refreshOnRead: true })
    seen[name] = await threads(saver)
    await saver.deleteThread('one')
    seen[name].left = (await client.keys('*')).filter(key => key.includes('one')).length
    await client.flushAll()
  }
  // It makes its client itself.
  const own = await RedisSaver.fromUrl(given.url)
  await put(own, 'own', 1)
  seen.own = (await own.getTuple(thread('own'))).checkpoint.channel_values
  await own.end()
  seen.store = await memories(new RedisStore(client))
  await client.close()
  return seen
}

async function threads (saver) {
  for (let step = 1; step <= 3; step++) await put(saver, 'one', step)
  await put(saver, 'two', 1)
  const config = { configurable: { ...thread('one').configurable, checkpoint_id: ID(3) } }
  await saver.putWrites(config, [['messages', 'wörtchen'], ['count', 3]], 'task')
  const latest = await saver.getTuple(thread('one'))
  assert.strictEqual(latest.checkpoint.id, ID(3))
  // Indexes follow what is written.
  const list = async (options, of = thread('one')) => {
    const found = []
    for await (const { checkpoint, metadata } of saver.list(of, options)) {
      found.push([checkpoint.id, metadata.step])
    }
    return found
  }
  let all = await list()
  while (all.length === 0) all = await list()
  return {
    latest: [latest.checkpoint.channel_values, latest.metadata, latest.pendingWrites,
      latest.parentConfig?.configurable.checkpoint_id ?? null],
    all,
    limited: await list({ limit: 1 }),
    filtered: await list({ filter: { source: 'loop' } }),
    nobody: await saver.getTuple(thread('nobody')) ?? null
  }
}

function put (saver, name, step) {
  const checkpoint = {
    ...emptyCheckpoint(),
    id: ID(step),
    ts: '2026-01-01T00:00:00.000Z',
    channel_values: { count: step, text: 'ein Wörtchen 🎈', list: [1, null, { deep: true }] },
    channel_versions: { count: step, text: 1, list: 1 }
  }
  const config = { configurable: { ...thread(name).configurable,
    ...step > 1 && { checkpoint_id: ID(step - 1) } } }
  return saver.put(config, checkpoint, { source: 'loop', step, parents: {} },
    checkpoint.channel_versions)
}

const thread = name => ({ configurable: { thread_id: name, checkpoint_ns: '' } })

async function memories (store) {
  await store.setup()
  for (const [user, text] of [['ann', 'likes tea'], ['ann', 'likes trains'], ['ben', 'reads']]) {
    await store.put(['users', user], text, { text, length: text.length })
  }
  await store.put(['users', 'ann'], 'likes tea', { text: 'likes coffee', length: 12 })
  const search = async () => (await store.search(['users', 'ann']))
    .map(({ key, value }) => [key, value]).toSorted()
  let found = await search()
  while (found.length < 2) found = await search()
  const one = await store.get(['users', 'ann'], 'likes tea')
  const filtered = await store.search(['users'], { filter: { length: { $gt: 11 } } })
  const namespaces = await store.listNamespaces({ prefix: ['users'] })
  await store.delete(['users', 'ben'], 'reads')
  return {
    found,
    one: one.value,
    filtered: filtered.map(({ key }) => key).toSorted(),
    namespaces: namespaces.map(names => names.join('/')).toSorted(),
    deleted: await store.get(['users', 'ben'], 'reads')
  }
}
