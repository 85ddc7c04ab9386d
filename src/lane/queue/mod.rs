//! What a lane knows: its batches, how far they are written and answered, who has gone.
//!
//! Pure: no socket, no clock, no runtime. Bytes and instants come in as arguments, so that any
//! driver can move the bytes and every rule is tested without waiting.
//!
//! ```text
//!   batches   [ a a a A | A A w . | . . . . ]
//!                     ^       ^           ^
//!               answered   written      queued      answered <= written <= queued
//! ```
//!
//! Invariants: replies come in the order of writing, so a reply belongs to the command at
//! `answered`; a command leaves the queue only by its reply, by a loss of the connection, or, if
//! none of its bytes was written, by its caller's leaving. A caller that leaves later only turns
//! its command into a tombstone.
//!
//! A *block* is a whole transaction in one command: written as one, so that nothing comes between
//! its parts, and answered once for each part. It leaves with the reply to its last part, EXEC.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::{Batch, Command};
use super::outcome::{caller_of, gone, Answer, Drained, Ended, Origin, Refused};
use super::refusal::Refusal;
use crate::error::{Applied, Error};
use crate::outbox::Whose;
use crate::resp::encode;

/// The queue of one lane.
#[derive(Debug, Default)]
pub struct State {
    batches: VecDeque<Batch>,
    /// Commands of the first batch that are answered, and their bytes.
    answered: Cursor,
    /// How far the command behind `answered`, if it is a block, is answered.
    part: Part,
    /// Position of the first batch that is not wholly written, and the bytes written of it.
    writing: usize,
    written: usize,
    /// How many commands of that batch the written bytes have begun, once somebody has counted.
    begun: Cell<Option<usize>>,
    /// Commands not answered yet, held ones included, and their bytes.
    commands: usize,
    bytes: usize,
    /// Whether an unwritten command has died, so that it must not be written any more.
    litter: bool,
    hold: Hold,
    held: VecDeque<Held>,
    retiring: bool,
    rule: Rule,
    /// Refused commands that are for the router.
    refused: Vec<Refused>,
}

/// What becomes of a command that the server refuses without running it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It is written again, here.
    #[default]
    Hold,
    /// Its caller gets the refusal.
    Pass,
    /// Whoever knows the other nodes gets it.
    Route,
}

#[derive(Debug, Default, Clone, Copy)]
struct Cursor {
    commands: usize,
    bytes: usize,
}

/// The parts of a block that are answered, and their bytes.
#[derive(Debug, Default)]
struct Part {
    replies: u32,
    bytes: usize,
    /// Why one of them was not taken by this node: the router's business, once EXEC has failed.
    refusal: Option<Error>,
}

/// Why nothing new is written although the connection stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hold {
    #[default]
    Off,
    /// The server refused a command; what is in flight behind it is awaited, so that a retry can
    /// not overtake or be overtaken. `overtaken`: a later command succeeded.
    Draining { overtaken: bool, reconnect: bool },
    /// Everything in flight was refused; it is written again at this instant.
    Until(Instant),
}

/// A command that the server refused without running it.
#[derive(Debug)]
struct Held {
    batch: Batch,
    error: Error,
}

/// First delay after a refusal; doubled up to [`RETRY_CAP`]. A server that loads its data set
/// needs seconds, one that is between two states needs milliseconds (reliability: 100 ms .. 1 s).
const RETRY_BASE: Duration = Duration::from_millis(100);
const RETRY_CAP: Duration = Duration::from_secs(1);
/// How often a read-only command is written again after a loss, and any after READONLY.
const MAX_TRIES: u32 = 2;

impl State {
    /// A queue whose commands are written once at most, whatever the server says.
    pub fn without_retries() -> Self {
        Self { rule: Rule::Pass, ..Self::default() }
    }

    /// A queue whose refused commands [`State::take_refused`] gives to whoever knows the other
    /// nodes, but for those that are pinned to this one.
    pub fn routed() -> Self {
        Self { rule: Rule::Route, ..Self::default() }
    }

    /// Queues a batch behind all others. An empty one would never be written: it is left out.
    pub fn push(&mut self, batch: Batch) {
        if batch.commands().is_empty() {
            return;
        }
        self.commands += batch.commands().len();
        self.bytes += batch.bytes().len();
        self.batches.push_back(batch);
    }

    /// Commands that are not answered yet.
    pub fn commands(&self) -> usize {
        self.commands
    }

