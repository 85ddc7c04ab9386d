//! Matches a reply with its command, and decides what becomes of a refused one.

use bytes::Bytes;

use super::super::batch::Batch;
use super::super::command::Command;
use super::super::outcome::{caller_of, Matched, Origin, Refused};
use super::super::refusal::{is_opaque, Refusal};
use super::losses::MAX_TRIES;
use super::{Queue, Rule};
use crate::error::Error;
use crate::error_replies::ErrorReply;
use crate::outbox::Whose;
use crate::resp::encode;

/// How far a block is answered.
#[derive(Debug, Default)]
pub(super) struct BlockProgress {
    /// How many of its parts are answered.
    replies: u32,
    /// The encoded bytes of these parts.
    bytes: usize,
    /// Why this node did not take one of them. If EXEC then fails, the router gets the block.
    refusal: Option<Error>,
    /// Whether MULTI was refused, so that each part that follows is run by itself.
    is_unopened: bool,
    /// Whether such a part may have been run, so that the block must not be written again.
    has_run: bool,
}

/// What becomes of a refused command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its caller gets the refusal.
    Answered,
    /// It waits to be written again.
    Held,
    /// The router gets it.
    Moved,
}

impl Queue {
    /// A reply has arrived: says which command it answers. `error` is the reply's text if it is an
    /// error. None if no reply was due, which is a breach of the protocol.
    pub fn answer(&mut self, error: Option<&[u8]>) -> Option<Matched> {
        if !self.is_waiting() {
            return None;
        }
        let batch = self.batches.front()?;
        let command = *batch.commands().get(self.answered.commands)?;
        let of = Origin { owner: batch.owner(), submitted: batch.submitted() };
        if command.is_block() {
            return Some(self.answer_part(command, of, error));
        }
        let internal = command.mode & Command::INTERNAL != 0;
        // A refusal is read also when the caller has gone, since such a command runs like any
        // other.
        let refusal = match error {
            Some(text) if !internal => self.refusal(command, text),
            _ => None,
        };
        let ran = refusal.is_none() && !internal;
        let fate = match refusal {
            Some(refusal) if !command.is_dead() => self.dispose(command, refusal),
            _ => Fate::Answered,
        };
        let (held, moved) = (fate == Fate::Held, fate == Fate::Moved);
        let lasts = !held && command.mode & Command::LASTS != 0;
        let lasting = if lasts { self.encoded(command) } else { None };
        if !held && error.is_none() && command.watches() {
            if let Some(encoded) = self.encoded(command) {
                self.watches.succeeded(&encoded);
            }
        }
        let early = self.move_on(command, held, ran);
        let whose = if held || moved { Whose::NOBODY } else { caller_of(command) };
        let mark = command.is_mark();
        let matched = Matched::of(whose, of);
        Some(Matched { held: held || moved, internal, mark, lasting, early, ..matched })
    }

    /// What `text`, the error reply to `command`, says about why it was not run. None if it may have
    /// been run; then the reply may still tell that the server is a replica.
    fn refusal(&mut self, command: Command, text: &[u8]) -> Option<Refusal> {
        let front = self.batches.front()?;
        let start = self.answered.bytes;
        let encoded = front.bytes().get(start..start + command.len as usize).unwrap_or_default();
        let refusal = Refusal::of(encoded, text);
        if refusal.is_none() && ErrorReply::is_replica_told(text) && is_opaque(encoded) {
            let (owner, submitted) = (front.owner(), front.submitted());
            match self.rule {
                Rule::Pass => {}
                Rule::Hold => self.drain_to_reconnect(),
                Rule::Route => {
                    let batch = Batch::new(Bytes::new(), Vec::new(), submitted).owned_by(owner);
                    let error = Error::reply(String::from_utf8_lossy(text));
                    self.refused.push(Refused { batch, error });
                }
            }
        }
        refusal
    }

