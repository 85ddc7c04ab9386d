//! What a command wants: the slot of its keys, and whether a replica can run it.
//!
//! Remembers the commands that were looked up last. A program uses few different ones, and finding
//! one in the command table costs as much as everything else that is done here.

use std::hash::{BuildHasher, RandomState};

use super::table::Table;
use crate::command::slot::SLOTS;
use crate::command::{self, slot, Flags, Spec};
use crate::error::{Applied, Error, Result};
use crate::lane::Command;
use crate::resp::encode::{self, Args};

/// Finds the slots of commands.
pub struct Aim {
    /// The index of a command is [`index`] of its name.
    recent: [Option<Recent>; RECENT],
    /// The slot of commands without keys. Any node can run them; one slot for all of them keeps
    /// their order.
    anywhere: u16,
    /// Whether one node has all slots, so that all commands have the same one.
    is_one: bool,
}

/// A command that was looked up.
#[derive(Clone, Copy)]
struct Recent {
    /// See [`packed`].
    name: u64,
    spec: &'static Spec,
    /// See [`Spec::has_first_key_only`].
    is_simple: bool,
}

/// What a command wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// The slot of its keys.
    pub slot: u16,
    /// Whether it only reads keys, so that a replica can run it.
    pub is_read: bool,
}

impl Default for Aim {
    fn default() -> Self {
        // A random slot, so that not all clients send these commands to the same node. The keys of
        // a `RandomState` are random numbers.
        let anywhere = RandomState::new().hash_one(0) % u64::from(SLOTS);
        Self { recent: [None; RECENT], anywhere: anywhere as u16, is_one: false }
    }
}

impl Aim {
    /// For a deployment of one shard: all commands have the same slot, so that they keep their
    /// order, and the keys of one command may be in any slots.
    pub fn at_one_shard() -> Self {
        Self { recent: [None; RECENT], anywhere: 0, is_one: true }
    }

    /// The slot of all commands, if there is one shard only.
    pub fn only_slot(&self) -> Option<u16> {
        self.is_one.then_some(self.anywhere)
    }

    /// What `encoded` wants.
    ///
    /// # Errors
    ///
    /// `CROSSSLOT` if its keys are in several slots, so that no node would run it.
    pub fn at(&mut self, command: &Command, encoded: &[u8]) -> Result<Goal> {
        let goal = match command.is_block() {
            true => self.at_block(encoded),
            false => self.at_one(encoded),
        };
        // A chain that writes reads what it has written, which a replica may not have yet.
        let may_read = command.mode & Command::PRIMARY == 0;
        let goal = goal.map(|(slot, is_read)| (slot, is_read && may_read));
        match self.is_one {
            true => Ok(Goal { slot: self.anywhere, is_read: goal.is_ok_and(|goal| goal.1) }),
            false => {
                goal.map(|(slot, is_read)| Goal { slot: slot.unwrap_or(self.anywhere), is_read })
            }
        }
    }

    /// Whether a session that is bound to `slot` can run `encoded`.
    ///
    /// # Errors
    ///
    /// `CROSSSLOT` if a key of it is in another slot.
    pub fn check(&mut self, slot: u16, command: &Command, encoded: &[u8]) -> Result<()> {
        if self.is_one {
            return Ok(());
        }
        let (of_keys, _) = match command.is_block() {
            true => self.at_block(encoded)?,
            false => self.at_one(encoded)?,
        };
        match of_keys {
            Some(other) if other != slot => Err(cross_slot(SESSION)),
            _ => Ok(()),
        }
    }

    /// The slot of the commands that have no key.
    pub fn anywhere(&self) -> u16 {
        self.anywhere
    }

    /// Commands without keys get another slot if theirs has had no node in two tables one after the
    /// other: any node can run them. A slot that has just lost its node keeps them, so that what its
    /// former node was sent is answered first.
    pub fn avoid_gaps(&mut self, before: &Table, table: &Table) {
        let is_gap = |slot: u16| table.primary(slot).is_none();
        if self.is_one || !is_gap(self.anywhere) || before.primary(self.anywhere).is_some() {
            return;
        }
        let start = self.anywhere;
        let others = (1..SLOTS).map(|step| (start + step) % SLOTS);
        if let Some(slot) = others.into_iter().find(|slot| !is_gap(*slot)) {
            self.anywhere = slot;
        }
    }

    /// The slot of a transaction, whose keys all have to be in the same one.
    fn at_block(&mut self, encoded: &[u8]) -> Result<(Option<u16>, bool)> {
        let (mut rest, mut slot) = (encoded, None);
        while let Some(len) = encode::command_len(rest) {
            let (one, behind) = rest.split_at(len);
            rest = behind;
            let (of_one, _) = self.at_one(one)?;
            match (slot, of_one) {
                (Some(slot), Some(other)) if slot != other => return Err(cross_slot(TRANSACTION)),
                (None, Some(_)) => slot = of_one,
                _ => {}
            }
        }
        Ok((slot, false))
    }

