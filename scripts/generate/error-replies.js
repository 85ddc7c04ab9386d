'use strict'

/*
 * The error replies of a server that oxidis acts on, by their first words: the one place that says
 * what each of them means. Renders src/error_replies/table.rs and lib/error-replies.js.
 *
 * Sources: the replies that Redis 7 and Valkey 8 give in `processCommand` (server.c) and
 * `clusterRedirectClient` (cluster.c), and
 * <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>.
 *
 * The columns of a row:
 *
 *   word          the reply's first word
 *   meaning       what the server says with it
 *   reason        why the server did not run the command: a variant of `Reason` in Rust. Without
 *                 one, only JavaScript reads the word, and the reply is for the caller
 *   remedy        what oxidis does about it: a variant of `Remedy` in Rust. Without one, oxidis
 *                 does nothing, and the caller gets the reply
 *   isRetryable   the same command may succeed later without anybody changing it: `retryable` of
 *                 the error that the caller gets. MOVED and ASK are not: the same server gives the
 *                 same answer again. A lane says `retryable` of every command that it took back
 *                 for a remedy, also of these: it can be sent again as it is
 *   isRedirect    the command can be run after a redirect, or once it is known again which node
 *                 has which slot: JavaScript tries again where it has sent the command to a node
 *                 of its choice. LOADING and MASTERDOWN are not: they may last for minutes
 *   isRoleChange  the node is not, or not yet, what it was taken for: an answer from it says
 *                 nothing about the others. TRYAGAIN, MOVED and ASK are not: a healthy primary
 *                 gives them
 *   isElsewhere   (computed) the reply names the node that runs the command
 *   isRefusal     (computed) the reply says that the command was not run, or took nothing
 *   isEnded       the command was being run and was ended before it took anything: `applied` of
 *                 the error is 'no'
 *   texts         the whole replies that servers give before they run anything. Only these count
 *                 where the command runs a program (EVAL, FCALL) or is not in the command table:
 *                 there the first word may be the program's, which has written by then. `*` stands
 *                 for one word (the name that the server gives itself), `#` for a number, `@` for
 *                 an address. What follows the last letter (a full stop) does not count. Collected
 *                 from Redis 5 to 8 and Valkey 7 to 9: server.c (`createSharedObjects`), script.c
 *                 (`scriptPrepareForRun`), cluster.c (`clusterRedirectClient`)
 */

