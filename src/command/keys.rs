//! Which arguments of a command are keys.
//!
//! The table says where the keys of each command are. This file applies that to an encoded command,
//! by the rules of the server's key specs
//! (<https://redis.io/docs/latest/develop/reference/key-specs/>) and by two more, for SORT and
//! MIGRATE, whose specs say too little. A shard channel counts as a key, because it has a slot.
//!
//! Pure, and without allocation: the keys are slices of the command.

use crate::command::{self, Spec};
use crate::resp::encode::{self, Args};

/// The keys of one encoded RESP command, in the order of its key specs. There are none if the table
/// does not know the command, or if the command names a number of keys that it does not have.
pub fn of(encoded: &[u8]) -> Keys<'_> {
    let specs = command::of(encoded).map_or(&[][..], |spec| spec.keys);
    Keys::new(specs, encoded)
}

impl Spec {
    /// The keys of `encoded`, which must be this command.
    pub fn keys_in<'a>(&self, encoded: &'a [u8]) -> Keys<'a> {
        Keys::new(self.keys, encoded)
    }
}

/// Iterates over the keys of one command; see [`of`].
#[derive(Clone, Debug)]
pub struct Keys<'a> {
    all: Args<'a>,
    specs: &'static [KeySpec],
    /// The arguments from the next key of the current spec on.
    args: Args<'a>,
    /// How many keys of the current spec are left.
    left: usize,
    /// How many arguments further each next key is.
    step: usize,
}

impl<'a> Keys<'a> {
    fn new(specs: &'static [KeySpec], encoded: &'a [u8]) -> Self {
        let all = encode::args(encoded);
        Self { args: all.clone(), all, specs, left: 0, step: 1 }
    }
}

impl<'a> Iterator for Keys<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.left == 0 {
            let (spec, specs) = self.specs.split_first()?;
            self.specs = specs;
            let Some(Span { first, count, step }) = spec.span(&self.all) else { continue };
            self.args = self.all.clone();
            if first > 0 {
                self.args.nth(first - 1);
            }
            (self.left, self.step) = (count, step);
        }
        self.left -= 1;
        let key = self.args.next();
        if self.left > 0 && self.step > 1 {
            self.args.nth(self.step - 2);
        }
        key
    }
}

/// Where some keys of a command are.
#[derive(Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// At which argument they begin.
    pub(super) begin: Begin,
    /// Which arguments from there on are keys.
    pub(super) find: Find,
}

/// At which argument the keys of a spec begin. The command's name is argument 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At this argument.
    Index(usize),
    /// Behind the first argument that is `word` in upper or lower case; `from` is the first
    /// argument that is compared.
    Word { word: &'static str, from: usize },
    /// `SORT`: behind its last option STORE. Arguments of its other options may also read `STORE`.
    Stored,
    /// `MIGRATE`: its third argument; if that is empty, all arguments behind KEYS.
    Migrated,
}

/// Which arguments of a spec are keys, counted from where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Find {
    /// Each `step`-th argument up to `last`. A `last` from 0 on is counted from the first argument
    /// of the spec, a negative one from the end of the command. With a `limit` above 1, a negative
    /// `last` is counted from the end of the first `limit`-th part of these arguments: 2 is the
    /// first half.
    Range { last: isize, step: usize, limit: usize },
    /// The first argument says how many keys follow; each `step`-th argument is one.
    Counted { step: usize },
}

/// The arguments that are keys: `count` of them, from `first` on, each `step` behind the one
/// before.
struct Span {
    first: usize,
    count: usize,
    step: usize,
}

impl KeySpec {
    /// Which of `args` are keys; None if the command has no such keys, or is malformed.
    fn span(&self, args: &Args<'_>) -> Option<Span> {
        let argc = args.len();
        let first = match self.begin {
            Begin::Index(index) => index,
            Begin::Word { word, from } => position(args, from, word)? + 1,
            Begin::Stored => stored(args)?,
            Begin::Migrated => return migrated(args),
        };
        if first >= argc {
            return None;
        }
        match self.find {
            Find::Range { last, step, limit } => {
                let last = match usize::try_from(last) {
                    Ok(last) => first + last,
                    // The server divides all arguments from the first one on in the same way.
                    Err(_) if limit > 1 => {
                        (first + (argc - first) / limit).checked_sub(last.unsigned_abs())?
                    }
                    Err(_) => argc.checked_sub(last.unsigned_abs())?,
                };
                let count = last.checked_sub(first)? / step + 1;
                (last < argc).then_some(Span { first, count, step })
            }
            Find::Counted { step } => {
                let count = std::str::from_utf8(args.clone().nth(first)?).ok()?;
                let count: usize = count.parse().ok()?;
                let fits = count.checked_sub(1)?.checked_mul(step)? < argc - first - 1;
                fits.then_some(Span { first: first + 1, count, step })
            }
        }
    }
}

