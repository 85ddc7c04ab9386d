'use strict'

// Runs the examples that stand in documents, so that what they show is what works.
//
// Libraries that examples use are those of __test__/ecosystem.
//
//   node scripts/readme-examples.js [file.md ...]      without a file: README.md and docs/*.md
//
// Every block that opens with ```js run becomes a program of its own, in CommonJS (with `await`
// allowed at the top) or, when it has an import statement, as an ES module. `require('oxidis')`
// finds this checkout. localhost:6379 becomes the address of a server that is started for the
// purpose. localhost:7000 and the ports behind it become those of a cluster, which is started if
// any example makes a client of one. An example has failed when it ends with another status than
// 0, or does not end.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const { root, runMain } = require('./setup')
const { startCluster } = require('../__test__/support/redis-cluster')
const { skipBefore7, startServer } = require('../__test__/support/redis-server')

runMain(async () => {
  const files = process.argv.length > 2 ? process.argv.slice(2) : documents()
  const examples = files.flatMap(extract).filter(canRun)
  if (examples.length === 0) throw new Error(`no \`\`\`js run block in ${files.join(', ')}`)
  const folder = sandbox()
  let failed = 0
  let server, cluster
  try {
    server = await startServer()
    if (examples.some(needsCluster)) cluster = await startCluster()
    for (const example of examples) if (!runExample(example, folder, server, cluster)) failed++
  } finally {
    await server?.stop()
    await cluster?.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(`${examples.length - failed} of ${examples.length} examples ran\n`)
  return failed === 0 ? 0 : 1
})

function documents () {
  const pages = fs.readdirSync(path.join(root, 'docs')).filter(name => name.endsWith('.md'))
  return ['README.md', ...pages.map(name => `docs/${name}`)]
}

function extract (file) {
  const text = fs.readFileSync(path.resolve(root, file), 'utf8')
  return [...text.matchAll(/^```js run( with client)?\n([\s\S]*?)^```$/gm)]
    .map(({ 1: isPart, 2: lines, index }) => ({
      code: isPart ? `${BEFORE}${lines}${BEHIND}` : lines,
      name: `${file}:${text.slice(0, index).split('\n').length}`
    }))
}

function needsCluster ({ code }) {
  return code.includes('createCluster(')
}

function canRun (example) {
  const reason = (needsCluster(example) && skipBefore7()) || skipWithoutLibrary(example)
  if (reason) process.stdout.write(`skipped ${example.name}: ${reason}\n`)
  return !reason
}

/** Why an example cannot run: it uses a library that is not installed. */
function skipWithoutLibrary ({ code }) {
  const isMissing = code.includes("require('bullmq')") &&
    !fs.existsSync(path.join(LIBRARIES, 'bullmq'))
  return isMissing && 'bullmq is not in __test__/ecosystem; npm run test:ecosystem installs it'
}

// A folder with a link to this checkout where Node looks for packages.
function sandbox () {
  const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'oxidis-examples-'))
  fs.mkdirSync(path.join(folder, 'node_modules'))
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'oxidis'), 'junction')
  return folder
}

function runExample ({ code, name }, folder, server, cluster) {
  const isModule = /^import /m.test(code)
  const file = path.join(folder, isModule ? 'example.mjs' : 'example.cjs')
  const node = (_, number) => `${server.host}:${cluster.nodes[number].port}`
  const pointed = code.replaceAll('localhost:6379', `${server.host}:${server.port}`)
    .replaceAll(/localhost:700(\d)/g, node)
    .replaceAll(/\bcreate(Client|ClientPool)\(\)/g, `create$1({ url: '${server.url}' })`)
  fs.writeFileSync(file, isModule ? pointed : `(async () => {\n${pointed}\n})()\n`)
  const result = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: LIBRARIES },
    timeout: EXAMPLE_TIMEOUT,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const passed = result.status === 0
  process.stdout.write(`${passed ? 'ran' : 'FAILED'} ${name}\n`)
  const { error, stdout, stderr } = result
  if (!passed) process.stdout.write(`${error?.message ?? ''}${stdout}${stderr}`)
  return passed
}

/** The libraries that examples use. */
const LIBRARIES = path.join(root, '__test__', 'ecosystem', 'node_modules')

const BEFORE = `const { createClient, createCluster, RESP_TYPES } = require('oxidis')
const client = createClient('redis://localhost:6379')
`
const BEHIND = 'await client.close()\n'

// ms. Examples take a second or two; one that has not ended by then never will, which is a fault.
const EXAMPLE_TIMEOUT = 30_000
