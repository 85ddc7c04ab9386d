'use strict'

// A rate limiter: so many calls in a window of time, counted by a script. Two commands, INCR and
// then PEXPIRE, would do the same, until a program ends between them and leaves a counter that
// never expires: a script runs as a whole.
//
//   REDIS_URL=redis://localhost:6379 node examples/rate-limiter.js
//
// Eight calls come at once where five are allowed; then one comes when the limiter said so.

const { createClient, defineScript } = require('oxidis')

const LIMIT = 5
const WINDOW = 1000 // ms

const hit = defineScript({
  SCRIPT: `
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return { count, redis.call('PTTL', KEYS[1]) }`,
  NUMBER_OF_KEYS: 1,
  parseCommand (parser, key, window) {
    parser.pushKey(key)
    parser.push(String(window))
  },
  transformReply: ([count, left]) => ({ isAllowed: count <= LIMIT, retryAfter: left })
})

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  keyPrefix: `example:limit:${process.pid}:`,
  scripts: { hit }
})

async function main () {
  await client.connect()
  // The server does not know the script yet: the client finds out, and sends its text.
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.hit('ann', WINDOW)))
  const refused = answers.filter(({ isAllowed }) => !isAllowed)
  print(`8 calls at once: ${answers.length - refused.length} allowed, ${refused.length} refused`)

  const other = await client.hit('ben', WINDOW)
  print(`somebody else: ${other.isAllowed ? 'allowed' : 'refused'}`)

  const { retryAfter } = refused.at(-1)
  await new Promise(resolve => { setTimeout(resolve, retryAfter + 1) })
  print(`after the ${retryAfter} ms that it said: ` +
    `${(await client.hit('ann', WINDOW)).isAllowed ? 'allowed' : 'refused'}`)

  await client.unlink(['ann', 'ben'])
  await client.close()
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

main().catch(error => {
  console.error(`rate-limiter: ${error.message}`)
  client.destroy()
  process.exitCode = 1
})
