'use strict'

// Each row of docs/bundlers.md that can be tried without another framework. What comes out of a
// bundler runs in a folder from which no node_modules can be seen, unless the row says that oxidis
// stays outside of the bundle.

const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, afterEach, before, beforeEach, describe, it } = require('node:test')

const { hostName } = require('../../scripts/release/platforms')
const { runtimesFor } = require('../../scripts/release/runtimes')
const { bin, here, project, run, serve } = require('./support')

const root = path.join(here, '..', '..')
const smoke = fs.readFileSync(path.join(root, 'scripts', 'release', 'smoke.cjs'), 'utf8')
/** The smoke test as an ES module, for bundlers that make nothing else. */
const asModule = smoke
  .replace(/const (\{[^}]*\}|\w+) = require\('([^']+)'\)\n/g, (_, names, from) =>
    `import ${names.replace('default:', 'default as')} from '${from}'\n`)
  .replace("require('oxidis')", '(await import(\'oxidis\')).default')

describe('the addon gets where the program is, with', () => {
  let url
  let stop
  let outside

  before(async () => { ({ url, stop } = await serve()) })
  after(() => stop())
  beforeEach(() => { outside = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-bundled-')) })
  afterEach(() => fs.rmSync(outside, { recursive: true, force: true }))

  /** Runs the bundle in `folder` where nothing else is. */
  async function runsAlone (folder, file = 'app.cjs') {
    fs.cpSync(folder, outside, { recursive: true })
    assert.match(await run([file, url], outside), /smoke: ok/)
  }

  /** Runs the bundle in `folder` beside node_modules, of which it needs oxidis. */
  async function runsBeside (folder, file) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8')
    assert.match(text, /(require\(|from ?)["']oxidis["']/, 'oxidis is not outside of the bundle')
    assert.match(await run([file, url], folder), /smoke: ok/)
  }

  it('esbuild and --loader:.node=copy', async () => {
    const folder = project('esbuild', { 'app.cjs': smoke })
    await require('esbuild').build({
      entryPoints: [path.join(folder, 'app.cjs')], outfile: path.join(folder, 'out', 'app.cjs'),
      bundle: true, platform: 'node', loader: { '.node': 'copy' }, minify: true, logLevel: 'error'
    })
    await runsAlone(path.join(folder, 'out'))
  })

  it('webpack and node-loader', async () => {
    const folder = project('webpack', {
      'app.cjs': smoke,
      'build.cjs': `require('webpack')({
        target: 'node', mode: 'production', entry: './app.cjs',
        output: { path: __dirname + '/out', filename: 'app.cjs' },
        module: { rules: [{ test: /\\.node$/, loader: 'node-loader' }] }
      }, (error, stats) => {
        if (!error && !stats.hasErrors()) return
        console.error(error ?? stats.toString())
        process.exit(1)
      })`
    })
    await run(['build.cjs'], folder)
    await runsAlone(path.join(folder, 'out'))
  })

  it('esbuild and webpack, outside of the bundle', async () => {
    const folder = project('outside', {
      'app.cjs': smoke,
      'build.cjs': `require('webpack')({
        target: 'node', mode: 'production', entry: './app.cjs',
        output: { path: __dirname, filename: 'webpacked.cjs' },
        externals: { oxidis: 'commonjs oxidis' }
      }, (error, stats) => {
        if (!error && !stats.hasErrors()) return
        console.error(error ?? stats.toString())
        process.exit(1)
      })`
    })
    await require('esbuild').build({
      entryPoints: [path.join(folder, 'app.cjs')], outfile: path.join(folder, 'esbuilt.cjs'),
      bundle: true, platform: 'node', external: ['oxidis'], logLevel: 'error'
    })
    await run(['build.cjs'], folder)
    for (const file of ['esbuilt.cjs', 'webpacked.cjs']) await runsBeside(folder, file)
  })

  it('ncc', async () => {
    const folder = project('ncc', { 'app.cjs': smoke })
    await run([bin('@vercel/ncc', 'ncc'), 'build', 'app.cjs', '--out', 'out'], folder)
    const [file] = fs.readdirSync(path.join(folder, 'out')).filter(one => /^index\.c?js$/.test(one))
    await runsAlone(path.join(folder, 'out'), file)
  })

  it('file tracing (@vercel/nft)', async () => {
    const folder = project('nft', { 'app.cjs': smoke })
    const { nodeFileTrace } = await import('@vercel/nft')
    const { fileList } = await nodeFileTrace([path.join(folder, 'app.cjs')], { base: here })
    assert.ok([...fileList].some(file => file.endsWith('.node')))
    for (const file of fileList) {
      fs.mkdirSync(path.dirname(path.join(outside, file)), { recursive: true })
      fs.copyFileSync(path.join(here, file), path.join(outside, file))
    }
    assert.match(await run(['work/nft/app.cjs', url], outside), /smoke: ok/)
  })

  for (const name of ['rollup', 'rolldown']) {
    it(`${name}, outside of the bundle`, async () => {
      const folder = project(name, { 'app.mjs': asModule })
      const { [name]: bundler } = await import(name)
      const options = { input: path.join(folder, 'app.mjs'), external: [/^node:/, 'oxidis'] }
      const bundle = await bundler(options)
      await bundle.write({ file: path.join(folder, 'out.mjs'), format: 'es' })
      await bundle.close()
      await runsBeside(folder, 'out.mjs')
    })
  }

  it('Vite\'s build for servers, which leaves packages outside', async () => {
    const folder = project('vite', { 'app.mjs': asModule, 'package.json': '{ "type": "module" }' })
    const { build } = await import('vite')
    await build({
      root: folder, logLevel: 'warn', configFile: false,
      build: { ssr: 'app.mjs', outDir: folder, emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: 'out.mjs' } } }
    })
    await runsBeside(folder, 'out.mjs')
  })

  it('Vite\'s build with noExternal, if oxidis is external', async () => {
    const manifest = '{ "type": "module" }'
    const folder = project('vite-all', { 'app.mjs': asModule, 'package.json': manifest })
    const { build } = await import('vite')
    await build({
      root: folder, logLevel: 'warn', configFile: false,
      ssr: { noExternal: true, external: ['oxidis'] },
      build: { ssr: 'app.mjs', outDir: folder, emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: 'out.mjs' } } }
    })
    await runsBeside(folder, 'out.mjs')
  })

  it('bun build --compile', async t => {
    const bun = runtimesFor(hostName()).find(({ name }) => name === 'Bun')
    if (bun?.command === undefined) return t.skip(`no Bun: ${bun?.reason ?? 'not for this system'}`)
    const folder = project('bun', { 'app.cjs': smoke })
    const [program] = bun.command
    await run(['build', '--compile', 'app.cjs', '--outfile', 'app'], folder, { program })
    fs.copyFileSync(path.join(folder, 'app'), path.join(outside, 'app'))
    fs.chmodSync(path.join(outside, 'app'), 0o755)
    assert.match(await run([url], outside, { program: path.join(outside, 'app') }), /smoke: ok/)
  })
})
