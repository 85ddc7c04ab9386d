'use strict'

/*
 * The comments above command methods in index.d.ts. They are made of what a row says about itself
 * and of what commands/redis.json says about its command.
 */

/**
 * The comment of a client's method: summary, complexity, version, and the page of the command.
 * @returns {string[]} its lines
 */
function documentation (row, facts) {
  const fact = factOf(row, facts)
  const lines = ['/**', ...wrap(sentence(fact.summary))]
  if (row.about !== undefined) lines.push(...wrap(row.about))
  lines.push(' *')
  if (fact.complexity) lines.push(...wrap(`Complexity: ${sentence(fact.complexity)}`))
  lines.push(...since(row, fact))
  if (fact.deprecatedSince) lines.push(...wrap(deprecation(fact)))
  const words = known(row.command, facts) ?? row.command.join(' ')
  const page = words.toLowerCase().replaceAll(' ', '-')
  lines.push(` * @see https://redis.io/docs/latest/commands/${page}/`, ' */')
  return lines
}

/** The comment of a chain's method: the summary alone, since a chain repeats each command. */
function shortDocumentation (row, facts) {
  const text = [factOf(row, facts).summary, row.about].filter(Boolean).map(sentence).join(' ')
  const line = `/** ${text} */`
  // Two columns less than a line of source has: interfaces indent their members.
  return line.length <= 98 ? [line] : ['/**', ...wrap(text), ' */']
}

/** What is known about the command of a row. */
function factOf (row, facts) {
  const name = known(row.command, facts)
  const fact = name === undefined ? row.docs : facts[name]
  if (fact === undefined) throw new Error(`${row.name}: no documentation for ${row.command}`)
  return fact
}

/**
 * The longest start of the command's tokens that the snapshot describes: `ACL LOG` for a variant.
 * The snapshot knows flags of modules' commands, but describes none of them.
 */
function known (tokens, facts) {
  for (let count = tokens.length; count > 0; count--) {
    const name = tokens.slice(0, count).join(' ')
    if (facts[name]?.summary !== undefined) return name
  }
}

/** The first version that has the command: of its module, or of the server. */
function since ({ namespace }, { since }) {
  if (namespace === undefined) return [` * Since ${since || 'a version after 8.4'}.`]
  return since === undefined ? [] : [` * Since ${PRODUCTS[namespace]} ${since}.`]
}

function deprecation ({ deprecatedSince, replacedBy }) {
  const instead = replacedBy ? `, use ${replacedBy}` : ''
  return sentence(`The server calls it deprecated since ${deprecatedSince}${instead}`)
}

/** The text in one line, with a full stop. It cannot end the comment that it stands in. */
function sentence (text) {
  const flat = text.replaceAll('*/', '* /').replace(/\s+/g, ' ').trim()
  return flat.endsWith('.') ? flat : `${flat}.`
}

/** Lines of a comment. Within an interface, which indents them, they have 98 columns at most. */
function wrap (text) {
  const lines = [' *']
  for (const word of text.split(' ')) {
    const last = lines.length - 1
    if (lines[last].length + word.length + 1 > 96) lines.push(` * ${word}`)
    else lines[last] += ` ${word}`
  }
  return lines
}

/** The module behind each namespace. */
const PRODUCTS = {
  json: 'RedisJSON',
  bf: 'RedisBloom',
  cf: 'RedisBloom',
  cms: 'RedisBloom',
  topK: 'RedisBloom',
  tDigest: 'RedisBloom',
  ft: 'RediSearch',
  ts: 'RedisTimeSeries'
}

module.exports = { documentation, known, sentence, shortDocumentation }
