'use strict'

// What an editor shows of the types: a method with its reply and its summary, the place of its
// declaration, and the text of an error. `npm run typecheck` runs this file with the language
// service of TypeScript 5.9, since the native compiler has none for JavaScript.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { describe, it } = require('node:test')

const ts = require('typescript-5.9')

const DECLARATIONS = path.join(__dirname, '..', '..', 'index.d.ts')

/** No such file exists: the language service is given its text. */
const PROGRAM = path.join(__dirname, 'editor-program.ts')

/** Each expression of the tests stands on a line behind it. */
const HEAD = `import { createClient, RESP_TYPES, type RedisSession } from 'oxidis'
declare const session: RedisSession
const client = createClient()
const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
`

const GET = 'Returns the string value of a key.'
const INCR = 'Increments the integer value of a key by one.'
const JSON_GET = 'Returns what the path matches, parsed; the whole document by default.'
const WATCH = 'Monitors changes to keys to determine the execution of a transaction.'

/** The interface that declares the method, its reply, and how its summary begins. */
const SHOWN = {
  "client.get('k')": ['RedisTextCommands', 'Promise<string | null>', GET],
  "client.incr('n')": ['RedisPlainCommands', 'Promise<number>', INCR],
  "bytes.get('k')": ['RedisTextCommands', 'Promise<Buffer | null>', GET],
  "client.multi().get('k')": ['RedisMulti', 'RedisMulti<[string | null], {}, string>', GET],
  "client.multi().incr('n').get('k')":
    ['RedisMulti', 'RedisMulti<[number, string | null], {}, string>', GET],
  "bytes.multi().get('k')": ['RedisMulti', 'RedisMulti<[Buffer | null], {}, Buffer>', GET],
  "session.get('k')": ['RedisTextCommands', 'Promise<string | null>', GET],
  "session.watch('k')": ['RedisSessionCommands', 'Promise<"OK">', WATCH],
  "client.json.get('k')": ['RedisJsonPlainCommands', 'Promise<RedisJSON>', JSON_GET],
  "bytes.json.get('k')": ['RedisJsonPlainCommands', 'Promise<RedisJSON>', JSON_GET],
  "client.multi().json.get('k')":
    ['RedisJsonMulti', 'RedisMulti<[RedisJSON], {}, string>', JSON_GET]
}

const WRONG_ARGUMENT =
  "Argument of type 'number' is not assignable to parameter of type 'RedisArgument'."

/** What the compiler says of it. */
const WRONG = {
  'client.get(5)': WRONG_ARGUMENT,
  "bytes.hGet('h', 5)": WRONG_ARGUMENT,
  'client.multi().get(5)': WRONG_ARGUMENT,
  'client.json.get(5)': WRONG_ARGUMENT,
  'client.hLen()': 'Expected 1-2 arguments, but got 0.',
  "client.multi().set('k')": 'Expected 2-3 arguments, but got 1.',
  "client.getDell('k')":
    "Property 'getDell' does not exist on type 'RedisClient'. Did you mean 'getDel'?",
  "client.multi().getDell('k')": "Property 'getDell' does not exist on type " +
    "'RedisMulti<[], {}, string>'. Did you mean 'getDel'?"
}

const source = [HEAD, ...[SHOWN, WRONG].flatMap(Object.keys).map(text => `void ${text}\n`)].join('')
const service = serviceOf(source)

describe('an editor', () => {
  for (const [expression, [owner, reply, summary]] of Object.entries(SHOWN)) {
    it(`shows the method and its declaration: ${expression}`, () => {
      const [, name] = /(\w+)\([^()]*\)$/.exec(expression)
      const at = source.indexOf(`void ${expression}\n`) + 'void '.length +
        expression.lastIndexOf(`${name}(`)
      const info = service.getQuickInfoAtPosition(PROGRAM, at)
      const shown = plain(ts.displayPartsToString(info.displayParts))
      assert.match(shown, new RegExp(`^\\(method\\) ${owner}\\b.*\\.${name}\\(`))
      assert.ok(shown.replace(/ \(\+\d overloads?\)$/, '').endsWith(`): ${reply}`), shown)
      const documentation = ts.displayPartsToString(info.documentation).replace(/\s+/g, ' ')
      assert.ok(documentation.startsWith(summary), documentation)

      const definitions = service.getDefinitionAtPosition(PROGRAM, at)
      assert.ok(definitions.length > 0)
      for (const { containerName, fileName, textSpan } of definitions) {
        assert.strictEqual(containerName, owner)
        assert.strictEqual(path.resolve(fileName), DECLARATIONS)
        assert.ok(fs.readFileSync(fileName, 'utf8').startsWith(`${name}(`, textSpan.start))
      }
    })
  }

  for (const [expression, message] of Object.entries(WRONG)) {
    it(`says in one line what is wrong: ${expression}`, () => {
      const start = source.indexOf(`void ${expression}\n`)
      const said = service.getSemanticDiagnostics(PROGRAM)
        .filter(found => found.start >= start && found.start < start + expression.length + 5)
        .map(found => ts.flattenDiagnosticMessageText(found.messageText, '\n'))
      assert.deepStrictEqual(said, [message])
    })
  }

  it('finds nothing else wrong', () => {
    const count = service.getSemanticDiagnostics(PROGRAM).length
    assert.strictEqual(count, Object.keys(WRONG).length)
  })
})

/** Later versions of Node's types give Buffer a parameter, which is shown with its default. */
function plain (text) {
  return text.replaceAll('Buffer<ArrayBufferLike>', 'Buffer')
}

/** A language service for one file of this text and what it imports. */
function serviceOf (text) {
  const { config } = ts.readConfigFile(path.join(__dirname, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, __dirname)
  const read = file => file === PROGRAM ? text : ts.sys.readFile(file)
  return ts.createLanguageService({
    getCompilationSettings: () => ({ ...options, skipLibCheck: true }),
    getScriptFileNames: () => [PROGRAM],
    getScriptVersion: () => '1',
    getScriptSnapshot: file => {
      const found = read(file)
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found)
    },
    getCurrentDirectory: () => __dirname,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: file => file === PROGRAM || ts.sys.fileExists(file),
    readFile: read,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories
  })
}
