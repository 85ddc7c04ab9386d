'use strict'

// oxidis in manners of running that take something away from it.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { runtimesFor } = require('../../scripts/release/runtimes')
const { hostName } = require('../../scripts/release/platforms')
const { USE, here, project, run, serve } = require('./support')

const PROGRAM = `
  const assert = require('node:assert')
  const { createClient } = require('oxidis')
  async function main () {${USE}}
  main().then(() => console.log('used'))
`
const [major] = process.versions.node.split('.').map(Number)

describe('oxidis', () => {
  let url
  let stop
  let folder

  before(async () => {
    ({ url, stop } = await serve())
    folder = project('modes', { 'use.cjs': PROGRAM })
  })
  after(() => stop())

  it('works under the permission model, which does not bind addons', async () => {
    const permission = major < 23 ? '--experimental-permission' : '--permission'
    const flags = [permission, `--allow-fs-read=${here}/*`]
    // Node.js 20 lets addons in anyway.
    if (process.allowedNodeEnvironmentFlags.has('--allow-addons')) flags.push('--allow-addons')
    assert.match(await run([...flags, 'use.cjs'], folder, { url }), /used/)
  })

  it('says that --allow-addons is missing', { skip: ignoresAddons() }, async () => {
    const permission = major < 23 ? '--experimental-permission' : '--permission'
    const started = run([permission, `--allow-fs-read=${here}/*`, 'use.cjs'], folder, { url })
    await assert.rejects(started, /start Node\.js with --allow-addons/)
  })

  it('works with --frozen-intrinsics', async () => {
    assert.match(await run(['--frozen-intrinsics', 'use.cjs'], folder, { url }), /used/)
  })

  it('works with --disable-proto=throw and --disallow-code-generation-from-strings', async () => {
    const flags = ['--disable-proto=throw', '--disallow-code-generation-from-strings']
    assert.match(await run([...flags, 'use.cjs'], folder, { url }), /used/)
  })

  it('works in Deno without --allow-sys', async t => {
    const deno = runtimesFor(hostName()).find(({ name }) => name === 'Deno')
    if (deno?.command === undefined) {
      return t.skip(`no Deno: ${deno?.reason ?? 'not for this system'}`)
    }
    const [program, ...args] = deno.command
    assert.ok(!args.some(arg => arg.startsWith('--allow-sys') || arg === '-A'))
    assert.match(await run([...args, 'use.cjs'], folder, { url, program }), /used/)
  })

  it('leaves source maps to point into the program of the user', async () => {
    const source = 'import { createClient } from \'oxidis\'\n\nasync function fails () {\n' +
      '  const client = createClient({ url: process.env.REDIS_URL })\n' +
      '  try {\n    await client.lPush(\'mapped\', undefined as unknown as string)\n' +
      '  } finally {\n    client.destroy()\n  }\n}\n\n' +
      'fails().catch(error => console.log(error.stack))\n'
    const place = project('source-maps', { 'mapped.ts': source })
    await require('esbuild').build({
      entryPoints: [path.join(place, 'mapped.ts')], outfile: path.join(place, 'mapped.cjs'),
      bundle: true, platform: 'node', external: ['oxidis'], minify: true, sourcemap: true
    })
    const text = await run(['--enable-source-maps', 'mapped.cjs'], place, { url })
    assert.match(text, /TypeError.*\n[^]*mapped\.ts:6/)
    assert.ok(fs.existsSync(path.join(place, 'mapped.cjs.map')))
  })
})

function ignoresAddons () {
  return !process.allowedNodeEnvironmentFlags.has('--allow-addons') &&
    `Node.js ${process.version} knows no --allow-addons`
}
