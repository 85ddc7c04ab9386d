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
 *   isEnded       the command was being run and was ended before it took anything: `applied` of
 *                 the error is 'no'
 */

const REPLIES = [
  {
    word: 'ASK',
    meaning: 'the slot is on its way to another node, which has the keys of this command',
    reason: 'SlotMoving',
    remedy: 'Move',
    isRedirect: true
  },
  {
    word: 'BUSY',
    meaning: 'a script has been running for too long, and nothing else is run meanwhile',
    reason: 'ScriptRunning',
    remedy: 'Wait',
    isRetryable: true
  },
  {
    word: 'CLUSTERDOWN',
    meaning: 'the cluster does not cover all slots, or the node has lost most of the others',
    reason: 'ClusterDown',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRedirect: true,
    isRoleChange: true
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
    isRoleChange: true
  },
  {
    word: 'MASTERDOWN',
    meaning: 'a replica has lost its primary and must not serve old data',
    reason: 'NotReady',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRoleChange: true
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
    isRedirect: true
  },
  {
    word: 'NOAUTH',
    meaning: 'the connection is not logged in, or not any more',
    reason: 'NotLoggedIn',
    remedy: 'Reconnect'
  },
  {
    word: 'NOPERM',
    meaning: 'the user may not run the command, or not with these keys'
  },
  {
    word: 'NOREPLICAS',
    meaning: 'too few replicas are connected for a write, maybe for long',
    reason: 'WritesRefused',
    isRetryable: true
  },
  {
    word: 'NOSCRIPT',
    meaning: 'the server does not have the script of this digest'
  },
  {
    word: 'READONLY',
    meaning: 'the server is a replica, and the command writes',
    reason: 'NotPrimary',
    remedy: 'ReconnectOrMove',
    isRetryable: true,
    isRedirect: true,
    isRoleChange: true
  },
  {
    word: 'TRYAGAIN',
    meaning: 'the keys of the command are on two nodes, while their slot is on its way',
    reason: 'KeysSplit',
    remedy: 'WaitOrMove',
    isRetryable: true,
    isRedirect: true
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

/** The Rust table: the words with a reason, as the arms of one `match`. */
function renderRust () {
  const arms = REPLIES.filter(({ reason }) => reason !== undefined).map(row => {
    const remedy = row.remedy === undefined ? 'None' : `Some(Remedy::${row.remedy})`
    return `        // ${row.meaning}
        b"${row.word}" => (Reason::${row.reason}, ${remedy}),`
  })
  return `${HEADER}
//! The error replies that Rust acts on, by their first words.

use super::{Reason, Remedy};

/// What the error reply whose first word is \`word\` means; None for all others.
pub(super) fn find(word: &[u8]) -> Option<(Reason, Option<Remedy>)> {
    let found = match word {
${arms.join('\n')}
        _ => return None,
    };
    Some(found)
}
`
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

/** Whether the node is not, or not yet, what it was taken for. */
function isRoleChange (code) {
  return ROLE_CHANGES.has(code)
}

/** Whether the command was being run and was ended before it took anything. */
function isEnded (code) {
  return ENDED.has(code)
}

const RETRYABLE = ${set('isRetryable')}
const REDIRECTS = ${set('isRedirect')}
const ROLE_CHANGES = ${set('isRoleChange')}
const ENDED = ${set('isEnded')}

module.exports = { isEnded, isRedirect, isRetryable, isRoleChange }
`
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

module.exports = { REPLIES, renderJavaScript, renderRust }