    /// Bytes of the commands that are not answered yet.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes of the batches of `owner` that are not answered wholly. Linear in their number.
    pub fn bytes_of(&self, owner: u32) -> usize {
        let held = self.held.iter().map(|held| &held.batch);
        let own = self.batches.iter().chain(held).filter(|batch| batch.owner() == owner);
        own.map(|batch| batch.bytes().len()).sum()
    }

    /// Commands of which at least one byte was written and whose reply is due.
    pub fn in_flight(&self) -> usize {
        let whole: usize = self.batches.iter().take(self.writing).map(|b| b.commands().len()).sum();
        (whole + self.touched(self.writing)).saturating_sub(self.answered.commands)
    }

    /// Whether a reply is due.
    pub fn is_waiting(&self) -> bool {
        self.writing > 0 || self.answered.bytes < self.written
    }

    /// The next bytes to write, if any may be written now.
    pub fn unwritten(&mut self) -> Option<Bytes> {
        if self.litter {
            self.sweep();
        }
        let batch = self.batches.get(self.writing)?;
        let end = if self.hold == Hold::Off && !self.retiring {
            batch.bytes().len()
        } else {
            // A command that is half written must be completed, or its reply never comes.
            touched_end(batch, self.written)
        };
        (self.written < end).then(|| batch.bytes().slice(self.written..end))
    }

    /// `n` of the bytes that [`State::unwritten`] returned have been written.
    pub fn wrote(&mut self, n: usize, now: Instant) {
        let Some(batch) = self.batches.get_mut(self.writing) else { return };
        batch.written.get_or_insert(now);
        self.begun.set(None);
        self.written += n;
        if self.written >= batch.bytes().len() {
            self.writing += 1;
            self.written = 0;
        }
    }

    /// A reply has arrived: whose is it? `error` is its text if it is an error. None if no reply
    /// was due, which is a breach of the protocol.
    pub fn answer(&mut self, error: Option<&[u8]>) -> Option<Answer> {
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
        // The server runs the command of a caller who has gone like any other.
        let refusal = if internal { None } else { error.and_then(Refusal::read) };
        let ran = refusal.is_none() && !internal;
        let fate = match refusal {
            Some(refusal) if !command.is_dead() => self.dispose(command, refusal),
            _ => Fate::Answered,
        };
        let (held, moved) = (fate == Fate::Held, fate == Fate::Moved);
        let selects = !held && command.mode & Command::SELECTS != 0;
        let selected = if selects { self.selected(command) } else { None };
        let early = self.move_on(command, held, ran);
        let whose = if held || moved { Whose::NOBODY } else { caller_of(command) };
        let mark = command.is_mark();
        let answer = Answer::of(whose, of);
        Some(Answer { held: held || moved, internal, mark, selected, early, ..answer })
    }

    /// What becomes of `command`, the first that is not answered, which the server has refused.
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

