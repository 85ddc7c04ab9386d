'use strict'

/*
 * `npx oxidis doctor`: what the words of the command line mean, and what is printed.
 */

const { parseArgs } = require('node:util')

const { diagnose } = require('./index')
const { render } = require('./render')

const USAGE = `usage: oxidis doctor [URL or options as JSON] [--json] [--load] [--timeout ms]

Says why a Redis or Valkey server cannot be used, or what will go wrong some day. It writes nothing
to the server, and shows no password.

  oxidis doctor                                      redis://localhost:6379
  oxidis doctor rediss://user:password@host:6380
  oxidis doctor '{ "rootNodes": [{ "url": "redis://host:7000" }] }'
  oxidis doctor '{ "name": "mymaster", "sentinelRootNodes": [{ "host": "host" }] }'

  -                the URL or the options are read from standard input, which other users of the
                   machine cannot see, as they can see a command line
  --json           the report for programs
  --load           also measures the throughput, for 3 seconds
  --timeout ms     ends after this time with what was found, default 30000

exit status: 0 nothing is wrong, 1 there are warnings, 2 it cannot be used
`

/**
 * Runs the command. Resolves to the exit status.
 * @param {string[]} words behind \`doctor\`
 * @param {{ stdin: NodeJS.ReadableStream, stdout: NodeJS.WritableStream,
 *   stderr: NodeJS.WritableStream, env: Record<string, string | undefined> }} process
 */
async function run (words, { stdin, stdout, stderr, env }) {
  let report, values
  try {
    let positionals
    ({ values, positionals } = parseArgs({ args: words, options: OPTIONS, allowPositionals: true }))
    if (values.help) {
      stdout.write(USAGE)
      return 0
    }
    if (positionals.length > 1) throw new TypeError('there is more than one URL')
    const given = optionsOf(positionals[0] === '-' ? await whole(stdin) : positionals[0])
    const how = { load: values.load ?? false }
    if (values.timeout !== undefined) how.timeout = Number(values.timeout)
    report = await diagnose(given, how)
  } catch (error) {
    // Whoever reads it wants to know what to write. It has no stack and no value.
    stderr.write(`oxidis doctor: ${error.message}\n\n${USAGE}`)
    return 2
  }
  const colours = stdout.isTTY === true && env.NO_COLOR === undefined
  stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : render(report, { colours }))
  return report.status
}

/** Options of what stands on the command line: JSON, or a URL. */
function optionsOf (text) {
  const trimmed = text?.trim()
  if (!trimmed?.startsWith('{')) return trimmed
  try {
    return JSON.parse(trimmed)
  } catch {
    // JSON's own message shows a part of the text, which may be a password.
    throw new TypeError('the options are no JSON')
  }
}

async function whole (stream) {
  let text = ''
  for await (const part of stream.setEncoding('utf8')) text += part
  return text
}

const OPTIONS = {
  json: { type: 'boolean' },
  load: { type: 'boolean' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
}

module.exports = { USAGE, run }
