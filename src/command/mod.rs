//! The command table: what must be known about a command before it is sent, retried or refused.
//!
//! Owns the flags of every command and subcommand of the server, and which of its arguments are
//! keys. `table.rs` is generated from `commands/redis.json` and the overlays in
//! `scripts/generate/`, so new commands of a server need no change here. A command that the table
//! does not know can still be sent; but it is never written a second time once the server may have
//! run it.
//!
//! Pure: no I/O, no clock, no allocation.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

use crate::resp::encode;

pub mod keys;
pub mod slot;
mod table;

use table::{LONGEST_NAME, TABLE};

/// The table's entry for one encoded RESP command; None if it has none.
pub fn of(encoded: &[u8]) -> Option<&'static Spec> {
    let mut args = encode::args(encoded);
    lookup(args.next()?, args.next())
}

/// The entry for a command by its name, in upper or lower case. `sub` is its first argument, which
/// counts only for commands that consist of subcommands. An unknown subcommand gets the entry of
/// the command itself.
pub fn lookup(name: &[u8], sub: Option<&[u8]>) -> Option<&'static Spec> {
    let (name, spec) = match find(name, None) {
        Some(spec) => (name, spec),
        None => (word(name)?, find(word(name)?, None)?),
    };
    match sub {
        Some(sub) if spec.flags.has(Flags::CONTAINER) => {
            let found = find(name, Some(sub));
            found.or_else(|| find(name, Some(word(sub)?))).or(Some(spec))
        }
        _ => Some(spec),
    }
}

/// What a server reads of a word that has a NUL in it; None if it has none. Servers compare words as
/// C strings, so that they take `SELECT\0x` for `SELECT`.
fn word(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| *byte == 0)?;
    text.get(..end)
}

/// Every command and subcommand that the table knows, sorted by name.
pub fn all() -> &'static [Spec] {
    &TABLE
}

/// One command or subcommand.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its upper-case name: `GET`, `CONFIG GET`.
    pub name: &'static str,
    /// What is known about the command.
    pub flags: Flags,
    /// Which of its arguments are keys.
    pub keys: &'static [keys::KeySpec],
}

impl Spec {
    /// Whether sending the command twice does what sending it once does, so that it may be retried.
    pub fn is_repeatable(&self) -> bool {
        self.flags.has(Flags::REPEATABLE)
    }
}

/// A set of facts about a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// The server lists it as reading keys only.
    pub const READONLY: Flags = Flags(1 << 0);
    /// The server lists it as writing keys.
    pub const WRITE: Flags = Flags(1 << 1);
    /// Sending it twice does what sending it once does, so it may be retried.
    pub const REPEATABLE: Flags = Flags(1 << 2);
    /// It may wait on the server, holding up whatever follows on its connection.
    pub const BLOCKING: Flags = Flags(1 << 3);
    /// It changes the connection it runs on, so it must not go to a shared one.
    pub const STATE: Flags = Flags(1 << 4);
    /// It turns the connection into a stream of messages.
    pub const SUBSCRIBE: Flags = Flags(1 << 5);
    /// It only has subcommands, each with flags of its own.
    pub const CONTAINER: Flags = Flags(1 << 6);
    /// It runs a program, whose error replies begin with whatever word the program likes.
    pub const OPAQUE: Flags = Flags(1 << 7);

    /// Whether all facts of `other` hold.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether at least one fact of `other` holds.
    pub const fn has_any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// The facts of both.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Looks for `NAME` or `NAME SUB`, with the words as the caller wrote them.
///
/// Every command of a session and of a cluster is looked up. So the first eight bytes are compared
/// as one number, in a binary search, and only entries that agree in them are looked at.
fn find(name: &[u8], sub: Option<&[u8]>) -> Option<&'static Spec> {
    let length = name.len() + sub.map_or(0, |sub| sub.len() + 1);
    let mut wanted = [0; LONGEST_NAME + 1];
    let whole = wanted.get_mut(..length)?;
    let (front, back) = whole.split_at_mut_checked(name.len())?;
    front.copy_from_slice(name);
    if let (Some((blank, rest)), Some(sub)) = (back.split_first_mut(), sub) {
        *blank = b' ';
        rest.copy_from_slice(sub);
    }
    whole.make_ascii_uppercase();
    let first = beginning(whole);
    let from = BEGINNINGS.partition_point(|other| *other < first);
    let same = BEGINNINGS.get(from..)?.iter().take_while(|other| **other == first).count();
    TABLE.get(from..from + same)?.iter().find(|spec| spec.name.as_bytes() == whole)
}

/// The first eight bytes of a name as a number, of which smaller ones belong to smaller names. A
/// shorter name is filled up with zeros.
const fn beginning(name: &[u8]) -> u64 {
    let (mut number, mut index) = (0, 0);
    while index < 8 {
        let byte = match name.split_at_checked(index) {
            Some((_, [byte, ..])) => *byte,
            _ => 0,
        };
        number = number << 8 | byte as u64;
        index += 1;
    }
    number
}