const REPLIES = [
  {
    word: 'ASK',
    meaning: 'the slot is on its way to another node, which has the keys of this command',
    reason: 'SlotMoving',
    remedy: 'Move',
    isRedirect: true,
    texts: ['ASK # @']
  },
  {
    word: 'BUSY',
    meaning: 'a script has been running for too long, and nothing else is run meanwhile',
    reason: 'ScriptRunning',
    remedy: 'Wait',
    isRetryable: true,
    texts: [
      'BUSY * is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
      'BUSY * is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
      'BUSY * is busy running a module command.'
    ]
  },
  {
    word: 'CLUSTERDOWN',
    meaning: 'the cluster does not cover all slots, or the node has lost most of the others',
    reason: 'ClusterDown',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRedirect: true,
    isRoleChange: true,
    texts: [
      'CLUSTERDOWN The cluster is down',
      'CLUSTERDOWN The cluster is down. Use CLUSTER INFO for more information',
      'CLUSTERDOWN The cluster is down and only accepts read commands',
      'CLUSTERDOWN Hash slot not served'
    ]
  },
  {
    word: 'EXECABORT',
    meaning: 'the transaction was discarded, because one of its commands was refused'
  },
  {
    word: 'LOADING',
    meaning: 'the server reads its data set from disk',
    reason: 'NotReady',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRoleChange: true,
    texts: ['LOADING * is loading the dataset in memory']
  },
  {
    word: 'MASTERDOWN',
    meaning: 'a replica has lost its primary and must not serve old data',
    reason: 'NotReady',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRoleChange: true,
    texts: [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      "MASTERDOWN Link with MASTER is down and slave-serve-stale-data is set to 'no'.",
      "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and " +
        "'allow-stale' flag is not set on the script."
    ]
  },
  {
    word: 'MISCONF',
    meaning: 'the server cannot save to disk and refuses writes, maybe for long',
    reason: 'WritesRefused',
    isRetryable: true
  },
  {
    word: 'MOVED',
    meaning: 'another node has the slot',
    reason: 'SlotMoved',
    remedy: 'Move',
    isRedirect: true,
    texts: ['MOVED # @']
  },
  {
    word: 'NOAUTH',
    meaning: 'the connection is not logged in, or not any more',
    reason: 'NotLoggedIn',
    remedy: 'Reconnect',
    texts: ['NOAUTH Authentication required.']
  },
  {
    word: 'NOPERM',
    meaning: 'the user may not run the command, or not with these keys'
  },
  {
    word: 'NOREPLICAS',
    meaning: 'too few replicas are connected for a write, maybe for long',
    reason: 'WritesRefused',
    isRetryable: true,
    texts: ['NOREPLICAS Not enough good replicas to write.']
  },
  {
    word: 'NOSCRIPT',
    meaning: 'the server does not have the script of this digest',
    // Valkey 9.1 gives no advice any more.
    texts: ['NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT No matching script.']
  },
  {
    word: 'READONLY',
    meaning: 'the server is a replica, and the command writes',
    reason: 'NotPrimary',
    remedy: 'ReconnectOrMove',
    isRetryable: true,
    isRedirect: true,
    isRoleChange: true,
    texts: [
      "READONLY You can't write against a read only replica.",
      "READONLY You can't write against a read only slave.",
      'READONLY Can not run script with write flag on readonly replica'
    ]
  },
  {
    word: 'TRYAGAIN',
    meaning: 'the keys of the command are on two nodes, while their slot is on its way',
    reason: 'KeysSplit',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRedirect: true,
    texts: [
      'TRYAGAIN Multiple keys request during rehashing of slot',
      'TRYAGAIN Slot is being trimmed'
    ]
  },
  {
    word: 'UNBLOCKED',
    meaning: 'another client, or a change of the role, has ended the wait of a blocking command',
    isRetryable: true,
    isEnded: true
  },
  {
    word: 'WRONGPASS',
    meaning: 'the server does not know the user name or the password'
  }
]

for (const row of REPLIES) {
  const { reason, remedy, isEnded = false, texts } = row
  row.isElsewhere = remedy === 'Move'
  row.isRefusal = reason !== undefined || isEnded || texts !== undefined
}

/** The Rust table: the words with a reason, as the arms of one `match`. */
function renderRust () {
  const arms = REPLIES.filter(({ reason }) => reason !== undefined).map(row => {
    const remedy = row.remedy === undefined ? 'None' : `Some(Remedy::${row.remedy})`
    return `        // ${row.meaning}
        b"${row.word}" => (Reason::${row.reason}, ${remedy}, ${rustTexts(row)}),`
  })
  return `${HEADER}
//! The error replies that Rust acts on, by their first words.

use super::{Reason, Remedy};

type Meaning = (Reason, Option<Remedy>, &'static [&'static str]);

/// What the error reply whose first word is \`word\` means, and the whole replies that servers give
/// before they run anything; None for all other words.
#[rustfmt::skip]
pub(super) fn find(word: &[u8]) -> Option<Meaning> {
    let found: Meaning = match word {
${arms.join('\n')}
        _ => return None,
    };
    Some(found)
}
`
}

function rustTexts ({ texts = [] }) {
  if (texts.length === 0) return '&[]'
  const lines = texts.map(text => {
    const parts = partsOf(text).map(part => `"${part}"`)
    if (parts.length === 1) return parts[0]
    return `concat!(\n${parts.map(part => `                ${part}`).join(',\n')}\n            )`
  })
  return `&[\n${lines.map(line => `            ${line},\n`).join('')}        ]`
}

