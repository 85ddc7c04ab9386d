'use strict'

// The support's own tests, the oracle. A fault test proves nothing without its fault.

const assert = require('node:assert')
const { describe, it } = require('node:test')

const { startOracle } = require('./oracle')

describe('the oracle', () => {
  // A client that is right, on a Map; each test bends one of its commands.
  function honestClient () {
    const data = new Map()
    const turn = value => new Promise(resolve => { setImmediate(resolve, value) })
    return {
      data,
      incr: key => turn(data.set(key, (data.get(key) ?? 0) + 1).get(key)),
      echo: text => turn(text),
      get: key => turn(data.get(key) ?? null),
      set: (key, value) => { data.set(key, value); return turn('OK') }
    }
  }

  async function judge (client, options, load) {
    const oracle = startOracle(client, { workers: 4, ...load })
    await oracle.healed()
    await oracle.stop()
    return oracle.verify(client, options)
  }

  it('is content with a client that is right', () => judge(honestClient()))

  it('finds a reply that belongs to somebody else', async () => {
    const client = honestClient()
    let previous = 'nobody'
    client.echo = async text => [previous, previous = text][0]
    await assert.rejects(judge(client), /ECHO of/)
  })

  it('finds a doubled INCR', async () => {
    const client = honestClient()
    const { incr } = client
    client.incr = key => { incr(key); return incr(key) }
    await assert.rejects(judge(client), /at most 1 was asked for/)
  })

  it('finds a lost write, unless the server was emptied', async () => {
    const client = honestClient()
    client.get = async () => null
    await assert.rejects(judge(client), /was missing/)
    await judge(client, { emptied: true })
  })

  it('counts a failure as unknown, unless the error says that nothing was applied', async () => {
    const client = honestClient()
    const { incr } = client
    let calls = 0
    client.incr = key => {
      const kind = calls++ % 3
      if (kind === 0) return incr(key).then(() => { throw new Error('lost on the way back') })
      if (kind === 1) throw Object.assign(new Error('never sent'), { applied: 'no' })
      return incr(key)
    }
    await judge(client)
  })

  for (const [kind, isFine] of [['LOADING', true], ['ERR', false]]) {
    it(`${isFine ? 'lets pass' : 'finds'} a transaction that was refused by ${kind}`, async () => {
      const client = honestClient()
      let calls = 0
      client.multi = () => {
        const replies = []
        const chain = {
          incr: key => replies.push(client.incr(key)) && chain,
          echo: text => replies.push(text) && chain,
          exec: async () => Promise.all(replies)
        }
        if (calls++ > 0) return chain
        const refused = Object.assign(new Error('refused'), {
          kind: 'EXECABORT', applied: 'no', replies: [{ kind }, 'x', { kind }], errorIndexes: [0, 2]
        })
        chain.incr = chain.echo = () => chain
        chain.exec = async () => { throw refused }
        return chain
      }
      const judged = judge(client, {}, { pairs: 1 })
      await (isFine ? judged : assert.rejects(judged, /failed with EXECABORT: refused/))
    })
  }

  it('names a promise that never settles', async () => {
    const client = honestClient()
    client.echo = () => new Promise(() => {})
    const oracle = startOracle(client, { workers: 2 })
    await assert.rejects(oracle.stop({ within: 50 }), /2 promises never settled: ECHO of worker 0/)
  })
})
