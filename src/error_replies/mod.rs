//! What the error replies of a server say about a command that it did not run.
//!
//! Owns the reasons and what helps. `table.rs` has the words; it is generated from
//! `scripts/generate/error-replies.js`, as is `lib/error-replies.js`, so that both sides agree.
//! Lanes, routers and subscribers read the same rows and decide for themselves what to do.
//!
//! Pure: no I/O, no clock, no allocation.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod table;

/// What one error reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReply {
    /// Why the server did not run the command.
    pub reason: Reason,
    /// What oxidis can do about it; None if the caller has to decide, because it may last.
    pub remedy: Option<Remedy>,
}

impl ErrorReply {
    /// The error reply whose first word is `word`, if oxidis acts on it.
    pub fn of(word: &[u8]) -> Option<Self> {
        table::find(word).map(|(reason, remedy, _)| Self { reason, remedy })
    }

    /// Whether all of `text` is what servers say before they run anything. A script, or a command
    /// that the command table does not know, may begin its own errors with the same words, after it
    /// has written.
    pub fn is_server_text(text: &[u8]) -> bool {
        let mut words = words(text);
        let found = words.next().and_then(table::find);
        let texts = found.map_or(&[][..], |(_, _, texts)| texts);
        texts.iter().any(|pattern| {
            let pattern = self::words(pattern.as_bytes()).skip(1);
            let is_same = |(known, word): (&[u8], &[u8])| known == word || stands_for(known, word);
            pattern.clone().count() == words.clone().count()
                && pattern.zip(words.clone()).all(is_same)
        })
    }

    /// Whether a script tells that its server is a replica, since a write of the script was refused
    /// for that reason.
    pub fn is_replica_told(text: &[u8]) -> bool {
        let is_wrapped = text.starts_with(WRAPPED);
        let is_first = text.starts_with(REPLICA);
        is_first || is_wrapped && text.windows(REPLICA.len()).any(|part| part == REPLICA)
    }
}

/// Whether `placeholder`, a word of `scripts/generate/error-replies.js`, stands for `word`.
fn stands_for(placeholder: &[u8], word: &[u8]) -> bool {
    let is_number = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    match placeholder {
        b"*" => !word.is_empty(),
        b"#" => is_number(word),
        b"@" => word.rsplitn(2, |byte| *byte == b':').next().is_some_and(is_number),
        _ => false,
    }
}

/// The words of a reply, without what follows the last letter.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'.';
    let end = text.iter().rposition(|byte| !is_end(byte)).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default().split(|byte| *byte == b' ')
}

/// What a replica says about a write, as all servers word it.
const REPLICA: &[u8] = b"READONLY You can't write against a read only ";
/// What servers before 7.0 put in front of an error of a script.
const WRAPPED: &[u8] = b"ERR Error running script ";

/// Why a server did not run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `MOVED`: another node, which the reply names, has the slot for good.
    SlotMoved,
    /// `ASK`: the slot is on its way to a node, which the reply names and which has these keys.
    SlotMoving,
    /// `TRYAGAIN`: the keys of the command are on two nodes at the moment.
    KeysSplit,
    /// `CLUSTERDOWN`: the cluster does not cover all slots, or the node is cut off from it.
    ClusterDown,
    /// `LOADING`, `MASTERDOWN`: the server has no data, or too old data, to serve yet.
    NotReady,
    /// `READONLY`: the server is a replica, and the command writes.
    NotPrimary,
    /// `NOAUTH`: the connection is not logged in.
    NotLoggedIn,
    /// `BUSY`: the server waits for a script to end.
    ScriptRunning,
    /// `MISCONF`, `NOREPLICAS`: the server takes no writes in its present condition.
    WritesRefused,
}

/// What helps a command that was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// To wait: no other node would help.
    Wait,
    /// To wait, or to go to another node where there are several.
    WaitOrMove,
    /// Another connection, because the server's role has changed; or another node.
    ReconnectOrMove,
    /// Another connection, because the login has changed.
    Reconnect,
    /// Another node; a client of one server can do nothing about it.
    Move,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides_and_no_part_of_it() {
        let busy = ErrorReply { reason: Reason::ScriptRunning, remedy: Some(Remedy::Wait) };
        assert_eq!(ErrorReply::of(b"BUSY"), Some(busy));
        for word in [&b""[..], b"BUSYGROUP", b"busy", b"ERR", b"OOM", b"LOADINGX"] {
            assert_eq!(ErrorReply::of(word), None, "{}", word.escape_ascii());
        }
    }

    #[test]
    fn only_the_whole_text_of_a_server_says_that_a_program_was_not_run() {
        for text in [
            "LOADING Redis is loading the dataset in memory",
            "LOADING Valkey is loading the dataset in memory",
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE",
            "READONLY You can't write against a read only replica.",
            "MOVED 3999 127.0.0.1:6381",
            "ASK 3999 node-1.example:6381",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "NOAUTH Authentication required.",
        ] {
            assert!(ErrorReply::is_server_text(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "*",
            "BUSY",
            "BUSY x",
            "TRYAGAIN later",
            "LOADING the cache",
            "READONLY",
            "READONLY mode of this script",
            "READONLY You can't write against a read only replica. script: 8f2, on @user_script:1.",
            "MOVED 3999",
            "MOVED 3999 127.0.0.1:6381 x",
            "MOVED on tomorrow",
            "MOVED 5 times",
            "ERR x",
            "ERR Error running script (call to f_8): @user_script:1: -READONLY You can't write",
        ] {
            assert!(!ErrorReply::is_server_text(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_script_tells_of_a_replica_in_the_words_of_each_version() {
        let sentence = "READONLY You can't write against a read only replica.";
        for text in [
            sentence.to_owned(),
            format!("{sentence} script: 8f2, on @user_script:1."),
            format!("ERR Error running script (call to f_8): @user_script:1: -{sentence} "),
        ] {
            assert!(ErrorReply::is_replica_told(text.as_bytes()), "{text}");
        }
        for text in ["READONLY mode".to_owned(), format!("ERR {sentence}"), String::new()] {
            assert!(!ErrorReply::is_replica_told(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_may_last_is_left_to_the_caller() {
        for word in [&b"MISCONF"[..], b"NOREPLICAS"] {
            assert_eq!(ErrorReply::of(word).map(|reply| reply.remedy), Some(None));
        }
    }
}