/** A text in parts that fit into a line. */
function partsOf (text) {
  const parts = ['']
  for (const word of text.split(/(?<= )/)) {
    if ((parts.at(-1) + word).length > LONGEST_PART) parts.push('')
    parts[parts.length - 1] += word
  }
  return parts
}

/** The JavaScript leaf: one function for each column. */
function renderJavaScript () {
  return `${HEADER}
'use strict'

/*
 * What the first word of an error reply means: the code of an \`ErrorReply\`.
${REPLIES.map(({ word, meaning }) => ` *   ${word}: ${meaning}`).join('\n')}
 */

/** Whether the same command may succeed later without anybody changing it. */
function isRetryable (code) {
  return RETRYABLE.has(code)
}

/** Whether the command can be run on another node, or once it is known who has which slot. */
function isRedirect (code) {
  return REDIRECTS.has(code)
}

/** Whether the reply names the node that runs the command. */
function isElsewhere (code) {
  return ELSEWHERE.has(code)
}

/** Whether the node is not, or not yet, what it was taken for. */
function isRoleChange (code) {
  return ROLE_CHANGES.has(code)
}

/** Whether the command was being run and was ended before it took anything. */
function isEnded (code) {
  return ENDED.has(code)
}

/** Whether the reply says, as a rule, that the command was not run, or that it took nothing. */
function isRefusal (code) {
  return REFUSALS.has(code)
}

/**
 * Whether all of \`text\` is what servers say before they run anything. A program that a command
 * runs may begin its errors with the same words.
 */
function isServerText (text) {
  const words = wordsOf(text)
  return TEXTS.some(pattern => pattern.length === words.length &&
    pattern.every((word, i) => word === words[i] || PLACEHOLDERS.get(word)?.test(words[i])))
}

/** The words, without what follows the last letter. */
function wordsOf (text) {
  return text.replace(/[\\s.]+$/, '').split(' ')
}

const REFUSALS = ${set('isRefusal')}
const RETRYABLE = ${set('isRetryable')}
const REDIRECTS = ${set('isRedirect')}
const ELSEWHERE = ${set('isElsewhere')}
const ROLE_CHANGES = ${set('isRoleChange')}
const ENDED = ${set('isEnded')}

/** What stands for a word, a number and an address in the texts below. */
const PLACEHOLDERS = new Map([['*', /./], ['#', /^\\d+$/], ['@', /:\\d+$/]])

const TEXTS = [
${REPLIES.flatMap(({ texts }) => texts ?? []).map(javaScriptText).join(',\n')}
].map(wordsOf)

module.exports = {
  isElsewhere, isEnded, isRedirect, isRefusal, isRetryable, isRoleChange, isServerText
}
`
}

function javaScriptText (text) {
  const quoted = partsOf(text).map(part => part.includes("'") ? `"${part}"` : `'${part}'`)
  return `  ${quoted.join(' +\n    ')}`
}

/** A set of the words with this column, wrapped at 100 columns. */
function set (column) {
  const words = REPLIES.filter(row => row[column]).map(({ word }) => `'${word}'`)
  const line = `new Set([${words.join(', ')}])`
  if (line.length <= ONE_LINE) return line
  const half = Math.ceil(words.length / 2)
  const lines = [words.slice(0, half), words.slice(half)].map(some => `  ${some.join(', ')}`)
  return `new Set([\n${lines.join(',\n')}\n])`
}

const HEADER =
  '// Generated by scripts/generate-commands.js from its error-replies.js. Do not edit.'

/** Columns for a set beside the longest name of one. */
const ONE_LINE = 76

/** Columns for a text in Rust, behind its indent and with its quotes. */
const LONGEST_PART = 84

module.exports = { REPLIES, renderJavaScript, renderRust }
