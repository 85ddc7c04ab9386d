'use strict'

// The documents say what the code does: tables that follow from code, links, names of tests,
// error codes, defaults, and the examples, which run.

const assert = require('node:assert')
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const { after, before, describe, it } = require('node:test')

const oxidis = require('..')
const { documented } = require('../lib/options/client')
const { benchmark, fill, parts, shown } = require('../scripts/fill-documents')
const { startServer } = require('./support/redis-server')

const root = path.join(__dirname, '..')
/** Where the libraries are that examples use. `npm run test:ecosystem` installs them. */
const LIBRARIES = path.join(__dirname, 'ecosystem', 'node_modules')
const execFile = promisify(require('node:child_process').execFile)

describe('the tables that node scripts/fill-documents.js writes', () => {
  for (const [file, filled] of Object.entries(parts())) {
    it(`are those of ${file}`, () => {
      const text = read(file)
      assert.strictEqual(fill(text, filled), text, 'run node scripts/fill-documents.js')
    })
  }
})

describe('README.md', () => {
  const text = read('README.md')

  it('is short enough for the page of a registry', () => {
    assert.ok(Buffer.byteLength(text) <= 15 * 1024)
  })

  it('links every page of docs/ for users', () => {
    const pages = fs.readdirSync(path.join(root, 'docs')).filter(name => name.endsWith('.md'))
    for (const page of pages) {
      assert.ok(text.includes(`](docs/${page}`), page)
    }
  })

  it('names what is not there yet', () => {
    assert.match(text, /Not there yet: the first release/)
  })
})

describe('docs/features.md', () => {
  const states = table(read('docs/features.md').split('\n## ')[0])

  it('says of nothing that is there that it is not yet', () => {
    const told = states.filter(([, state]) => state.startsWith('not yet'))
    assert.deepStrictEqual(told.flatMap(([area]) => quoted(area)), [])
  })

  it('says of nothing that is missing that it is there', () => {
    const client = oxidis.createClient()
    const there = states.filter(([, state]) => state.startsWith('there'))
    // Methods, exports and options; commands of the server are in upper case.
    const names = there.flatMap(([area]) => quoted(area)).map(name => name.match(/\w+/g).at(-1))
      .filter(name => /[a-z]/.test(name))
    const options = documented().map(({ name }) => name)
    const isThere = name => name in client || name in oxidis || options.includes(name)
    assert.ok(names.length > 20)
    assert.deepStrictEqual(names.filter(name => !isThere(name)), [])
  })
})

describe('the benchmark of documents', () => {
  it('is a hint without a full result', () => {
    assert.match(benchmark(undefined), /npm run bench/)
  })

  it('compares with the best peer, and marks rows whose rounds differ', () => {
    const figures = (ops, fastest = ops) =>
      ({ ops, p50: 1, p99: 1000 / ops, loop: 1e6 / ops, cpu: 1, slowest: ops, fastest })
    const about = {
      node: 'v0', platform: 'p', cpus: 2, server: 's', rounds: 5, versions: { redis: '1.2.3' }
    }
    const text = benchmark({
      about,
      workloads: [
        {
          title: 'calm',
          clients: { oxidis: figures(3000), 'node-redis': figures(1000), glide: figures(1500) }
        },
        { title: 'restless', clients: { oxidis: figures(10), ioredis: figures(10, 21) } },
        { title: 'missing', clients: { oxidis: { missing: 'xRange' }, ioredis: figures(10) } }
      ]
    })
    const calm = '| calm | 3,000 | 1,500 (valkey-glide) | 2.00x | 0.50x | 0.50x |'
    assert.ok(text.includes(calm), text)
    assert.match(text, /\| restless † \| 10 \| 10 \(ioredis\) \|/)
    assert.doesNotMatch(text, /missing/)
    assert.match(text, /redis 1\.2\.3/)
  })
})

