'use strict'

// CONTRIBUTING.md, "Adding a command", works as it is written: its lines are added to a copy of the
// tree, and the made-up commands are looked for wherever a command has to be known.

const assert = require('node:assert')
const { execFileSync, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, describe, it } = require('node:test')

const { startFakeServer } = require('../support/fake-server')

const ROOT = path.join(__dirname, '..', '..')

/** The lines behind which those of CONTRIBUTING.md are put: file -> line. */
const PLACES = {
  'lib/commands/keys.js': 'module.exports = [',
  'scripts/generate/newer.js': 'Object.assign(newer, {',
  '__test__/commands/calls.js': 'module.exports = {'
}

/** Said in words there: node-redis has no such methods, so what goes over the wire is given. */
const WORDS = {
  '__test__/commands/encoding.spec.js': ['const OURS = new Map([', `
    ['foo', ([keys, value], prefix) => [
      'FOO', ...sent('sInterCard', [keys], prefix).slice(1), Buffer.from(value).latin1Slice()]],
    ['fooLen', (args, prefix) => ['FOOLEN', ...sent('get', args, prefix).slice(1)]],
    ['fooCount', () => ['FOOCOUNT']],`]
}

const copies = []
after(() => copies.forEach(copy => fs.rmSync(copy, { recursive: true, force: true })))

describe('a command that is added by the steps of CONTRIBUTING.md', () => {
  const steps = stepsOf('CONTRIBUTING.md')
  let copy, generated

  before(() => {
    copy = copyTree()
    for (const [file, text] of Object.entries(steps)) addTo(copy, file, PLACES[file], text)
    for (const [file, [line, text]] of Object.entries(WORDS)) addTo(copy, file, line, text)
    generated = generate(copy)
  })

  const read = file => fs.readFileSync(path.join(copy, file), 'utf8')
  const load = file => require(path.join(copy, file))

  it('is taken by the generator', () => {
    assert.deepStrictEqual(Object.keys(steps).sort(), Object.keys(PLACES).sort())
    assert.strictEqual(generated.status, 0, generated.stderr)
  })

  it('is a method that sends it, with the key prefix', async t => {
    const server = await startFakeServer()
    t.after(() => server.stop())
    server.on('command', (args, reply) => reply.send(`:${args.length}\r\n`))
    for (const name of fs.readdirSync(ROOT).filter(name => name.endsWith('.node'))) {
      fs.symlinkSync(path.join(ROOT, name), path.join(copy, name))
    }
    const client = load('index.js').createClient({ url: server.url, keyPrefix: 'p:' })
    t.after(() => client.destroy())
    assert.strictEqual(await client.foo(['a', 'b'], 'v'), 5)
    assert.strictEqual(await client.FOOLEN('a'), 2)
    assert.strictEqual(await client.fooCount(), 1)
    await assert.rejects(client.foo([], 'v'), /^TypeError: foo: argument "keys"/)
    assert.deepStrictEqual(server.commands.slice(-3).map(args => args.join(' ')),
      ['FOO 2 p:a p:b v', 'FOOLEN p:a', 'FOOCOUNT'])
  })

  it('is typed', () => {
    fs.writeFileSync(path.join(copy, 'program.ts'), `
      import { createClient } from './index.js'
      async function main () {
        const client = createClient()
        const written: number = await client.foo(['a', Buffer.from('b')], 'v')
        const [length, count] = await client.multi().fooLen('a').FOOCOUNT().exec()
        const sum: number = length + count
        client.foo('a', 'v', (error, reply) => { console.log(error, reply, written, sum) })
        // @ts-expect-error: the value is not given
        client.foo('a')
      }
    `)
    const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--strict',
      '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--types', 'node',
      'program.ts'], { cwd: copy, encoding: 'utf8' })
    assert.strictEqual(status, 0, stdout)
  })

  it('is documented', () => {
    const text = read('docs/commands.md')
    assert.ok(text.includes('| `foo(keys, value)` | [FOO](https://redis.io/docs/latest/commands/' +
      'foo/) | 9.9.0 | Sets several keys to one value. |'), 'no line of foo')
    assert.match(text, /^\| `fooLen\(key\)` \| \[FOOLEN\]/m)
    assert.match(read('index.d.ts'), /Sets several keys to one value\.\n.*\n.*Complexity: O\(N\)/)
  })

  it('has its flags in JavaScript and in Rust', () => {
    const { flagsOf, READONLY, REPEATABLE, WRITE } = load('lib/commands/flags.js')
    assert.strictEqual(flagsOf('foo'), WRITE)
    assert.strictEqual(flagsOf('fooLen'), READONLY | REPEATABLE)
    assert.strictEqual(flagsOf('fooCount'), 0)
    const table = read('src/command/table.rs')
    assert.match(table, /^ {4}spec\("FOO", WRITE, KEYS_\d+\),$/m)
    assert.match(table, /^ {4}spec\("FOOLEN", READONLY \| REPEATABLE, KEYS_\d+\),$/m)
    assert.match(table, /^ {4}spec\("FOOCOUNT", NONE, NO_KEYS\),$/m)
  })

  it('goes to the nodes of a cluster that its tips name', () => {
    const { policyOf } = load('lib/commands/policies.js')
    assert.deepStrictEqual(policyOf(['FOOCOUNT']), { nodes: 'all_shards', reply: 'agg_sum' })
    assert.strictEqual(policyOf(['FOO']), undefined)
  })

  it('goes to the slot of its keys in a cluster', t => {
    if (spawnSync('rustc', ['--version']).status !== 0) return t.skip('there is no rustc')
    // The table and the rules of keys, as the addon has them, without building all of it.
    const compile = (name, source, ...flags) => {
      fs.writeFileSync(path.join(copy, `${name}.rs`), source)
      execFileSync('rustc', ['--edition', '2021', '--cap-lints', 'allow', ...flags, `${name}.rs`],
        { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] })
    }
    compile('memchr', MEMCHR, '--crate-type', 'rlib')
    compile('keys', KEYS_PROGRAM, '--extern', 'memchr=libmemchr.rlib')
    const keysOf = (...args) => execFileSync(path.join(copy, 'keys'), args, { encoding: 'utf8' })
    // 15495 and 3300: CLUSTER KEYSLOT of a and b.
    assert.strictEqual(keysOf('FOO', '2', 'a', 'b', 'v'), 'a 15495\nb 3300\n')
    assert.strictEqual(keysOf('foolen', 'b'), 'b 3300\n')
    assert.strictEqual(keysOf('FOOCOUNT'), '')
  })

  it('passes the tests that compare rows, calls and generated files', () => {
    const files = ['encoding', 'generated'].map(name => `__test__/commands/${name}.spec.js`)
    const env = { ...process.env }
    // Without it the tests would report to the runner of this one.
    delete env.NODE_TEST_CONTEXT
    const { status, stdout } = spawnSync(process.execPath, ['--test', ...files],
      { cwd: copy, encoding: 'utf8', env })
    assert.strictEqual(status, 0, stdout)
  })
})

