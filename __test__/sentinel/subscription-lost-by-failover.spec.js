'use strict'

// Subscriptions follow the primary: each stands again on the new one, once, and the gap is told.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { skipBefore7 } = require('../support/redis-server')
const { until } = require('../support/until')
const { scene } = require('./scene')

describe('subscriptions', { skip: skipBefore7() }, () => {
  it('stand on the new primary after the old one has died, each once', async t => {
    const made = await scene(t)
    const { set } = made
    const client = await made.connected({ commandOptions: { timeout: 15_000 } })
    const [heard, gaps] = [[], []]
    client.on('resubscribed', gap => gaps.push(gap))
    await client.subscribe('news', message => heard.push(message))
    await client.pSubscribe('n?ws', message => heard.push(`by pattern: ${message}`))
    await client.sSubscribe('shard', message => heard.push(`in shard: ${message}`))
    await client.publish('news', 'before')
    await client.sPublish('shard', 'before')
    const expected = word => [`by pattern: ${word}`, word, `in shard: ${word}`].sort()
    await until('all is heard', async () => heard.length === 3)
    assert.deepStrictEqual(heard.splice(0).sort(), expected('before'))
    const switched = set.waitForSwitch()
    await set.kill(set.primary)
    const { server } = await switched
    await until('they stand again', async () => gaps.length > 0)
    assert.ok(gaps.every(({ lostMs }) => lostMs > 0))
    // Not all of them stand again at the same moment: what is published before that does not count.
    let word
    let round = 0
    await until('all of them stand', async () => {
      word = `after ${++round}`
      const counts = await Promise.all([set.command(server, 'PUBLISH', 'news', word),
        set.command(server, 'SPUBLISH', 'shard', word)])
      return counts[0] === 2 && counts[1] === 1
    })
    const last = () => heard.filter(message => message.endsWith(word))
    await until('all is heard', async () => last().length >= 3)
    assert.deepStrictEqual(last().sort(), expected(word))
  })
})
