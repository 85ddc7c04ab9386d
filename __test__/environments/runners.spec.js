'use strict'

// oxidis under test runners and loaders, with fake timers and reloaded modules where there are any.

const assert = require('node:assert')
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { LONGEST, USE, bin, project, run, serve } = require('./support')

/** A test for runners that have `it` in the global object. */
const SPEC = `
  const assert = require('node:assert')
  const { createClient } = require('oxidis')
  it('uses a client', async () => {${USE}}, 60000)
`
const SPEC_OF_JEST = `
  const assert = require('node:assert')
  const { createClient } = require('oxidis')
  jest.setTimeout(60000)
  it('uses a client', async () => {${USE}})
  it('uses a client under fake timers', async () => {
    jest.useFakeTimers()
    try {${USE}} finally { jest.useRealTimers() }
  })
  it('uses a client of modules that are loaded again', async () => {
    jest.resetModules()
    const again = require('oxidis')
    assert.notStrictEqual(again.createClient, createClient)
    await (async createClient => {${USE}})(again.createClient)
  })
`
const SPEC_OF_VITEST = `
  import assert from 'node:assert'
  import { expect, it, vi } from 'vitest'
  import { createClient } from 'oxidis'
  it('uses a client', async () => {${USE}}, 60000)
  it('uses a client under fake timers', async () => {
    vi.useFakeTimers()
    try {${USE}} finally { vi.useRealTimers() }
  }, 60000)
  it('uses a client of modules that are loaded again', async () => {
    vi.resetModules()
    const { createClient } = await import('oxidis')
    ${USE}
  }, 60000)
`
const PROGRAM = `
  import assert from 'node:assert'
  import { createClient, type RedisClient } from 'oxidis'
  async function main (): Promise<string> {
    const typed: RedisClient = createClient()
    typed.destroy()
    ${USE}
    return 'used'
  }
  main().then(text => console.log(text))
`

describe('oxidis', () => {
  let url
  let stop

  before(async () => { ({ url, stop } = await serve()) })
  after(() => stop())

  for (const environment of ['node', 'jsdom']) {
    it(`works in Jest, environment ${environment}`, async () => {
      const folder = project(`jest-${environment}`, { 'use.test.js': SPEC_OF_JEST })
      const config = JSON.stringify({ rootDir: folder, testEnvironment: environment })
      const text = await run([bin('jest'), '--ci', '--config', config], folder, { url })
      assert.match(text, /Tests:\s+3 passed/)
      assert.doesNotMatch(text, /did not exit|open handle/)
    })
  }

  for (const pool of ['forks', 'threads', 'vmThreads']) {
    it(`works in Vitest, pool ${pool}`, async () => {
      const folder = project(`vitest-${pool}`, { 'use.test.mjs': SPEC_OF_VITEST })
      const text = await run([bin('vitest'), 'run', '--root', folder, '--pool', pool], folder,
        { url })
      assert.match(text, /Tests\s+3 passed/)
      assert.doesNotMatch(text, /close timed out|hanging/i)
    })
  }

  it('works in Mocha, which waits for the process to end by itself', async () => {
    const spec = SPEC.replace('}, 60000)', '}).timeout(60000)')
    const folder = project('mocha', { 'use.spec.js': spec })
    assert.match(await run([bin('mocha'), 'use.spec.js'], folder, { url }), /1 passing/)
  })

  it('works in node:test', async () => {
    const folder = project('node-test', {
      'use.test.mjs': `import assert from 'node:assert'
        import { it } from 'node:test'
        import { createClient } from 'oxidis'
        it('uses a client', async () => {${USE}})`
    })
    assert.match(await run(['--test', 'use.test.mjs'], folder, { url }), /pass 1\n/)
  })

  for (const [loader, file] of [['tsx', 'use.ts'], ['tsx', 'use.mts'], ['ts-node', 'use.ts']]) {
    it(`works in ${loader} with ${file}`, async () => {
      const folder = project(`${loader}-${path.extname(file).slice(1)}`, {
        [file]: PROGRAM,
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            module: 'nodenext', target: 'es2022', strict: true, esModuleInterop: true,
            types: ['node']
          }
        })
      })
      assert.match(await run([bin(loader), file], folder, { url }), /used/)
    })
  }

  it('works again after each restart by node --watch', async () => {
    const folder = project('watch', {
      'use.mjs': `import assert from 'node:assert'
        import { createClient } from 'oxidis'
        ${USE}
        console.log('used')`
    })
    const file = path.join(folder, 'use.mjs')
    const child = spawn(process.execPath, ['--watch', file],
      { cwd: folder, env: { ...process.env, REDIS_URL: url }, stdio: ['ignore', 'pipe', 'pipe'] })
    const closed = new Promise(resolve => child.once('close', resolve))
    const late = setTimeout(() => child.kill(), LONGEST)
    try {
      let text = ''
      let uses = 0
      child.stderr.on('data', data => { text += data })
      for await (const data of child.stdout.setEncoding('utf8')) {
        text += data
        const now = text.split('used').length - 1
        if (now === 2) break
        // Watching begins when the program is started, so a change now is seen.
        if (now === 1 && uses === 0 && /Completed running/.test(text)) {
          uses = now
          fs.appendFileSync(file, '\n// changed\n')
        }
      }
      assert.strictEqual(text.split('used').length - 1, 2, text)
    } finally {
      clearTimeout(late)
      child.kill()
      await closed
    }
  })
})
