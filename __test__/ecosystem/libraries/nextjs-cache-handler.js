'use strict'

// @fortedigital/nextjs-cache-handler, as Next.js calls it: pages, routes and fetches, and tags that
// are revalidated.

const assert = require('node:assert')

const { CacheHandler } = require('@fortedigital/nextjs-cache-handler')
const { withAdapter } = require('@fortedigital/nextjs-cache-handler/cluster/adapter')
const { default: redisStrings } = require('@fortedigital/nextjs-cache-handler/redis-strings')

const { connected } = require('../clients')

module.exports = async given => {
  const client = await connected(given)
  const shown = given.url === undefined ? withAdapter(client) : client
  assert.ok(shown.isReady, 'the client is not ready')
  CacheHandler.onCreation(() => ({
    handlers: [redisStrings({ client: shown, keyPrefix: '{app}:', timeoutMs: 20_000 })],
    ttl: { defaultStaleAge: 3600, estimateExpireAge: staleAge => staleAge * 2 }
  }))
  const handler = new CacheHandler({ serverDistDir: '/no/such/folder', dev: false })
  const headers = { 'x-next-cache-tags': 'posts,_N_T_/blog' }
  await handler.set('/blog', {
    kind: 'APP_PAGE', html: '<p>blög</p>', rscData: Buffer.from([0, 1, 255]), headers,
    segmentData: new Map([['/_tree', Buffer.from('tree')]])
  }, { revalidate: 60 })
  await handler.set('/api',
    { kind: 'APP_ROUTE', status: 200, body: Buffer.from('{}'), headers: {} },
    { tags: ['api'], revalidate: 60 })
  await handler.set('fetch', { kind: 'FETCH', data: { body: 'x' }, revalidate: 60 },
    { tags: ['posts'], revalidate: 60 })
  await handler.set('forever', { kind: 'FETCH', data: { body: 'y' } },
    { tags: ['other'], revalidate: false })
  const get = async key => {
    const found = await handler.get(key, { softTags: [] })
    if (found === null) return null
    const { rscData, body, segmentData, ...value } = found.value
    return {
      tags: found.tags, value, bytes: (rscData ?? body)?.toString('hex') ?? null,
      segments: [...segmentData ?? []].map(([name, bytes]) => [name, bytes.toString()])
    }
  }
  const all = async () => Promise.all(['/blog', '/api', 'fetch', 'forever', 'no'].map(get))
  const seen = { first: await all() }
  assert.ok(seen.first.slice(0, 4).every(found => found !== null))
  await handler.revalidateTag('posts')
  seen.withoutPosts = await all()
  await handler.revalidateTag(['_N_T_/blog', 'other'])
  seen.withoutOther = await all()
  const softly = await handler.get('/api', { softTags: ['_N_T_/blog'] })
  seen.softly = softly === null
  await client.close()
  return seen
}