/// The beginnings of the table's names, in its order.
static BEGINNINGS: [u64; TABLE.len()] = {
    let mut all = [0; TABLE.len()];
    let mut rest: (&mut [u64], &[Spec]) = (&mut all, &TABLE);
    while let ([target, targets @ ..], [spec, specs @ ..]) = rest {
        *target = beginning(spec.name.as_bytes());
        rest = (targets, specs);
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(name: &str) -> Flags {
        let (name, sub) = match name.split_once(' ') {
            Some((name, sub)) => (name, Some(sub.as_bytes())),
            None => (name, None),
        };
        lookup(name.as_bytes(), sub).unwrap().flags
    }

    fn encoded(args: &[&str]) -> Vec<u8> {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        let mut out = Vec::new();
        encode::command(&mut out, &args);
        out
    }

    #[test]
    fn table_is_sorted_without_repeats() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn every_entry_is_found_in_any_case() {
        for spec in &TABLE {
            let lower = spec.name.to_ascii_lowercase();
            let (name, sub) = match lower.split_once(' ') {
                Some((name, sub)) => (name, Some(sub.as_bytes())),
                None => (lower.as_str(), None),
            };
            assert_eq!(lookup(name.as_bytes(), sub), Some(spec));
        }
    }

    #[test]
    fn an_argument_is_not_taken_for_a_subcommand() {
        assert_eq!(lookup(b"get", Some(b"get")).unwrap().name, "GET");
        assert_eq!(lookup(b"command", Some(b"docs")).unwrap().name, "COMMAND DOCS");
        assert_eq!(lookup(b"config", Some(b"frobnicate")).unwrap().name, "CONFIG");
        assert_eq!(lookup(b"config", None).unwrap().name, "CONFIG");
    }

    #[test]
    fn unknown_commands_are_unknown() {
        assert_eq!(lookup(b"JSON.GET", None), None);
        assert_eq!(lookup(b"", None), None);
        assert_eq!(lookup(&[b'A'; 1000], None), None);
        assert_eq!(lookup(b"GET\xff", None), None);
        assert_eq!(of(b""), None);
        assert_eq!(of(b"*1\r\n$3\r\nGE"), None);
    }

    #[test]
    fn a_word_ends_where_the_server_sees_its_end() {
        assert_eq!(lookup(b"select\0x", None).unwrap().name, "SELECT");
        assert_eq!(lookup(b"CLIENT", Some(b"reply\0x")).unwrap().name, "CLIENT REPLY");
        assert_eq!(lookup(b"client\0", Some(b"REPLY\0")).unwrap().name, "CLIENT REPLY");
        assert_eq!(lookup(b"\0", None), None);
    }

    #[test]
    fn an_encoded_command_is_recognised() {
        assert_eq!(of(&encoded(&["get", "key"])).unwrap().name, "GET");
        assert_eq!(of(&encoded(&["Config", "Get", "save"])).unwrap().name, "CONFIG GET");
        assert_eq!(of(&encoded(&["PING"])).unwrap().name, "PING");
    }

    #[test]
    fn reads_may_be_sent_twice() {
        for name in ["GET", "HGETALL", "ZRANGE", "SCAN", "PING", "INFO", "CONFIG GET", "TIME"] {
            assert!(flags(name).has(Flags::REPEATABLE), "{name}");
        }
    }

    #[test]
    fn whatever_may_change_something_is_never_sent_twice() {
        let writes = "SET,INCR,GETEX,GETDEL,FLUSHALL,CONFIG SET,CLIENT KILL,PUBLISH,ACL LOG";
        let scripts = "EVAL,EVALSHA,EVAL_RO,FCALL,FCALL_RO,SCRIPT LOAD";
        let waits = "BLPOP,XREAD,XREADGROUP,WAIT,SUBSCRIBE,MULTI,EXEC,HELLO";
        for name in [writes, scripts, waits].iter().flat_map(|names| names.split(',')) {
            assert!(!flags(name).has(Flags::REPEATABLE), "{name}");
        }
        for spec in &TABLE {
            let unsafe_twice = Flags::WRITE.with(Flags::BLOCKING).with(Flags::STATE);
            let unsafe_twice = unsafe_twice.with(Flags::SUBSCRIBE);
            assert!(!(spec.is_repeatable() && spec.flags.has_any(unsafe_twice)), "{}", spec.name);
        }
    }

    #[test]
    fn commands_that_need_a_connection_of_their_own_are_marked() {
        for name in ["SELECT", "AUTH", "HELLO", "CLIENT REPLY", "MULTI", "WATCH", "RESET", "QUIT"] {
            assert!(flags(name).has(Flags::STATE), "{name}");
        }
        for name in ["SUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC", "PSYNC"] {
            assert!(flags(name).has(Flags::SUBSCRIBE), "{name}");
        }
        for name in ["BLPOP", "BZMPOP", "BLMOVE", "XREAD", "WAIT", "WAITAOF"] {
            assert!(flags(name).has(Flags::BLOCKING), "{name}");
        }
    }
}