    /// The refused commands since this was called last, in order.
    pub fn take_refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }

    /// Decides what becomes of `command`, the first that is not answered, which the server has
    /// refused.
    fn dispose(&mut self, command: Command, refusal: Refusal) -> Fate {
        match self.rule {
            Rule::Pass => Fate::Answered,
            Rule::Route if refusal.is_for_router() => {
                if command.mode & Command::PINNED != 0 {
                    return Fate::Answered;
                }
                match self.first(command) {
                    Some(batch) => self.refused.push(Refused { batch, error: refusal.error }),
                    None => return Fate::Answered,
                }
                Fate::Moved
            }
            Rule::Hold | Rule::Route => {
                let is_held = refusal.is_for_lane() && self.try_hold(command, refusal);
                if is_held {
                    Fate::Held
                } else {
                    Fate::Answered
                }
            }
        }
    }

    /// Holds `command`, the first that is not answered, to write it again. False if it was written
    /// too often.
    fn try_hold(&mut self, mut command: Command, refusal: Refusal) -> bool {
        let reconnects = refusal.reconnects();
        if reconnects {
            if command.tries() >= MAX_TRIES {
                return false;
            }
            command.count_try();
        }
        let Some(batch) = self.first(command) else { return false };
        self.holding.hold(batch, refusal.error, reconnects);
        true
    }

    /// `command`, the first that is not answered, as a batch of its own.
    fn first(&self, command: Command) -> Option<Batch> {
        let front = self.batches.front()?;
        let start = self.answered.bytes;
        let bytes = front.bytes().slice(start..start + command.len as usize);
        Some(Batch::new(bytes, vec![command], front.submitted()).owned_by(front.owner()))
    }

    /// A reply to the next part of `block`. Errors go to the caller, who has to know why EXEC was
    /// refused; `+OK` and `+QUEUED` go to nobody. A refused block is never held: its caller
    /// decides, since the caller may have read what it writes.
    fn answer_part(&mut self, block: Command, of: Origin, error: Option<&[u8]>) -> Matched {
        let start = self.answered.bytes;
        let end = start + block.len as usize;
        let at = start + self.block.bytes;
        let rest = self.batches.front().and_then(|batch| batch.bytes().get(at..end));
        let rest = rest.unwrap_or_default();
        let length = encode::command_len(rest).unwrap_or(rest.len());
        let part = rest.get(..length).unwrap_or_default();
        let at = at + length;
        let index = self.block.replies;
        let refusal = match error {
            Some(text) if self.rule != Rule::Pass => Refusal::of(part, text),
            _ => None,
        };
        (self.block.replies, self.block.bytes) = (index + 1, at - start);
        self.block.is_unopened |= index == 0 && error.is_some();
        self.block.has_run |= self.block.is_unopened && index > 0 && refusal.is_none();
        let is_for_router = |refusal: &Refusal| {
            let is_free = self.rule == Rule::Route && block.mode & Command::PINNED == 0;
            is_free && refusal.is_for_router()
        };
        let mut is_refused = false;
        match refusal {
            Some(refusal) if is_for_router(&refusal) => {
                self.block.refusal.get_or_insert(refusal.error);
                is_refused = true;
            }
            Some(refusal) if refusal.reconnects() => self.drain_to_reconnect(),
            _ => {}
        }
        if at < end {
            let whose = match error {
                Some(_) if !block.is_dead() && !is_refused => Whose::part(block.id, index),
                _ => Whose::NOBODY,
            };
            let early = self.writing == 0 && at > self.written;
            return Matched { early, partial: true, ..Matched::of(whose, of) };
        }
        let progress = std::mem::take(&mut self.block);
        if !progress.is_unopened {
            self.watches.used_up();
        }
        let is_whole = error.is_some() && !progress.has_run && !block.is_dead();
        let refusal = progress.refusal.filter(|_| is_whole);
        let moved = refusal.and_then(|error| Some(Refused { batch: self.first(block)?, error }));
        let early = self.move_on(block, false, error.is_none());
        match moved {
            Some(refused) => {
                self.refused.push(refused);
                Matched { early, held: true, ..Matched::of(Whose::NOBODY, of) }
            }
            None => Matched { early, ..Matched::of(caller_of(block), of) },
        }
    }

    /// `command`, the first that was not answered, is answered now; `ran`: the server has run it.
    /// Says whether the reply came before the whole command was written.
    fn move_on(&mut self, command: Command, held: bool, ran: bool) -> bool {
        let len = command.len as usize;
        self.holding.note(ran);
        if !held {
            self.commands -= 1;
            self.bytes -= len;
        }
        self.answered.commands += 1;
        self.answered.bytes += len;
        let early = self.writing == 0 && self.answered.bytes > self.written;
        self.pop_answered();
        early
    }

    /// The bytes of `command`, the first that is not answered.
    fn encoded(&self, command: Command) -> Option<Bytes> {
        let bytes = self.batches.front()?.bytes();
        let (start, end) = (self.answered.bytes, self.answered.bytes + command.len as usize);
        (end <= bytes.len()).then(|| bytes.slice(start..end))
    }
}