describe('docs/defaults.md', () => {
  const text = read('docs/defaults.md')

  it('gives every option with a default, and that default', () => {
    const rows = table(text).filter(([name]) => documented().some(one => one.name === bare(name)))
    const expected = documented().filter(one => one.default !== undefined)
    assert.deepStrictEqual(rows.map(([name, value]) => [bare(name), value]),
      expected.map(one => [one.name, shown(one.default)]))
  })

  it('names the options without one', () => {
    for (const { name } of documented().filter(one => one.default === undefined)) {
      assert.ok(text.includes(`\`${name}\``), name)
    }
  })
})

describe('docs/errors.md', () => {
  const text = read('docs/errors.md')

  it('lists every error class that is exported, with its code', () => {
    // Some have a second name, that of node-redis.
    const errors = [...new Set(Object.values(oxidis))]
      .filter(one => typeof one === 'function' && one.prototype instanceof Error)
    const rows = table(section(text, '## Classes'))
    const names = rows.map(([name]) => bare(name))
    assert.deepStrictEqual(names.sort(), errors.map(one => one.name).sort())
    for (const { name, code } of errors) {
      const [, codes] = rows.find(([row]) => bare(row) === name)
      if (code === undefined) continue
      assert.ok(codes.includes(`\`${code}\``), `${name} has the code ${code}`)
    }
  })

  it('has every code of the sources, and no other', () => {
    const codes = new Set([...codesOfRust(), ...codesOfJavaScript()])
    const told = new Set([...text.matchAll(/`([A-Z][A-Z_]{2,})`/g)].map(([, code]) => code))
    for (const code of codes) assert.ok(told.has(code), `${code} is not explained`)
    const explained = table(text).map(([code]) => bare(code)).filter(code => /^[A-Z_]+$/.test(code))
    for (const code of explained) assert.ok(codes.has(code), `${code} is in no source`)
  })
})

describe('docs/others-bugs.md', () => {
  const claims = [...read('docs/others-bugs.md')
    .matchAll(/^- \[[^\]]+\]\(\.\.\/([^)]+)\):\s+"([^"]+)"/gm)]

  it('names a test for every bug', () => {
    const bugs = read('docs/others-bugs.md').split(/^## /m).slice(1)
    assert.ok(bugs.length > 0)
    for (const bug of bugs) assert.match(bug, /^- \[/m, bug.split('\n')[0])
  })

  for (const [, file, name] of claims) {
    it(`finds "${name}" in ${file}`, () => assert.ok(read(file).includes(name)))
  }
})

