'use strict'

// Sessions of an Express application in connect-redis: counted visits, two visitors, an end.

const assert = require('node:assert')
const http = require('node:http')

const { RedisStore } = require('connect-redis')
const express = require('express')
const session = require('express-session')
const { createClient } = require('redis')

module.exports = async ({ url }) => {
  const client = createClient({ url })
  await client.connect()
  const store = new RedisStore({ client, prefix: 'app:', ttl: 60 })
  const app = express()
  app.use(session({
    store, secret: 'secret', resave: false, saveUninitialized: false, rolling: true
  }))
  app.get('/visit', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1
    request.session.name ??= request.query.name
    response.json({ visits: request.session.visits, name: request.session.name })
  })
  app.get('/leave', (request, response) => request.session.destroy(error => {
    response.json({ error: error ?? null })
  }))
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => { server.once('listening', resolve) })
  const ann = visitor(server)
  const ben = visitor(server)
  const answers = []
  for (const [who, path] of [
    [ann, '/visit?name=ann'], [ann, '/visit'], [ben, '/visit?name=%C3%9Fen'], [ann, '/visit'],
    [ben, '/visit']
  ]) answers.push(await who.get(path))
  assert.deepStrictEqual(answers.at(-2), { visits: 3, name: 'ann' })
  const call = (method, ...args) => new Promise((resolve, reject) => {
    store[method](...args, (error, value) => error ? reject(error) : resolve(value))
  })
  const ids = await call('ids')
  const length = await call('length')
  const all = (await call('all')).map(({ name, visits }) => ({ name, visits }))
    .toSorted((one, other) => one.visits - other.visits)
  const ttls = await Promise.all(ids.map(id => client.ttl(`app:${id}`)))
  assert.ok(ttls.every(ttl => ttl > 0 && ttl <= 60), `${ttls}`)
  await call('set', 'short', { cookie: { expires: new Date(Date.now() - 1000) }, name: 'old' })
  const expired = await call('get', 'short')
  const left = await ann.get('/leave')
  const again = await ann.get('/visit')
  const kept = await ben.get('/visit')
  await call('clear')
  const empty = await call('length')
  server.close()
  server.closeAllConnections()
  await client.quit()
  return { answers, ids: ids.length, length, all, expired, left, again, kept, empty }
}

/** Somebody with cookies. */
function visitor (server) {
  let cookie
  const get = path => new Promise((resolve, reject) => {
    const headers = cookie === undefined ? {} : { cookie }
    http.get({ host: '127.0.0.1', port: server.address().port, path, headers }, response => {
      const [set] = response.headers['set-cookie'] ?? []
      if (set !== undefined) cookie = set.split(';')[0]
      let text = ''
      response.setEncoding('utf8').on('data', data => { text += data })
      response.once('end', () => resolve(JSON.parse(text)))
    }).once('error', reject)
  })
  return { get }
}