    /// The slot of one command, None if it has no key; and whether it only reads.
    fn at_one(&mut self, encoded: &[u8]) -> Result<(Option<u16>, bool)> {
        let mut args = encode::args(encoded);
        let Some(name) = args.next() else { return Ok((None, false)) };
        let spec = match self.recall(name) {
            Some(Recent { spec, is_simple: true, .. }) => {
                let slot = args.next().map(slot::of);
                return Ok((slot, slot.is_some() && is_read(spec)));
            }
            Some(Recent { spec, .. }) => spec,
            None => match self.look_up(name, &args) {
                Some(spec) => spec,
                None => return Ok((self.at_unknown(name, args)?, false)),
            },
        };
        let slot = self.common(spec.keys_in(encoded), spec.name)?;
        // Nothing is gained by sending a command without a key to a replica.
        Ok((slot, slot.is_some() && is_read(spec)))
    }

    /// The slot of a command that the table does not know. All keys of those of the JSON module are
    /// looked at: a node answers null for a key that it does not have.
    fn at_unknown(&self, name: &[u8], args: Args<'_>) -> Result<Option<u16>> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("JSON.MGET") {
            // The last argument is the path.
            let keys = args.clone().count().saturating_sub(1);
            return self.common(args.take(keys), "JSON.MGET");
        }
        if is("JSON.MSET") {
            // Each key has a path and a value behind it.
            return self.common(args.step_by(3), "JSON.MSET");
        }
        Ok(unknown_key(name, args).map(slot::of))
    }

    /// The slot that the keys of the command `name` have in common, None if there are no keys.
    fn common<'a>(&self, keys: impl Iterator<Item = &'a [u8]>, name: &str) -> Result<Option<u16>> {
        let mut slot = None;
        for key in keys {
            let of_key = slot::of(key);
            if *slot.get_or_insert(of_key) != of_key && !self.is_one {
                return Err(cross_slot(name));
            }
        }
        Ok(slot)
    }

    /// The command of this name, if it was looked up lately.
    fn recall(&self, name: &[u8]) -> Option<Recent> {
        let packed = packed(name)?;
        self.recent.get(index(packed)).copied()?.filter(|recent| recent.name == packed)
    }

    fn look_up(&mut self, name: &[u8], args: &Args<'_>) -> Option<&'static Spec> {
        let spec = command::lookup(name, args.clone().next())?;
        // A name that stands for several commands says too little: it is looked up each time with
        // its first argument.
        let is_fixed = !spec.name.contains(' ') && !spec.flags.has(Flags::CONTAINER);
        if let (Some(packed), true) = (packed(name), is_fixed) {
            let is_simple = spec.has_first_key_only();
            if let Some(recent) = self.recent.get_mut(index(packed)) {
                *recent = Some(Recent { name: packed, spec, is_simple });
            }
        }
        Some(spec)
    }
}

/// Whether a replica can run it. Not a SCAN: its cursor means something only to the server that has
/// given it.
fn is_read(spec: &Spec) -> bool {
    spec.flags.has(Flags::READONLY) && !spec.name.ends_with("SCAN")
}

/// Where a name is remembered. These shifts give the most frequent commands different indexes.
fn index(packed: u64) -> usize {
    (packed ^ (packed >> 13) ^ (packed >> 29)) as usize % RECENT
}

/// A name as a number, in upper case; None if it has more than eight bytes.
fn packed(name: &[u8]) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    bytes.make_ascii_uppercase();
    Some(u64::from_le_bytes(bytes))
}

/// The key of a command that the table does not know: its first argument, as in nearly all commands
/// of modules. Not so in the search module, whose first argument names an index that all nodes
/// know, and in four commands of the time series module.
fn unknown_key<'a>(name: &[u8], mut args: Args<'a>) -> Option<&'a [u8]> {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    if name.get(..3).is_some_and(|front| front.eq_ignore_ascii_case(b"FT.")) {
        return None;
    }
    if ["TS.MGET", "TS.MRANGE", "TS.MREVRANGE", "TS.QUERYINDEX"].into_iter().any(is) {
        return None;
    }
    if is("JSON.DEBUG") {
        args.next();
    }
    args.next()
}

/// Names that are remembered: more than most programs use, and a power of two, so that the
/// remainder is one instruction.
const RECENT: usize = 64;
/// How error messages call the two.
const SESSION: &str = "a session (the one that it was asked for, and those it was given)";
const TRANSACTION: &str = "a transaction";