describe('docs/internals/reliability.md', () => {
  const rows = table(read('docs/internals/reliability.md'))
  const testsOf = row => [...row.at(-1).matchAll(/`([^`]+)`/g)].map(([, name]) => name)
    .filter(name => name.includes('/') || name.includes('-') || name.endsWith('.rs'))
  const isFile = name => [`__test__/${name}.spec.js`, `tests/${name}`, `tests/${name}.rs`, name]
    .some(file => fs.existsSync(path.join(root, file)))

  it('names a test, or the reason why there is none, for every promise and fault', () => {
    assert.ok(rows.length > 80)
    for (const row of rows) {
      const [what] = row
      const named = testsOf(row)
      assert.ok(named.length > 0 || /cannot be tried|there is no cache/.test(row.at(-1)), what)
      for (const name of named) assert.ok(isFile(name), `${name}, of: ${what}`)
    }
  })

  it('names every test of a fault', () => {
    const named = new Set(rows.flatMap(testsOf))
    const faults = fs.readdirSync(path.join(root, '__test__', 'faults'))
      .filter(file => file.endsWith('.spec.js'))
      .map(file => `faults/${path.basename(file, '.spec.js')}`)
    assert.ok(faults.length > 20)
    assert.deepStrictEqual(faults.filter(name => !named.has(name)), [])
  })
})

describe('all documents', () => {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0')
    .filter(file => file.endsWith('.md') && fs.existsSync(path.join(root, file)))

  it('are there', () => {
    for (const file of ['README', 'ARCHITECTURE', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG',
      'docs/benchmarks', 'docs/cluster', 'docs/commands', 'docs/defaults', 'docs/errors',
      'docs/features', 'docs/modules', 'docs/options', 'docs/others-bugs', 'docs/pubsub',
      'docs/scripts', 'docs/semantics', 'docs/sentinel', 'docs/sessions', 'docs/statistics',
      'docs/threads', 'docs/views', 'docs/internals/boundary', 'docs/internals/fuzzing',
      'docs/internals/lanes', 'docs/internals/pubsub', 'docs/internals/reliability',
      'docs/internals/sessions', 'docs/internals/several-nodes']) {
      assert.ok(files.includes(`${file}.md`), file)
    }
  })

  for (const file of files) {
    it(`${file} has no link that leads nowhere`, () => {
      for (const [, target] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [place, anchor] = target.split('#')
        const found = place === '' ? file : path.posix.join(path.posix.dirname(file), place)
        assert.ok(fs.existsSync(path.join(root, found)), target)
        if (anchor !== undefined) assert.ok(anchors(read(found)).includes(anchor), target)
      }
    })
  }
})

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md')

  it('names every file of lib and src, and no other', () => {
    const rows = section(text, '## Where is ...?').matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \| ./gm)
    const places = [...rows].map(([, place]) => place)
    assert.strictEqual(new Set(places).size, places.length, 'a file is named twice')
    const named = places.filter(place => /^(lib|src)\//.test(place))
    // Unit tests stand in folders and files of that name.
    const files = [...sources('lib', '.js'), ...sources('src', '.rs')].filter(file => !isRows(file))
    assert.deepStrictEqual(named.sort(), files.sort())
  })

  it('names functions that exist, as do the pages about the inside', () => {
    const pages = fs.readdirSync(path.join(root, 'docs', 'internals'))
    const rows = ['ARCHITECTURE.md', ...pages.map(name => `docs/internals/${name}`)]
      .flatMap(file => tablesOf(read(file), '| step | function | file |'))
    assert.ok(rows.length > 30)
    for (const [, functions, places] of rows) {
      const sources = quoted(places).map(read).join('\n')
      for (const name of quoted(functions)) {
        const last = name.split(/::|\./).at(-1)
        assert.ok(new RegExp(`(fn |function |^  (async )?)${last} ?[(<]`, 'm').test(sources), name)
      }
    }
  })
})

describe('the examples in the documents', () => {
  it('run', async () => {
    const script = path.join(root, 'scripts', 'readme-examples.js')
    await execFile(process.execPath, [script], { timeout: EXAMPLE_TIMEOUT })
  })
})

describe('the examples', () => {
  let server
  before(async () => { server = await startServer() })
  after(() => server.stop())

  const expected = {
    'bullmq.js': /^100 mails sent\nflaky failed: .*\nworked the second time\nreport .*: 6\n$/,
    'session-store.js': /page 3 of this session\npage 1 of this session\n$/,
    'cache-aside.js': /20 callers at once: 1 computation\n[^]*ABORT_ERR[^]*from computation\n$/,
    'load-and-stats.js': /latency p50 .* ms/,
    'job-queue.js': /crashed over job c\nput back: 1\ndone: job c\n[^]*left: 0 waiting, 0 taken\n$/,
    'optimistic-transaction.js': /^8 of 10 [^]*ann has 4, ben has 96: 100 together\n/,
    'channels.js': /command +SET example:channels:\d+:visits \? took [^]*pool:connection-wait /,
    'chat.js': /ben hears ann[^]*ann hears ben[^]*in the room: 1\n$/,
    'worker-threads.js': /^(thread \d: +[1-9][\d,]* commands\/s\n){4}connections .* together: 1\n$/,
    'cluster-workers.js': /^worker +pid +jobs\n( +\d+ +\d+ +\d+\n){2}1000 jobs done, 1000 of /,
    'rate-limiter.js': /5 allowed, 3 refused\nsomebody else: allowed\n.*: allowed\n$/
  }
  /** What an example cannot do without. */
  const needs = {
    'job-queue.js': 'blMove', 'optimistic-transaction.js': 'session', 'chat.js': 'subscribe'
  }

  it('are all run here', () => {
    assert.deepStrictEqual(fs.readdirSync(path.join(root, 'examples')).sort(),
      Object.keys(expected).sort())
  })

  for (const [file, output] of Object.entries(expected)) {
    const isMissing = needs[file] !== undefined && !(needs[file] in oxidis.RedisClient.prototype)
    const skip = file === 'bullmq.js'
      ? !fs.existsSync(path.join(LIBRARIES, 'bullmq')) && 'bullmq is not in __test__/ecosystem'
      : isMissing && `there is no ${needs[file]} yet`
    it(`${file} ends by itself, and leaves nothing behind`, { skip }, async () => {
      const place = path.join(root, 'examples', file)
      const { stdout } = await execFile(process.execPath, [place], {
        env: { ...process.env, NODE_PATH: LIBRARIES, REDIS_URL: server.url },
        timeout: EXAMPLE_TIMEOUT
      })
      assert.match(stdout, output)
      const client = oxidis.createClient(server.url)
      assert.strictEqual(await client.dbSize(), 0)
      await client.close()
    })
  }

  it('say what is wrong when there is no server', async () => {
    const place = path.join(root, 'examples', 'session-store.js')
    const run = execFile(process.execPath, [place], {
      env: { ...process.env, REDIS_URL: 'redis://127.0.0.1:1' }, timeout: EXAMPLE_TIMEOUT
    })
    await assert.rejects(run, ({ code, stderr }) => code === 1 && /ECONNREFUSED/.test(stderr))
  })
})

function read (file) {
  return fs.readFileSync(path.join(root, file), 'utf8')
}

/** The text from a heading to the next of its level. */
function section (text, heading) {
  const start = text.indexOf(`\n${heading}\n`)
  assert.notStrictEqual(start, -1, `no ${heading}`)
  const end = text.indexOf('\n## ', start + heading.length)
  return text.slice(start, end === -1 ? undefined : end)
}

/** The cells of all table rows, without heads. */
function table (text) {
  const lines = text.split('\n')
  const isHead = index => lines[index + 1]?.startsWith('|-')
  return lines.filter((line, index) => line.startsWith('| ') && !isHead(index))
    .map(line => line.slice(2, -2).split(/ \| /).map(cell => cell.trim()))
}

/** The cells of the rows of all tables with this head. */
function tablesOf (text, head) {
  return text.split(`\n${head}\n`).slice(1).flatMap(part => table(part.split('\n\n')[0]))
}

/** Whether a file holds the rows of one group of commands: these are named by their folders. */
function isRows (file) {
  return /^lib\/(commands|modules)\//.test(file) && Array.isArray(require(path.join(root, file)))
}

function quoted (text) {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
}

function bare (cell) {
  return cell.replaceAll('`', '')
}

/** What GitHub makes of headings. */
function anchors (text) {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

/** The codes of errors that the Rust sources make, tests left out. */
function codesOfRust () {
  return sources('src', '.rs').flatMap(file => {
    // Tests stand at the end, or in files of their own.
    const [text] = read(file).split(/^#\[cfg\(test\)\]\nmod tests \{/m)
    const made = /(?:Error::connection|Diagnosis::(?:fatal|passing))\(\s*"([A-Z_]+)"/g
    const named = /Error::new\(\s*(?:error::)?ErrorClass::\w+,\s*"([A-Z_]+)"/g
    const system = /(?:=>|\{) "(E[A-Z_]+|UNEXPECTED_EOF)"/g
    const large = /: TooLarge = \(\s*"([A-Z_]+)"/g
    const all = [...text.matchAll(made), ...text.matchAll(named), ...text.matchAll(large)]
    if (/error\.rs$|connect\.rs$/.test(file)) all.push(...text.matchAll(system))
    return all.map(([, code]) => code)
  })
}

function codesOfJavaScript () {
  return sources('lib', '.js').flatMap(file => {
    // What is given as `code`, also as one of two.
    const given = [...read(file).matchAll(/\bcode(?: =|:) ([^\n]*)/g)]
    return given.flatMap(([, value]) => [...value.matchAll(/'([A-Z][A-Z_]+)'/g)])
      .map(([, code]) => code)
  })
}

function sources (folder, ending) {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const place = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sources(place, ending)
    return entry.name.endsWith(ending) && !/tests/.test(place) ? [place] : []
  })
}

// Each takes about two seconds; a loaded machine may need many times that.
const EXAMPLE_TIMEOUT = 60_000
