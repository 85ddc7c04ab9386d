'use strict'

// `npm run typecheck:all`: index.d.ts against the programs in __test__/types, with the oldest and
// the newest TypeScript that are supported and two between them, each with and without
// `skipLibCheck`. Then what an editor shows of the types.
//
//   npm run typecheck:all              everything
//   npm run typecheck:all -- 5.4 7     only these versions, and nothing about editors
//
// The newest compiler is the package's own. The others have a package.json of their own in
// __test__/types and are installed when they are missing.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const { ensurePackages, root, run, runMain, step } = require('./setup')

const TESTS = path.join(root, '__test__', 'types')
const PACKAGES = path.join(TESTS, 'node_modules')

/** Version -> its package. */
const COMPILERS = {
  '5.0': path.join(PACKAGES, 'typescript-5.0'),
  5.4: path.join(PACKAGES, 'typescript-5.4'),
  5.9: path.join(PACKAGES, 'typescript-5.9'),
  7: path.join(root, 'node_modules', 'typescript')
}

runMain(async () => {
  const chosen = process.argv.slice(2)
  const unknown = chosen.find(version => !(version in COMPILERS))
  if (unknown !== undefined) {
    throw new Error(`no TypeScript ${unknown} here, only ${Object.keys(COMPILERS).join(', ')}`)
  }
  ensurePackages(root)
  ensurePackages(TESTS)
  const versions = chosen.length > 0 ? chosen : Object.keys(COMPILERS)
  const older = copyForOldCompilers()
  try {
    const runs = versions.flatMap(version => {
      const programs = version === '5.0' ? older : TESTS
      return [
        () => check(version, programs, '.', true),
        () => check(version, programs, '.', false),
        // The programs that compile with node-redis as well.
        () => check(version, programs, 'moved', true),
        () => check(version, programs, 'ioredis', true)
      ]
    })
    const passed = await all(runs, os.availableParallelism())
    const editor = chosen.length > 0 || checkEditor()
    return passed.every(Boolean) && editor ? 0 : 1
  } finally {
    fs.rmSync(older, { recursive: true, force: true })
  }
})

/** Runs one compiler on a folder of programs, and prints what it finds. */
async function check (version, programs, folder, skipLibCheck) {
  const started = Date.now()
  const tsc = path.join(COMPILERS[version], 'bin', 'tsc')
  const { status, printed } = await output(process.execPath,
    [tsc, '-p', path.join(programs, folder), '--skipLibCheck', String(skipLibCheck)])
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  const name = folder === '.' ? 'types' : folder
  step(`TypeScript ${version}, ${name}, skipLibCheck ${skipLibCheck}: ` +
    `${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`)
  process.stdout.write(printed)
  return status === 0
}

function checkEditor () {
  step('what an editor shows')
  const test = path.join(TESTS, 'editor.js')
  return run(process.execPath, ['--test', '--test-reporter=dot', test]) === 0
}

/**
 * A copy of the programs for TypeScript 5.0 and 5.1, which know neither `await using` nor the
 * library that declares it. It stands below __test__/types, so that packages are found from it.
 * @returns {string} its folder
 */
function copyForOldCompilers () {
  const copy = fs.mkdtempSync(path.join(PACKAGES, '.copy-'))
  for (const folder of ['.', 'moved', 'ioredis']) {
    fs.mkdirSync(path.join(copy, folder), { recursive: true })
    for (const file of fs.readdirSync(path.join(TESTS, folder))) {
      if (!file.endsWith('.ts')) continue
      const text = fs.readFileSync(path.join(TESTS, folder, file), 'utf8')
      fs.writeFileSync(path.join(copy, folder, file), text.replaceAll('await using ', 'const '))
    }
    const options = readOptions(folder)
    fs.writeFileSync(path.join(copy, folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: { ...options, lib: ['es2022'] }, include: ['*.ts']
    }))
  }
  return copy
}

/** The compiler's options of a folder of programs, without a base, with absolute paths. */
function readOptions (folder) {
  const file = path.join(TESTS, folder, 'tsconfig.json')
  const { extends: base, compilerOptions } = JSON.parse(fs.readFileSync(file, 'utf8'))
  const paths = Object.entries(compilerOptions.paths).map(([name, [target]]) => {
    return [name, [path.resolve(path.dirname(file), target)]]
  })
  const inherited = base === undefined ? {} : readOptions('.')
  return { ...inherited, ...compilerOptions, paths: Object.fromEntries(paths) }
}

/** Calls the functions, at most `limit` of them at a time. Resolves to their results. */
async function all (functions, limit) {
  const results = []
  let next = 0
  const worker = async () => {
    while (next < functions.length) {
      const index = next++
      results[index] = await functions[index]()
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}

/** Runs a program. Resolves to its exit status and to what it has printed. */
function output (program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => { printed += text })
    }
    child.once('error', reject)
    child.once('close', status => resolve({ status: status ?? 1, printed }))
  })
}