fn cross_slot(what: &str) -> Error {
    let text = format!(
        "CROSSSLOT the keys of {what} are in several slots: give them a common hash tag, as in \
         {{user:1}}:name"
    );
    Error::reply(text).with_applied(Applied::No)
}

#[cfg(test)]
mod tests {
    use super::super::table::Places;
    use super::*;

    fn encoded(words: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for command in words.split(" | ") {
            let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            encode::command(&mut out, &args);
        }
        out
    }

    fn at(words: &str) -> Result<Goal> {
        let bytes = encoded(words);
        let mode = if words.contains(" | ") { Command::BLOCK } else { 0 };
        let command = Command { id: 0, len: bytes.len() as u32, mode, timeout: 0 };
        // The second time the command is remembered.
        let mut aim = Aim { anywhere: 1, ..Aim::default() };
        let first = aim.at(&command, &bytes);
        assert_eq!(first.as_ref().ok(), aim.at(&command, &bytes).as_ref().ok());
        first
    }

    #[test]
    fn keys_decide() {
        for (words, slot, is_read) in [
            ("GET foo", 12182, true),
            ("get foo", 12182, true),
            ("SET foo bar", 12182, false),
            ("MGET {foo}1 {foo}2", 12182, true),
            ("OBJECT ENCODING foo", 12182, true),
            ("EVAL x 1 foo", 12182, false),
            ("XREAD STREAMS foo 0", 12182, true),
            ("HSCAN foo 0", 12182, false),
            ("JSON.SET foo $ 1", 12182, false),
            ("JSON.DEBUG MEMORY foo", 12182, false),
            ("json.mget {foo}1 {foo}2 $", 12182, false),
            ("JSON.MSET {foo}1 $ 1 {foo}2 $ 2", 12182, false),
            ("JSON.MGET", 1, false),
            ("FT.SEARCH foo *", 1, false),
            ("TS.MGET FILTER a=b", 1, false),
            ("PING", 1, false),
            ("DBSIZE", 1, false),
            ("PUBLISH foo x", 1, false),
            ("SPUBLISH foo x", 12182, false),
            ("MULTI | SET foo 1 | PING | INCR {foo}2 | EXEC", 12182, false),
            ("MULTI | PING | EXEC", 1, false),
        ] {
            assert_eq!(at(words).unwrap(), Goal { slot, is_read }, "{words}");
        }
    }

    #[test]
    fn what_is_for_the_primary_is_no_read() {
        let bytes = encoded("GET foo");
        let command =
            Command { id: 0, len: bytes.len() as u32, mode: Command::PRIMARY, timeout: 0 };
        let goal = Aim::default().at(&command, &bytes).unwrap();
        assert_eq!(goal, Goal { slot: 12182, is_read: false });
        assert!(!Aim::at_one_shard().at(&command, &bytes).unwrap().is_read);
    }

    #[test]
    fn commands_without_keys_leave_a_slot_without_a_node() {
        let (none, mut upper) = (Table::default(), Table::default());
        upper.add(Places { primary: 3, replicas: vec![] }, [9_000..=16_383]);
        let mut aim = Aim { anywhere: 16_000, ..Aim::default() };
        aim.avoid_gaps(&none, &upper);
        assert_eq!(aim.anywhere(), 16_000);
        // It has lost its node just now.
        aim.avoid_gaps(&upper, &none);
        assert_eq!(aim.anywhere(), 16_000);
        let mut aim = Aim { anywhere: 1, ..Aim::default() };
        aim.avoid_gaps(&none, &upper);
        assert_eq!(aim.anywhere(), 9_000);
        aim.avoid_gaps(&none, &none);
        assert_eq!(aim.anywhere(), 9_000);
    }

    #[test]
    fn one_shard_has_all_keys() {
        let mut aim = Aim::at_one_shard();
        for (words, is_read) in
            [("GET foo", true), ("MGET foo bar", true), ("RENAME foo bar", false), ("PING", false)]
        {
            let bytes = encoded(words);
            let command = Command { id: 0, len: bytes.len() as u32, mode: 0, timeout: 0 };
            assert_eq!(aim.at(&command, &bytes).unwrap(), Goal { slot: 0, is_read }, "{words}");
            assert!(aim.check(1, &command, &bytes).is_ok());
        }
    }

    #[test]
    fn keys_of_several_slots_are_refused() {
        for words in ["MGET foo bar", "MULTI | SET foo 1 | SET bar 1 | EXEC", "RENAME foo bar"] {
            let error = at(words).unwrap_err();
            assert_eq!((error.code(), error.applied()), ("CROSSSLOT", Some(Applied::No)));
            assert!(!error.message().contains("foo"), "no key in a message");
        }
    }
}
