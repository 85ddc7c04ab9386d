'use strict'

// Money moves between accounts: read both, decide, write both, and start over if somebody changed
// one of them in between. No lock is held, so nobody waits for a program that has died.
//
//   REDIS_URL=redis://localhost:6379 node examples/optimistic-transaction.js
//
// Ten transfers at once between two accounts: some have to start over, no money is lost or made.

const { createClient, WatchError } = require('oxidis')

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  keyPrefix: `example:accounts:${process.pid}:`
})

let restarts = 0

/** Moves `amount`, or resolves to false if there is not enough. */
async function transfer (from, to, amount) {
  for (;;) {
    try {
      // WATCH belongs to a connection: a session has one to itself.
      return await client.session(async session => {
        await session.watch([from, to])
        const balance = Number(await session.get(from))
        if (balance < amount) return false
        await session.multi().decrBy(from, amount).incrBy(to, amount).exec()
        return true
      })
    } catch (error) {
      // All other errors are for the caller. One of them says that the transaction may have run.
      if (!(error instanceof WatchError)) throw error
      restarts++
    }
  }
}

async function main () {
  await client.connect()
  await client.mSet({ ann: '100', ben: '0' })
  const results = await Promise.all(Array.from({ length: 10 }, () => transfer('ann', 'ben', 12)))
  const [ann, ben] = (await client.mGet(['ann', 'ben'])).map(Number)
  print(`${results.filter(Boolean).length} of 10 transfers had enough money`)
  print(`ann has ${ann}, ben has ${ben}: ${ann + ben} together`)
  print(restarts === 0 ? 'nobody had to start over' : `started over ${restarts} times`)
  await client.unlink(['ann', 'ben'])
  await client.close()
}

function print (text) {
  process.stdout.write(`${text}\n`)
}

main().catch(error => {
  console.error(`optimistic-transaction: ${error.message}`)
  client.destroy()
  process.exitCode = 1
})
