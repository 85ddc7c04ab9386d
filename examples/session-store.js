'use strict'

// A session store behind an HTTP server: one hash per session, which expires when it is not used.
//
//   REDIS_URL=redis://localhost:6379 node examples/session-store.js
//
// The server counts a visitor's pages. The program then plays that visitor, prints what it saw,
// waits until the session has expired, and ends.

const { randomUUID } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')

const { createClient } = require('oxidis')

/** Seconds that a session lives without a request; a real shop would take half an hour. */
const LIFETIME = 1

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  // The client puts this in front of each key, so the code below knows session ids only.
  keyPrefix: `example:session:${process.pid}:`,
  // ms. An error page after a second is better than a page after five.
  commandOptions: { timeout: 1000 }
})

/** The session of `id`, or a new one, with its count of pages raised by one. */
async function visit (id) {
  if (id === undefined || await client.exists(id) === 0) id = randomUUID()
  // Not awaited one by one: they run in this order, in one round trip.
  const [pages] = await Promise.all([
    client.hIncrBy(id, 'pages', 1),
    client.hSetNX(id, 'since', new Date().toISOString()),
    client.expire(id, LIFETIME)
  ])
  return { id, pages }
}

const server = http.createServer(async (request, response) => {
  try {
    const known = /\bsession=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    const { id, pages } = await visit(known)
    response.setHeader('Set-Cookie', `session=${id}; HttpOnly; Max-Age=${LIFETIME}`)
    response.end(`page ${pages} of this session\n`)
  } catch (error) {
    // A code is safe to log: errors hold no key, no value and no password.
    console.error(error.code)
    response.writeHead(503, { 'Retry-After': '1' }).end()
  }
})

async function main () {
  await client.connect() // tells at once if there is no server, or a wrong password
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`

  let cookie = ''
  const browse = async () => {
    const response = await fetch(url, { headers: { cookie, connection: 'close' } })
    cookie = response.headers.get('set-cookie').split(';')[0]
    process.stdout.write(await response.text())
  }
  await browse()
  await browse()
  await browse()

  // The server decides when the key is gone, not this machine's clock.
  const id = cookie.split('=')[1]
  while (await client.pTTL(id) > 0) await new Promise(resolve => { setTimeout(resolve, 50) })
  await browse()

  await client.unlink(cookie.split('=')[1])
  server.close()
  await client.close()
}

main().catch(error => {
  console.error(`session-store: ${error.message}`)
  client.destroy()
  server.close()
  process.exitCode = 1
})