    /// The refused commands since this was called last, in order.
    pub fn take_refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }

    /// `command`, the first that is not answered, alone.
    fn first(&self, command: Command) -> Option<Batch> {
        let front = self.batches.front()?;
        let start = self.answered.bytes;
        let bytes = front.bytes().slice(start..start + command.len as usize);
        Some(Batch::new(bytes, vec![command], front.submitted()).owned_by(front.owner()))
    }

    /// The reply to the next part of `block`. Errors go to the caller, who has to know why EXEC
    /// was refused; `+OK` and `+QUEUED` go to nobody. A refused block is never held: its caller
    /// decides, since there may be more to a transaction than its text.
    fn answer_part(&mut self, block: Command, of: Origin, error: Option<&[u8]>) -> Answer {
        let start = self.answered.bytes;
        let end = start + block.len as usize;
        let at = start + self.part.bytes;
        let rest = self.batches.front().and_then(|batch| batch.bytes().get(at..end));
        let rest = rest.unwrap_or_default();
        let at = at + encode::command_len(rest).unwrap_or(rest.len());
        let index = self.part.replies;
        (self.part.replies, self.part.bytes) = (index + 1, at - start);
        let refusal = error.filter(|_| self.rule != Rule::Pass).and_then(Refusal::read);
        let is_for_router = |refusal: &Refusal| {
            let is_free = self.rule == Rule::Route && block.mode & Command::PINNED == 0;
            is_free && refusal.is_for_router()
        };
        let mut is_refused = false;
        match refusal {
            Some(refusal) if is_for_router(&refusal) => {
                self.part.refusal.get_or_insert(refusal.error);
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
            return Answer { early, partial: true, ..Answer::of(whose, of) };
        }
        let part = std::mem::take(&mut self.part);
        let refusal = part.refusal.filter(|_| error.is_some() && !block.is_dead());
        let moved = refusal.and_then(|error| Some(Refused { batch: self.first(block)?, error }));
        let early = self.move_on(block, false, error.is_none());
        match moved {
            Some(refused) => {
                self.refused.push(refused);
                Answer { early, held: true, ..Answer::of(Whose::NOBODY, of) }
            }
            None => Answer { early, ..Answer::of(caller_of(block), of) },
        }
    }

    /// `command`, the first that was not answered, is now. Says whether that came too early.
    fn move_on(&mut self, command: Command, held: bool, ran: bool) -> bool {
        let len = command.len as usize;
        if let Hold::Draining { overtaken, .. } = &mut self.hold {
            *overtaken |= ran;
        }
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

    /// Ends the command `id` of `owner` because its caller has gone. None if it is not in the
    /// queue.
    pub fn cancel(&mut self, owner: u32, id: u32) -> Option<Applied> {
        let is_it = |held: &Held| {
            held.batch.owner() == owner && held.batch.commands().iter().any(|c| c.id == id)
        };
        if let Some(at) = self.held.iter().position(is_it) {
            let held = self.held.remove(at)?;
            self.forget(&held.batch);
            return Some(Applied::No);
        }
        let (position, index) = self.find(owner, id)?;
        Some(self.kill(position, index))
    }

    /// Ends every command of `owner`, who has gone.
    pub fn abandon(&mut self, owner: u32) -> Vec<Ended> {
        let mut ended = self.end_where(|batch| batch.owner() == owner, |_, _| true);
        // That somebody has gone is why they end, not what a server said before.
        ended.iter_mut().for_each(|ended| ended.refusal = None);
        ended
    }

    /// Ends every command whose deadline has passed.
    pub fn expire(&mut self, now: Instant) -> Vec<Ended> {
        let is_late = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        self.end_where(
            |batch| is_late(batch.earliest_deadline()),
            |batch, command| is_late(batch.deadline(command)),
        )
    }

    /// Ends those commands of the batches that `concerns` picks which `is_over` picks.
    fn end_where(
        &mut self,
        concerns: impl Fn(&Batch) -> bool,
        is_over: impl Fn(&Batch, &Command) -> bool,
    ) -> Vec<Ended> {
        let mut ended = Vec::new();
        let held = std::mem::take(&mut self.held).into_iter();
        let (over, kept) = held.partition(|held: &Held| concerns(&held.batch));
        self.held = kept;
        // Each is a command by itself.
        for Held { batch, error } in over {
            self.forget(&batch);
            for command in batch.commands() {
                let refusal = Some(error.clone());
                ended.push(Ended { refusal, ..gone(batch.owner(), command, Applied::No) });
            }
        }
        for position in 0..self.batches.len() {
            let Some(batch) = self.batches.get(position) else { break };
            if !concerns(batch) {
                continue;
            }
            let answered = if position == 0 { self.answered.commands } else { 0 };
            let over: Vec<(usize, u32)> = (batch.commands().iter().enumerate().skip(answered))
                .filter(|(_, command)| !command.is_dead() && is_over(batch, command))
                .map(|(index, command)| (index, command.id))
                .collect();
            let owner = batch.owner();
            let touched = self.touched(position);
            for (index, id) in over {
                let applied = if index < touched { Applied::Unknown } else { Applied::No };
                self.mark_dead(position, index, touched);
                ended.push(Ended { owner, id, applied, refusal: None });
            }
            if let Some(batch) = self.batches.get_mut(position) {
                batch.find_earliest(answered);
            }
        }
        // Without a connection nobody asks for bytes to write, and the dead would pile up.
        if self.litter {
            self.sweep();
        }
        ended
    }

    /// The earliest deadline of a command that somebody waits for. Linear in the number of
    /// batches: drivers ask when a timer has fired, not for each command.
    pub fn next_deadline(&self) -> Option<Instant> {
        let held = self.held.iter().filter_map(|held| held.batch.earliest_deadline());
        self.batches.iter().filter_map(Batch::earliest_deadline).chain(held).min()
    }

    /// Since when the oldest unanswered command is on the wire.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.batches.front().filter(|_| self.is_waiting())?.written
    }

    /// Since when the oldest unanswered command is on the wire, if nobody waits for it any more
    /// (its deadline has passed, or it never had a caller).
    pub fn overdue_since(&self) -> Option<Instant> {
        let batch = self.batches.front().filter(|_| self.is_waiting())?;
        let command = batch.commands().get(self.answered.commands)?;
        if command.is_dead() {
            batch.written
        } else {
            None
        }
    }

    /// The connection is gone. Commands that may be written again stay queued, in order; the others
    /// end and are returned. `is_repeatable` judges an encoded command. A block whose end was not
    /// written has not run: a server forgets an open transaction with its connection.
    pub fn lose(&mut self, is_repeatable: impl Fn(&[u8]) -> bool) -> (Vec<Ended>, usize) {
        let mut ended = Vec::new();
        let mut retried = 0;
        self.trim_answered();
        let mut rebuilt = VecDeque::new();
        for position in 0..self.batches.len() {
            let touched = self.touched(position);
            let Some(batch) = self.batches.get(position) else { break };
            if touched == 0 {
                // Marks end with the connection whose commands they stand behind.
                if !batch.commands().iter().all(Command::is_mark) {
                    rebuilt.push_back(batch.clone());
                }
                continue;
            }
            let written = self.written_of(position, batch);
            let (mut index, mut end) = (0, 0);
            let kept = batch.filtered(|command, encoded| {
                let was_written = index < touched;
                index += 1;
                end += encoded.len();
                if !was_written {
                    return command.mode & Command::DEAD == 0 && !command.is_mark();
                }
                if command.is_dead() {
                    return false;
                }
                let is_cut = command.is_block() && end > written;
                let may_again = is_cut || (!command.is_block() && is_repeatable(encoded));
                if command.tries() < MAX_TRIES && may_again {
                    command.count_try();
                    retried += 1;
                    return true;
                }
                let applied = if is_cut { Applied::No } else { Applied::Unknown };
                ended.push(gone(batch.owner(), command, applied));
                false
            });
            if !kept.commands().is_empty() {
                rebuilt.push_back(kept);
            }
        }
        for held in self.held.drain(..).rev() {
            rebuilt.push_front(held.batch);
        }
        self.replace(rebuilt);
        (ended, retried)
    }

    /// Ends everything: the lane is closed for good, or its options can never work. What is left
    /// of a half-written block will never be written, so that it will not run.
    ///
    /// Needs nothing but counts, because it also cleans up after a bug.
    pub fn fail_all(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for Held { batch, .. } in &self.held {
            let commands = batch.commands().iter();
            ended.extend(commands.map(|command| gone(batch.owner(), command, Applied::No)));
        }
        for (position, batch) in self.batches.iter().enumerate() {
            let answered = if position == 0 { self.answered.commands } else { 0 };
            let touched = self.touched(position);
            let written = self.written_of(position, batch);
            for (index, (offset, command)) in batch.offsets().enumerate().skip(answered) {
                if !command.is_dead() {
                    let is_cut = command.is_block() && offset + command.len as usize > written;
                    let may_run = index < touched && !is_cut;
                    let applied = if may_run { Applied::Unknown } else { Applied::No };
                    ended.push(gone(batch.owner(), command, applied));
                }
            }
        }
        *self = Self { rule: self.rule, ..Self::default() };
        ended
    }

    /// Stops writing so that the connection can be exchanged once nothing is in flight.
    pub fn retire(&mut self) {
        self.retiring = true;
    }

    /// Whether the connection may be exchanged now: it is to be, and nothing is in flight.
    pub fn is_retired(&self) -> bool {
        self.retiring && !self.is_waiting()
    }

    /// Takes out everything that waits, in order, for another node. For a lane without a
    /// connection: nothing of it is in flight.
    pub fn take_all(&mut self) -> Vec<Batch> {
        self.trim_answered();
        let held = std::mem::take(&mut self.held).into_iter().map(|held| held.batch);
        let batches: Vec<Batch> = held.chain(std::mem::take(&mut self.batches)).collect();
        *self = Self { rule: self.rule, ..Self::default() };
        let live = |batch: &Batch| batch.filtered(|command, _| !command.is_dead());
        batches.iter().map(live).filter(|batch| !batch.commands().is_empty()).collect()
    }

    /// Takes up writing again, on a new connection.
    pub fn resume(&mut self) {
        self.retiring = false;
        self.trim_answered();
    }

    /// Once a held lane has nothing in flight: what is to be done. `random` (`0.0..1.0`) spreads
    /// the retries.
    pub fn drained(&mut self, now: Instant, attempt: u32, random: f64) -> Drained {
        let Hold::Draining { overtaken, reconnect } = self.hold else { return Drained::Nothing };
        if self.is_waiting() {
            return Drained::Nothing;
        }
        if overtaken && !(reconnect && self.held.is_empty()) {
            self.hold = Hold::Off;
            return Drained::Reject(self.reject_held());
        }
        if reconnect {
            return Drained::Reconnect;
        }
        let ceiling = RETRY_BASE.saturating_mul(1 << attempt.min(8)).min(RETRY_CAP);
        self.hold = Hold::Until(now + ceiling.mul_f64(0.5 + random / 2.0));
        Drained::Nothing
    }

    /// Whether writing waits because the server refused a command.
    pub fn is_holding(&self) -> bool {
        self.hold != Hold::Off
    }

    /// When held commands are to be written again.
    pub fn retry_at(&self) -> Option<Instant> {
        match self.hold {
            Hold::Until(at) => Some(at),
            _ => None,
        }
    }

    /// Puts the held commands back at the front; returns how many there are.
    pub fn retry_held(&mut self) -> usize {
        self.hold = Hold::Off;
        self.trim_answered();
        let held = self.held.len();
        for held in self.held.drain(..).rev() {
            self.batches.push_front(held.batch);
        }
        held
    }

    /// The database that `command`, the first that is not answered, asks for.
    fn selected(&self, command: Command) -> Option<u32> {
        let bytes = self.batches.front()?.bytes();
        let start = self.answered.bytes;
        let encoded = bytes.get(start..start + command.len as usize)?;
        let database = encode::args(encoded).nth(1)?;
        std::str::from_utf8(database).ok()?.parse().ok()
    }

    fn try_hold(&mut self, mut command: Command, refusal: Refusal) -> bool {
        let reconnects = refusal.reconnects();
        if reconnects {
            if command.tries() >= MAX_TRIES {
                return false;
            }
            command.count_try();
        }
        let Some(batch) = self.first(command) else { return false };
        self.held.push_back(Held { batch, error: refusal.error });
        match &mut self.hold {
            Hold::Draining { reconnect, .. } => *reconnect |= reconnects,
            hold => *hold = Hold::Draining { overtaken: false, reconnect: reconnects },
        }
        true
    }

    /// Later commands want another connection, once what is in flight is answered: the server's
    /// role has changed, or the login.
    pub fn drain_to_reconnect(&mut self) {
        match &mut self.hold {
            Hold::Draining { reconnect, .. } => *reconnect = true,
            hold => *hold = Hold::Draining { overtaken: false, reconnect: true },
        }
    }

    fn reject_held(&mut self) -> Vec<Ended> {
        let mut rejected = Vec::new();
        for Held { batch, error } in std::mem::take(&mut self.held) {
            self.forget(&batch);
            rejected.extend(batch.commands().iter().map(|command| Ended {
                refusal: Some(error.clone()),
                ..gone(batch.owner(), command, Applied::No)
            }));
        }
        rejected
    }

    fn forget(&mut self, batch: &Batch) {
        self.commands -= batch.commands().len();
        self.bytes -= batch.bytes().len();
    }

    /// How many commands of the batch at `position` have been written at least in part.
    fn touched(&self, position: usize) -> usize {
        let Some(batch) = self.batches.get(position) else { return 0 };
        match position.cmp(&self.writing) {
            std::cmp::Ordering::Less => batch.commands().len(),
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Equal => {
                let count = || batch.offsets().take_while(|(at, _)| *at < self.written).count();
                let begun = self.begun.get().unwrap_or_else(count);
                self.begun.set(Some(begun));
                begun
            }
        }
    }

    /// How many bytes of `batch`, which is at `position`, have been written.
    fn written_of(&self, position: usize, batch: &Batch) -> usize {
        match position.cmp(&self.writing) {
            std::cmp::Ordering::Less => batch.bytes().len(),
            std::cmp::Ordering::Equal => self.written,
            std::cmp::Ordering::Greater => 0,
        }
    }

    /// Where the live command `id` of `owner` is. Ids ascend through the queue, but for those of
    /// commands that nobody waits for and of other owners, and they wrap around: so a binary
    /// search finds nearly all.
    fn find(&self, owner: u32, id: u32) -> Option<(usize, usize)> {
        let first = self.batches.front()?.commands().first()?.id;
        let rank = |id: u32| id.wrapping_sub(first);
        let position = self.batches.partition_point(|batch| {
            batch.commands().last().is_some_and(|last| rank(last.id) < rank(id))
        });
        let within = |position: usize| {
            let batch = self.batches.get(position).filter(|batch| batch.owner() == owner)?;
            let answered = if position == 0 { self.answered.commands } else { 0 };
            let is_it = |c: &Command| c.id == id && !c.is_dead();
            let commands = batch.commands();
            let index = commands.partition_point(|c| rank(c.id) < rank(id));
            let index = match commands.get(index).is_some_and(is_it) {
                true => index,
                false => commands.iter().position(is_it)?,
            };
            (index >= answered).then_some((position, index))
        };
        within(position).or_else(|| (0..self.batches.len()).find_map(within))
    }

    /// Ends a command without its reply. The batch's earliest deadline may be this command's
    /// still: that costs one needless look at the clock, where computing it anew for each of many
    /// commands that end together would cost their number squared.
    fn kill(&mut self, position: usize, index: usize) -> Applied {
        let touched = self.touched(position);
        self.mark_dead(position, index, touched);
        if index < touched {
            Applied::Unknown
        } else {
            Applied::No
        }
    }

    fn mark_dead(&mut self, position: usize, index: usize, touched: usize) {
        self.litter |= index >= touched;
        let batch = self.batches.get_mut(position);
        if let Some(command) = batch.and_then(|b| b.commands_mut().get_mut(index)) {
            command.mode |= Command::DEAD;
        }
    }

    /// Drops dead commands that have not been written.
    fn sweep(&mut self) {
        self.litter = false;
        let touched = self.touched(self.writing);
        self.begun.set(None);
        let mut from = self.writing;
        if touched > 0 {
            let Some(batch) = self.batches.get_mut(self.writing) else { return };
            let end = touched_end(batch, self.written);
            let rest = batch.split_off(touched, end);
            batch.find_earliest(if self.writing == 0 { self.answered.commands } else { 0 });
            from += 1;
            if !rest.commands().is_empty() {
                self.batches.insert(from, rest);
            }
            if self.written == end {
                self.writing += 1;
                self.written = 0;
            }
        }
        let swept: Vec<Batch> = self.batches.drain(from..).collect();
        for batch in swept {
            if !batch.commands().iter().any(|c| c.mode & Command::DEAD != 0) {
                self.batches.push_back(batch);
                continue;
            }
            let kept = batch.filtered(|command, _| command.mode & Command::DEAD == 0);
            self.commands -= batch.commands().len() - kept.commands().len();
            self.bytes -= batch.bytes().len() - kept.bytes().len();
            if !kept.commands().is_empty() {
                self.batches.push_back(kept);
            }
        }
        self.pop_answered();
    }

    fn pop_answered(&mut self) {
        let done = |state: &Self| {
            state.batches.front().is_some_and(|b| state.answered.commands >= b.commands().len())
        };
        while self.writing > 0 && done(self) {
            self.batches.pop_front();
            self.writing -= 1;
            self.answered = Cursor::default();
        }
    }

    /// Cuts the answered commands off the first batch.
    fn trim_answered(&mut self) {
        self.begun.set(None);
        let Cursor { commands, bytes } = std::mem::take(&mut self.answered);
        if commands == 0 {
            return;
        }
        if let Some(front) = self.batches.front_mut() {
            front.split_front(commands, bytes);
            if self.writing == 0 {
                self.written = self.written.saturating_sub(bytes);
                if self.written == 0 {
                    front.written = None;
                }
            }
            if front.commands().is_empty() {
                self.batches.pop_front();
                self.writing = self.writing.saturating_sub(1);
            }
        }
    }

    /// Starts over with `batches`, none of them written.
    fn replace(&mut self, batches: VecDeque<Batch>) {
        let commands = batches.iter().map(|b| b.commands().len()).sum();
        let bytes = batches.iter().map(|b| b.bytes().len()).sum();
        let litter = self.litter;
        *self = Self { batches, commands, bytes, litter, rule: self.rule, ..Self::default() };
        for batch in &mut self.batches {
            batch.written = None;
        }
    }
}

/// What has become of a refused command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its caller gets the refusal.
    Answered,
    /// It waits to be written again.
    Held,
    /// It is for the router.
    Moved,
}

/// The end of the last command of `batch` of which a byte was written.
fn touched_end(batch: &Batch, written: usize) -> usize {
    if written == 0 {
        return 0;
    }
    let mut ends = batch.offsets().map(|(offset, command)| offset + command.len as usize);
    ends.find(|end| *end >= written).unwrap_or(written)
}