impl Spec {
    /// Whether the one key is always the first argument, so that it is quickly found.
    pub fn has_first_key_only(&self) -> bool {
        let first = |spec: &KeySpec| {
            let is_first = matches!(spec.begin, Begin::Index(1));
            is_first && matches!(spec.find, Find::Range { last: 0, .. })
        };
        matches!(self.keys, [only] if first(only))
    }
}

/// The index of the first argument from `from` on that is `word`. The last argument does not count,
/// because no key is behind it.
fn position(args: &Args<'_>, from: usize, word: &str) -> Option<usize> {
    let searched = args.len().checked_sub(from + 1)?;
    let mut rest = args.clone();
    if from > 0 {
        rest.nth(from - 1);
    }
    let at = rest.take(searched).position(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))?;
    Some(from + at)
}

/// The index of the key behind the last option STORE of SORT.
fn stored(args: &Args<'_>) -> Option<usize> {
    let mut found = None;
    let mut rest = args.clone();
    let mut at = 2;
    rest.nth(1);
    while let Some(arg) = rest.next() {
        at += 1;
        let is = |word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
        let skipped = match () {
            _ if is("STORE") => {
                found = Some(at);
                1
            }
            _ if is("BY") || is("GET") => 1,
            _ if is("LIMIT") => 2,
            _ => 0,
        };
        for _ in 0..skipped {
            rest.next();
            at += 1;
        }
    }
    found
}

/// The keys of MIGRATE.
fn migrated(args: &Args<'_>) -> Option<Span> {
    if !args.clone().nth(3)?.is_empty() {
        return Some(Span { first: 3, count: 1, step: 1 });
    }
    let mut rest = args.clone();
    let mut at = 6;
    rest.nth(at - 1);
    while let Some(arg) = rest.next() {
        at += 1;
        let is = |word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
        if is("KEYS") {
            let count = args.len().checked_sub(at)?;
            return (count > 0).then_some(Span { first: at, count, step: 1 });
        }
        let skipped = if is("AUTH2") { 2 } else { usize::from(is("AUTH")) };
        for _ in 0..skipped {
            rest.next();
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(command: &str) -> String {
        let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let mut encoded = Vec::new();
        encode::command(&mut encoded, &args);
        let keys: Vec<_> = of(&encoded).map(|key| String::from_utf8_lossy(key)).collect();
        keys.join(" ")
    }

    #[test]
    fn keys_stand_where_the_specs_say() {
        for (command, expected) in [
            ("GET a", "a"),
            ("get a", "a"),
            ("MGET a b c", "a b c"),
            ("MSET a 1 b 2", "a b"),
            ("BLPOP a b 0", "a b"),
            ("COPY a b", "a b"),
            ("EVAL s 2 a b c", "a b"),
            ("EVAL s 0 a", ""),
            ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b"),
            ("MSETEX 2 a 1 b 2 NX", "a b"),
            ("XREAD COUNT 2 streams a b 0 0", "a b"),
            ("XREADGROUP GROUP streams c STREAMS a >", "a"),
            ("GEORADIUS a 1 2 3 km store b", "a b"),
            ("OBJECT ENCODING a", "a"),
            ("SPUBLISH c m", "c"),
            ("LCS a b", "a b"),
            ("PING", ""),
            ("FT.SEARCH i q", ""),
        ] {
            assert_eq!(keys(command), expected, "{command}");
        }
    }

    #[test]
    fn words_are_not_taken_for_options_where_they_are_names() {
        for (command, expected) in [
            ("SORT a STORE b", "a b"),
            ("SORT a BY store LIMIT 0 store GET store STORE b DESC", "a b"),
            ("SORT a STORE b STORE c", "a c"),
            ("SORT a STORE", "a"),
            ("SORT_RO a BY x", "a"),
            ("MIGRATE h 1 a 0 9", "a"),
            ("MIGRATE h 1  0 9 COPY KEYS a b", "a b"),
            ("MIGRATE h 1  0 9 AUTH keys KEYS a", "a"),
            ("MIGRATE h 1  0 9 AUTH2 keys keys KEYS a", "a"),
            ("MIGRATE h 1  0 9", ""),
        ] {
            assert_eq!(keys(command), expected, "{command}");
        }
    }

    #[test]
    fn what_is_malformed_has_no_keys() {
        for command in [
            "GET",
            "EVAL s x a",
            "EVAL s -1 a",
            "EVAL s 2 a",
            "EVAL s 99999999999999999999 a",
            "XREAD COUNT 1 STREAMS",
            "XREAD STREAMS a",
            "ZUNION 3 a b",
            "MGET",
            "BLPOP 0",
        ] {
            assert_eq!(keys(command), "", "{command}");
        }
        assert_eq!(of(b"").count(), 0);
        assert_eq!(of(b"*2\r\n$3\r\nGET\r\n$5\r\nab").count(), 0);
        assert_eq!(of(b"*1000000\r\n$4\r\nMGET\r\n$1\r\na\r\n").count(), 1);
    }
}
