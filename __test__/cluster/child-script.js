'use strict'

// A program with a client of the cluster of which NODES tells, for tests of how a process ends. It
// says that it is ready, waits for a line, does what its argument says, and has nothing to do then.

const { once } = require('node:events')

const { createCluster } = require('../..')

async function main (how) {
  const rootNodes = JSON.parse(process.env.NODES)
  const client = createCluster({ rootNodes, commandOptions: { timeout: 1000 } })
  await client.connect()
  await Promise.all(KEYS.map(key => client.set(key, 'value')))
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  process.stdin.destroy()
  switch (how) {
    case 'closed':
      await client.close()
      break
    case 'destroyed':
      client.destroy()
      break
    case 'while a node is gone':
      await Promise.allSettled(KEYS.map(key => client.incr(key)))
      break
    case 'exit':
      for (const key of KEYS) client.incr(key).catch(() => {})
      process.stdout.write('done\n', () => process.exit(3))
      return
  }
  process.stdout.write('done\n')
}

// Keys in both halves of the slots.
const KEYS = ['a', 'b', 'c', 'd', 'e']

main(process.argv[2])
