'use strict'

/*
 * Renders interfaces of command methods from rows of the command table, for index.d.ts.
 *
 * Methods are written out one by one, and no method is generic. A program that uses a few of them
 * then costs the compiler no more than looking a few names up, an editor shows each with its
 * summary, and "go to definition" leads to it.
 */

const { documentation, shortDocumentation } = require('./method-docs')
const { signature } = require('./signature')

/**
 * The methods of clients, views and sessions. Each returns a promise, or takes a callback as its
 * last argument.
 * @param {string} head what stands between `interface` and the members
 * @param {string} summary the interface's comment
 */
function promising (head, summary, rows, facts) {
  const owner = head.split(' ')[0]
  return written(head, summary, rows, row => [
    ...documentation(row, facts),
    ...forms(row).flatMap(({ params, reply }) => [
      `${row.name}(${listed(params)}): Promise<${reply}>`,
      ...withCallback(row, params, reply)
    ]),
    ...twins(row, owner)
  ])
}

/** The methods of chains. Each returns the chain, with one more reply in its type. */
function chaining (head, summary, rows, facts) {
  const owner = `${head.split('<')[0]}<Replies, D, T>`
  return written(head, summary, rows, row => [
    ...shortDocumentation(row, facts),
    ...forms(row).map(({ params, reply }) => (
      `${row.name}(${listed(params)}): RedisChain<[...Replies, ${reply}], D, T>`
    )),
    ...twins(row, owner)
  ])
}

/** An interface whose members are the lines that `membersOf` makes of each row. */
function written (head, summary, rows, membersOf) {
  const lines = rows.flatMap(membersOf).map(line => `  ${line}`)
  return `/** ${summary} */\nexport interface ${head} {\n${lines.join('\n')}\n}`
}

/** The overloads of a row. */
function forms (row) {
  return [row.ts].flat().map(signature)
}

function listed (params) {
  return params.map(param => param.text).join(', ')
}

/** The method's other names. */
function twins (row, owner) {
  return [row.upper, ...row.aliases].filter(name => name !== row.name).map(name => (
    `${/^\w+$/.test(name) ? name : `'${name}'`}: ${owner}['${row.name}']`
  ))
}

/** An overload for each number of arguments that can stand in front of the callback. */
function withCallback (row, params, reply) {
  const { name } = row
  const rest = params.find(param => param.isRest)
  if (rest !== undefined) {
    const before = params.filter(param => param !== rest).map(param => `${param.text}, `).join('')
    if (before !== '') return []
    return [`${name}(...args: [...${rest.name}: ${rest.type}, callback: Callback<${reply}>]): void`]
  }
  const required = params.filter(param => !param.isOptional).length
  const overloads = []
  for (let count = required; count <= params.length; count++) {
    // A function there is the argument itself.
    if (count === row.takesFunctionAt) continue
    const given = params.slice(0, count).map(param => (
      param.isOptional ? `${param.name}: ${param.type} | undefined` : param.text
    ))
    given.push(`callback: Callback<${reply}>`)
    overloads.push(`${name}(${given.join(', ')}): void`)
  }
  return overloads
}

module.exports = { chaining, promising }