describe('the generator', () => {
  const steps = stepsOf('CONTRIBUTING.md')
  const without = (left, change = text => text) => {
    const copy = copyTree()
    for (const [file, text] of Object.entries(steps)) {
      if (file !== left) addTo(copy, file, PLACES[file], change(text))
    }
    const { status, stderr } = generate(copy)
    assert.strictEqual(status, 1)
    for (const file of ['src/command/table.rs', 'index.d.ts', 'tests/command_keys/calls.txt']) {
      assert.ok(fs.readFileSync(path.join(copy, file), 'utf8') ===
        fs.readFileSync(path.join(ROOT, file), 'utf8'), `${file} was written`)
    }
    return stderr
  }

  it('refuses a method whose command the table does not know', () => {
    const told = without('scripts/generate/newer.js')
    assert.match(told, /foo: the table does not know FOO: describe it in scripts\/generate\/newer/)
    assert.match(told, /fooCount: the table does not know FOOCOUNT/)
  })

  it('refuses a method without calls', () => {
    const told = without('__test__/commands/calls.js')
    assert.match(told, /foo: there is no call of it in __test__\/commands\/calls\.js/)
  })

  it('refuses a method that encodes a key which the table has no place for', () => {
    const told = without(undefined, text => text.replace(', keys: [keyAt(1)]', ''))
    assert.match(told, /fooLen: it encodes a key, but the table has no place of a key for FOOLEN/)
    assert.doesNotMatch(told, /foo:|fooCount:/)
  })

  it('refuses a method that nothing documents', () => {
    const told = without(undefined, text => text.replace(/^ {2}docs: .*length.*\n/m, ''))
    assert.match(told, /fooLen: nothing documents FOOLEN: give the row a `docs`/)
    assert.doesNotMatch(told, /foo:|fooCount:/)
  })
})

/** The code blocks of the section that name their file in a first line: file -> text. */
function stepsOf (document) {
  const text = fs.readFileSync(path.join(ROOT, document), 'utf8')
  const section = text.split('\n## Adding a command\n')[1].split('\n## ')[0]
  const blocks = section.matchAll(/^```js\n\/\/ (\S+)\n([^]*?)^```$/gm)
  return Object.fromEntries([...blocks].map(([, file, code]) => [file, code]))
}

/** A copy of the sources, with a link to the packages. */
function copyTree () {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-adding-'))
  copies.push(copy)
  for (const name of COPIED) {
    fs.cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true })
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'), 'junction')
  return copy
}

function addTo (copy, file, line, text) {
  const place = path.join(copy, file)
  const before = fs.readFileSync(place, 'utf8')
  assert.ok(before.includes(`\n${line}\n`), `${file} has no line ${line}`)
  fs.writeFileSync(place, before.replace(`\n${line}\n`, () => `\n${line}\n${text}\n`))
}

function generate (copy) {
  return spawnSync(process.execPath, ['scripts/generate-commands.js'],
    { cwd: copy, encoding: 'utf8' })
}

/** All that the generator, the methods and their types are made of. */
const COPIED = ['__test__', 'commands', 'docs', 'index.d.mts', 'index.d.ts', 'index.js', 'lib',
  'package.json', 'scripts', 'src', 'tests']

/** The one function of the crate of that name that is used. */
const MEMCHR = `
pub fn memchr(byte: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|other| *other == byte)
}
`

/** Prints each key of the command that its arguments are, and the key's slot. */
const KEYS_PROGRAM = `
#[path = "src/command/mod.rs"]
mod command;
#[path = "src/resp"]
mod resp {
    pub mod encode;
    pub mod scalar;
}
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut encoded = Vec::new();
    resp::encode::command(&mut encoded, &args);
    for key in command::keys::of(&encoded) {
        println!("{} {}", key.escape_ascii(), command::slot::of(key));
    }
}
`
