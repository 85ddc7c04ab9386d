'use strict'

/*
 * What the types of a client cost the compiler:
 *
 *   node bench/types.js [rounds]
 *
 * One program, a hundred commands, a chain and a view, is checked with the types of oxidis and with
 * those of node-redis; nothing but the name in its import differs. Owns the program, a temporary
 * folder for it, and the numbers that `tsc --extendedDiagnostics` prints. Rounds alternate, and
 * medians are shown, since times differ between runs; the counts do not.
 */

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const ROOT = path.join(__dirname, '..')
const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
const DECLARATIONS = {
  oxidis: path.join(ROOT, 'index.d.ts'),
  redis: path.join(ROOT, 'node_modules', 'redis', 'dist', 'index.d.ts')
}

/**
 * Compiles the program once.
 * @param {'oxidis' | 'redis'} name whose types
 * @param {{ skipLibCheck?: boolean }} [options] default: true, as most programs have it
 * @returns {{ time: number, memory: number, types: number, instantiations: number }} seconds, and
 *   MB
 */
function check (name, { skipLibCheck = true } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'oxidis-types-'))
  try {
    fs.writeFileSync(path.join(folder, 'program.ts'), program(name))
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        module: 'nodenext',
        lib: ['es2022', 'esnext.disposable'],
        types: ['node'],
        typeRoots: [path.join(ROOT, 'node_modules', '@types')],
        strict: true,
        skipLibCheck,
        noEmit: true,
        paths: { [name]: [DECLARATIONS[name]] }
      },
      files: ['program.ts']
    }))
    // One checker: several would each count what they share.
    const args = [TSC, '-p', folder, '--extendedDiagnostics', '--singleThreaded']
    return numbers(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  } catch (error) {
    throw new Error(`tsc refuses the program with the types of ${name}:\n${error.stdout}`,
      { cause: error })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function numbers (printed) {
  const of = label => {
    const found = new RegExp(`^${label}:\\s+([\\d.]+)`, 'm').exec(printed)
    if (found === null) throw new Error(`tsc printed no "${label}":\n${printed}`)
    return Number(found[1])
  }
  return {
    time: of('Total time'),
    memory: of('Memory used') / 1024,
    types: of('Types'),
    instantiations: of('Instantiations')
  }
}

/** The program with its import from `name`. */
function program (name) {
  const lines = COMMANDS.map((call, index) => `  const reply${index} = await client.${call}`)
  const replies = COMMANDS.map((_, index) => `reply${index}`)
  return `import { createClient, RESP_TYPES } from '${name}'

export async function run() {
  const client = createClient({ url: 'redis://localhost:6379', commandOptions: { timeout: 1000 } })
  client.on('error', error => { console.error(error) })
  await client.connect()
${lines.join('\n')}
  const replies = await client.multi()${CHAIN.map(call => `.${call}`).join('')}.exec()
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const value = await bytes.get('k')
  const fields = await bytes.hGetAll('h')
  await client.close()
  return [replies, value?.toString(), fields, ${replies.join(', ')}]
}
`
}

/** A hundred commands of all kinds, in calls that both clients take. */
const COMMANDS = [
  "get('k')", "set('k', 'v')", "set('k', 'v', { expiration: { type: 'EX', value: 10 } })",
  "getDel('k')", "getRange('k', 0, -1)", "setRange('k', 0, 'v')", "append('k', 'v')",
  "strLen('k')", "incr('n')", "incrBy('n', 5)", "incrByFloat('n', 1.5)", "decr('n')",
  "decrBy('n', 5)", "mGet(['a', 'b'])", "mSet({ a: '1', b: '2' })", "mSetNX({ a: '1' })",
  "setEx('k', 10, 'v')", "pSetEx('k', 10, 'v')", "setNX('k', 'v')",
  "getEx('k', { type: 'EX', value: 10 })", "del('k')", "del(['a', 'b'])", "unlink('k')",
  "exists('k')", "expire('k', 10)", "pExpire('k', 10)", "ttl('k')", "pTTL('k')", "persist('k')",
  "type('k')", "rename('a', 'b')", "renameNX('a', 'b')", "copy('a', 'b')", "touch('k')",
  "scan('0', { MATCH: 'a*', COUNT: 100 })", "randomKey()", "dbSize()",
  "setBit('bits', 7, 1)", "getBit('bits', 7)", "bitCount('bits')", "bitPos('bits', 1)",
  "hSet('h', 'f', 'v')", "hSet('h', { f: 'v', g: 'w' })", "hGet('h', 'f')", "hGetAll('h')",
  "hmGet('h', ['f', 'g'])", "hDel('h', 'f')", "hExists('h', 'f')", "hKeys('h')", "hVals('h')",
  "hLen('h')", "hIncrBy('h', 'n', 1)", "hScan('h', '0')", "lPush('l', ['a', 'b'])",
  "rPush('l', 'a')", "lPop('l')", "rPop('l')", "lRange('l', 0, -1)", "lLen('l')",
  "lIndex('l', 0)", "lRem('l', 1, 'a')", "lTrim('l', 0, 10)", "lSet('l', 0, 'a')",
  "lMove('l', 'm', 'LEFT', 'RIGHT')", "blPop('l', 1)", "sAdd('s', ['a', 'b'])", "sRem('s', 'a')",
  "sMembers('s')", "sIsMember('s', 'a')", "smIsMember('s', ['a', 'b'])", "sCard('s')",
  "sInter(['s', 't'])", "sUnion(['s', 't'])", "sDiff(['s', 't'])", "sPop('s')",
  "sScan('s', '0')", "zAdd('z', { score: 1, value: 'a' })", "zRange('z', 0, -1)",
  "zRangeWithScores('z', 0, -1)", "zScore('z', 'a')", "zRank('z', 'a')", "zIncrBy('z', 1, 'a')",
  "zRem('z', 'a')", "zCard('z')", "zCount('z', 0, 10)", "zPopMin('z')",
  "zRangeByScore('z', 0, 10)", "xAdd('x', '*', { f: 'v' })", "xRange('x', '-', '+')",
  "xLen('x')", "xRead({ key: 'x', id: '0' })", "xDel('x', '1-0')", "pfAdd('p', 'a')",
  "pfCount('p')", "geoAdd('g', { longitude: 1, latitude: 2, member: 'm' })",
  "geoDist('g', 'm', 'n')", "publish('c', 'message')", "ping()", "info()", "configGet('maxmemory')"
]

/** What the chain holds: its type grows with each. */
const CHAIN = ["set('k', 'v')", "get('k')", "incr('n')", "hGetAll('h')", "lRange('l', 0, -1)",
  "sMembers('s')", "zScore('z', 'a')", "del('k')", "exists('k')", "ttl('k')"]

function median (values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function main (rounds) {
  console.log(`${COMMANDS.length} commands, ${rounds} rounds, medians`)
  for (const skipLibCheck of [true, false]) {
    console.log(`\nskipLibCheck ${skipLibCheck}`)
    const runs = { oxidis: [], redis: [] }
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(runs)) runs[name].push(check(name, { skipLibCheck }))
    }
    for (const [what, unit] of [['time', 's'], ['memory', 'MB'], ['types', ''],
      ['instantiations', '']]) {
      const [ours, theirs] = Object.values(runs).map(list => median(list.map(run => run[what])))
      const shown = [ours, theirs].map(value => `${Number(value.toFixed(3)).toLocaleString('en')}`)
      console.log(`${what.padEnd(16)} oxidis ${shown[0].padStart(9)} ${unit.padEnd(2)}  redis ` +
        `${shown[1].padStart(9)} ${unit.padEnd(2)}  ${(ours / theirs).toFixed(2)}x`)
    }
  }
}

if (require.main === module) main(Number(process.argv[2] ?? 5))

module.exports = { COMMANDS, check }
