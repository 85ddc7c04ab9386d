//! What is subscribed to, and what should be: pure, without a socket or a clock.
//!
//! Owns the wanted names with their tokens, what the server has confirmed of them, what was asked
//! of it and not confirmed yet, and the tickets that wait for that. Every change goes through
//! [`State::look`], which asks the server for what is missing. Invariants: at most one request is
//! under way for a name, so that its confirmation cannot be mistaken for another's; once nothing
//! is under way the server has exactly what is wanted; every ticket is settled exactly once.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;

use super::frame::{in_wire_order, Frame};
use super::topic::{Op, Topic};
use crate::error::{Applied, Error};
use crate::outbox::{Resubscribed, Row};
use crate::resp::{encode, Frames};

/// Names of one command. Redis answers a command with a frame for each of its names in one go;
/// this many are some tens of kilobytes.
const NAMES: usize = 1000;
/// Bytes of names that are encoded in one go, so that resubscribing to a million channels does not
/// take as much memory again.
const WRITE: usize = 1 << 20;

/// Who waits for a change, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The number that the caller knows it by.
    pub ticket: u32,
    /// When it fails with a timeout.
    pub deadline: Option<Instant>,
}

/// The subscriptions of one connection, and of those that come after it.
#[derive(Debug, Default)]
pub(super) struct State {
    names: Names,
    /// Names that something has to be asked for.
    queue: VecDeque<(Topic, Bytes)>,
    /// What was asked, in the order of the wire.
    sent: VecDeque<Sent>,
    tickets: HashMap<u32, Ticket>,
    deadlines: BTreeSet<(Instant, u32)>,
    settled: Vec<(u32, Option<Error>)>,
    refusals: Vec<Error>,
    wanted: usize,
    is_connected: bool,
    gap: Gap,
}

#[derive(Debug, Default)]
struct Entry {
    token: u32,
    is_wanted: bool,
    /// Whether the server has it, as far as it has said.
    is_actual: bool,
    pending: Option<Op>,
    /// It stands in the queue.
    is_queued: bool,
    /// The server does not want to; not asked again before something changes.
    is_refused: bool,
    /// A command for several names was refused, so this one is asked for alone.
    is_alone: bool,
    /// It was lost, and was not confirmed again.
    is_lost: bool,
    waiters: Vec<(u32, Op)>,
}

#[derive(Debug)]
struct Ticket {
    topic: Topic,
    names: Vec<Bytes>,
    left: usize,
    deadline: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    at: Instant,
    what: Asked,
}

#[derive(Debug)]
enum Asked {
    Ping,
    Change { op: Op, topic: Topic, names: VecDeque<Bytes> },
}

/// The loss of subscriptions that is not made good yet.
#[derive(Debug, Default)]
struct Gap {
    since: Option<Instant>,
    /// Names that are not confirmed again.
    open: usize,
    again: [u32; 3],
    report: Option<Resubscribed>,
}

/// What some frames have brought.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Messages, in order.
    pub(super) rows: Vec<Row>,
    /// Pushes that are none of a subscriber's business.
    pub(super) ignored: u64,
    /// Why the connection cannot go on.
    pub(super) breach: Option<Error>,
}

impl State {
    /// Wants `names`, each with the token that its messages carry from now on.
    pub(super) fn want(
        &mut self,
        request: Option<Request>,
        topic: Topic,
        names: Vec<(Bytes, u32)>,
    ) {
        let ticket = self.open(request, topic, names.iter().map(|(name, _)| name.clone()));
        for (name, token) in names {
            let entry = self.names.of_mut(topic).entry(name.clone()).or_default();
            self.wanted += usize::from(!std::mem::replace(&mut entry.is_wanted, true));
            entry.token = token;
            entry.is_refused = false;
            entry.waiters.extend(ticket.map(|ticket| (ticket, Op::Subscribe)));
            self.look(topic, &name);
        }
    }

    /// Wants `names` no more.
    pub(super) fn unwant(&mut self, request: Option<Request>, topic: Topic, names: Vec<Bytes>) {
        let ticket = self.open(request, topic, names.iter().cloned());
        for name in names {
            let Some(entry) = self.names.of_mut(topic).get_mut(&name) else {
                ticket.into_iter().for_each(|ticket| self.done(ticket));
                continue;
            };
            self.wanted -= usize::from(std::mem::replace(&mut entry.is_wanted, false));
            entry.is_refused = false;
            entry.waiters.extend(ticket.map(|ticket| (ticket, Op::Unsubscribe)));
            if std::mem::replace(&mut entry.is_lost, false) {
                self.gap.open -= 1;
            }
            self.look(topic, &name);
        }
    }

    /// There is a connection: everything wanted is asked for.
    pub(super) fn connect(&mut self) {
        self.is_connected = true;
        for (topic, name) in self.names.all() {
            self.look(topic, &name);
        }
    }

    /// The connection is gone, and the server knows of no subscription. `since` is when messages
    /// may have been missed for the first time.
    pub(super) fn disconnect(&mut self, since: Instant) {
        self.is_connected = false;
        self.sent.clear();
        self.queue.clear();
        for (topic, name) in self.names.all() {
            let Some(entry) = self.names.of_mut(topic).get_mut(&name) else { continue };
            if entry.is_wanted && std::mem::replace(&mut entry.is_actual, false) {
                self.gap.lose(entry, since);
            }
            entry.is_actual = false;
            entry.pending = None;
            (entry.is_queued, entry.is_refused, entry.is_alone) = (false, false, false);
            if entry.is_wanted {
                // Wanted again before the server had answered: nothing is left to be done.
                self.settle(topic, &name, |op| op == Op::Unsubscribe);
            }
            self.look(topic, &name);
        }
    }

    /// Appends what is to be written now, up to a bound.
    pub(super) fn encode(&mut self, out: &mut Vec<u8>, now: Instant) {
        let mut commands: Vec<(Op, Topic, VecDeque<Bytes>)> = Vec::new();
        let mut bytes = 0;
        while bytes < WRITE {
            let Some((topic, name)) = self.queue.pop_front() else { break };
            let Some(entry) = self.names.of_mut(topic).get_mut(&name) else { continue };
            entry.is_queued = false;
            let is_due = entry.is_wanted != entry.is_actual && !entry.is_refused;
            if !is_due || entry.pending.is_some() {
                continue;
            }
            let op = if entry.is_wanted { Op::Subscribe } else { Op::Unsubscribe };
            let is_alone = entry.is_alone;
            entry.pending = Some(op);
            bytes += name.len();
            let open = commands.iter_mut().find(|(other, of, names)| {
                *other == op && *of == topic && names.len() < NAMES && !is_alone
            });
            match open {
                Some((.., names)) => names.push_back(name),
                None if is_alone => self.ask(op, topic, VecDeque::from([name]), out, now),
                None => commands.push((op, topic, VecDeque::from([name]))),
            }
        }
        for (op, topic, names) in commands {
            self.ask(op, topic, names, out, now);
        }
    }

    /// Appends a PING.
    pub(super) fn ping(&mut self, out: &mut Vec<u8>, now: Instant) {
        encode::command(out, &[b"PING"]);
        self.sent.push_back(Sent { at: now, what: Asked::Ping });
    }

    /// Takes in what the server said.
    pub(super) fn receive(&mut self, frames: &Frames, now: Instant) -> Received {
        let mut received = Received::default();
        for root in in_wire_order(frames) {
            match Frame::read(frames, root) {
                Frame::Message { topic, name, channel, payload } => {
                    let entry = self.names.of(topic).get(name).filter(|entry| entry.is_wanted);
                    let Some(&Entry { token, .. }) = entry else { continue };
                    let channel = if topic == Topic::Pattern { channel } else { Row::NOWHERE };
                    received.rows.push(Row { token, channel, payload });
                }
                Frame::Line => {
                    let entry = self.names.monitor.get(&[][..]).filter(|entry| entry.is_actual);
                    let Some(&Entry { token, .. }) = entry else {
                        received.breach = Some(unasked());
                        break;
                    };
                    received.rows.push(Row { token, channel: Row::NOWHERE, payload: root });
                }
                Frame::Confirmed { op, topic, name } => self.confirm(op, topic, name, now),
                Frame::Push => received.ignored += 1,
                Frame::Pong => match self.sent.front() {
                    Some(Sent { what: Asked::Ping, .. }) => drop(self.sent.pop_front()),
                    _ => received.breach = Some(unasked()),
                },
                Frame::Refused(text) => {
                    let error = refusal(text);
                    match self.sent.pop_front() {
                        Some(Sent { what: Asked::Ping, .. }) => {}
                        Some(Sent { what: Asked::Change { op, topic, names }, .. }) => {
                            self.refuse(op, topic, names, &error);
                        }
                        // The server's last words.
                        None => received.breach = Some(error),
                    }
                }
                Frame::Unknown => received.breach = Some(unasked()),
            }
            if received.breach.is_some() {
                break;
            }
        }
        received
    }

    /// Fails the tickets whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant, error: &Error) -> u64 {
        let applied = if self.is_connected { Applied::Unknown } else { Applied::No };
        let mut count = 0;
        while let Some((at, ticket)) = self.deadlines.first().copied() {
            if at > now {
                break;
            }
            self.fail(ticket, error.clone().with_applied(applied));
            count += 1;
        }
        count
    }

    /// Fails all tickets. What they wanted stays wanted until somebody says otherwise.
    pub(super) fn fail_all(&mut self, error: &Error) {
        let tickets: Vec<u32> = self.tickets.keys().copied().collect();
        for ticket in tickets {
            self.fail(ticket, error.clone());
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, error: &Error) {
        self.fail_all(error);
        let settled = std::mem::take(&mut self.settled);
        *self = Self { settled, ..Self::default() };
    }

    /// Whether a connection is needed.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Whether only closing the connection ends what is not wanted any more.
    pub(super) fn is_over(&self) -> bool {
        let monitor = self.names.monitor.values();
        monitor.into_iter().any(|entry| entry.is_actual && !entry.is_wanted)
    }

    /// Names that are wanted.
    pub(super) fn subscriptions(&self) -> usize {
        self.wanted
    }

    /// When the oldest request without an answer was written, and whether it is a PING.
    pub(super) fn oldest(&self) -> Option<(Instant, bool)> {
        self.sent.front().map(|sent| (sent.at, matches!(sent.what, Asked::Ping)))
    }

    /// When the next ticket fails.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Tickets that have ended since the last call.
    pub(super) fn take_settled(&mut self) -> Vec<(u32, Option<Error>)> {
        std::mem::take(&mut self.settled)
    }

    /// Why lost subscriptions could not be had again.
    pub(super) fn take_refusals(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.refusals)
    }

    /// What a loss has meant, once it is made good.
    pub(super) fn take_report(&mut self, now: Instant) -> Option<Resubscribed> {
        self.gap.close(now);
        self.gap.report.take()
    }

    /// Writes one command and notes that it is due.
    fn ask(
        &mut self,
        op: Op,
        topic: Topic,
        names: VecDeque<Bytes>,
        out: &mut Vec<u8>,
        now: Instant,
    ) {
        let Some(command) = topic.command(op) else { return };
        let mut args = vec![command];
        if topic != Topic::Monitor {
            args.extend(names.iter().map(|name| &name[..]));
        }
        encode::command(out, &args);
        self.sent.push_back(Sent { at: now, what: Asked::Change { op, topic, names } });
    }

    fn confirm(&mut self, op: Op, topic: Topic, name: &[u8], now: Instant) {
        let is_due = self.is_due(op, topic, name);
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        if is_due {
            entry.pending = None;
            (entry.is_refused, entry.is_alone) = (false, false);
        }
        entry.is_actual = op == Op::Subscribe;
        match op {
            Op::Subscribe if std::mem::replace(&mut entry.is_lost, false) => {
                self.gap.open -= 1;
                if let Some(count) = self.gap.again.get_mut(topic as usize) {
                    *count += 1;
                }
            }
            // The server has ended it by itself: the slot of a shard channel has moved.
            Op::Unsubscribe if !is_due && entry.is_wanted => self.gap.lose(entry, now),
            _ => {}
        }
        let name = Bytes::copy_from_slice(name);
        if is_due {
            self.settle(topic, &name, |waits_for| waits_for == op);
        }
        self.look(topic, &name);
    }

    /// Whether this confirmation answers the oldest request, which then waits for one less.
    fn is_due(&mut self, op: Op, topic: Topic, name: &[u8]) -> bool {
        let Some(Sent { what: Asked::Change { op: asked, topic: of, names }, .. }) =
            self.sent.front_mut()
        else {
            return false;
        };
        if *asked != op || *of != topic {
            return false;
        }
        let Some(at) = names.iter().position(|asked| asked == name) else { return false };
        names.remove(at);
        if names.is_empty() {
            self.sent.pop_front();
        }
        true
    }

    /// The server has refused a command. One for several names is asked again name by name, since
    /// it does not say which of them it meant.
    fn refuse(&mut self, op: Op, topic: Topic, names: VecDeque<Bytes>, error: &Error) {
        let is_clear = names.len() == 1;
        for name in names {
            let Some(entry) = self.names.of_mut(topic).get_mut(&name) else { continue };
            entry.pending = None;
            (entry.is_alone, entry.is_refused) = (!is_clear, is_clear);
            let waiters: Vec<u32> = match is_clear {
                true => {
                    entry.waiters.iter().filter(|(_, waits)| *waits == op).map(|w| w.0).collect()
                }
                false => Vec::new(),
            };
            if is_clear && std::mem::replace(&mut entry.is_lost, false) {
                self.gap.open -= 1;
                self.refusals.push(error.clone());
            }
            for ticket in waiters {
                self.fail(ticket, error.clone().with_applied(Applied::No));
            }
            self.look(topic, &name);
        }
    }

    /// Does what is to be done about a name: ends the tickets that have what they wait for, asks
    /// the server for what is missing, forgets what nobody wants.
    fn look(&mut self, topic: Topic, name: &Bytes) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        if entry.pending.is_some() {
            return;
        }
        if entry.is_wanted == entry.is_actual {
            let is_forgotten = !entry.is_wanted;
            // What was asked and taken back before the server heard of it counts as done.
            self.settle(topic, name, |_| true);
            if is_forgotten {
                self.names.of_mut(topic).remove(name);
            }
        } else if self.is_connected && !entry.is_refused && !entry.is_queued {
            // MONITOR has no opposite: `is_over` tells the driver.
            if topic != Topic::Monitor || entry.is_wanted {
                entry.is_queued = true;
                self.queue.push_back((topic, name.clone()));
            }
        }
    }

    fn open(
        &mut self,
        request: Option<Request>,
        topic: Topic,
        names: impl ExactSizeIterator<Item = Bytes>,
    ) -> Option<u32> {
        let Request { ticket, deadline } = request?;
        let left = names.len();
        if left == 0 {
            self.settled.push((ticket, None));
            return None;
        }
        self.deadlines.extend(deadline.map(|at| (at, ticket)));
        self.tickets.insert(ticket, Ticket { topic, names: names.collect(), left, deadline });
        Some(ticket)
    }

    /// Takes those waiters off a name that wait for an op that `is_done` knows.
    fn settle(&mut self, topic: Topic, name: &Bytes, is_done: impl Fn(Op) -> bool) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        if entry.waiters.is_empty() {
            return;
        }
        let (done, left) =
            std::mem::take(&mut entry.waiters).into_iter().partition(|(_, op)| is_done(*op));
        entry.waiters = left;
        let done: Vec<(u32, Op)> = done;
        for (ticket, _) in done {
            self.done(ticket);
        }
    }

    /// One name less that a ticket waits for.
    fn done(&mut self, ticket: u32) {
        let Some(open) = self.tickets.get_mut(&ticket) else { return };
        open.left = open.left.saturating_sub(1);
        if open.left == 0 {
            self.close(ticket, None);
        }
    }

    fn fail(&mut self, ticket: u32, error: Error) {
        let Some(Ticket { topic, names, .. }) = self.close(ticket, Some(error)) else { return };
        for name in names {
            if let Some(entry) = self.names.of_mut(topic).get_mut(&name) {
                entry.waiters.retain(|(waiter, _)| *waiter != ticket);
            }
        }
    }

    fn close(&mut self, ticket: u32, error: Option<Error>) -> Option<Ticket> {
        let closed = self.tickets.remove(&ticket)?;
        if let Some(at) = closed.deadline {
            self.deadlines.remove(&(at, ticket));
        }
        self.settled.push((ticket, error));
        Some(closed)
    }
}

impl Gap {
    fn lose(&mut self, entry: &mut Entry, since: Instant) {
        if !std::mem::replace(&mut entry.is_lost, true) {
            self.open += 1;
        }
        self.since = Some(self.since.map_or(since, |before| before.min(since)));
    }

    fn close(&mut self, now: Instant) {
        if self.open > 0 {
            return;
        }
        let Some(since) = self.since.take() else { return };
        let [channels, patterns, shard_channels] = std::mem::take(&mut self.again);
        let lost = now.saturating_duration_since(since);
        if channels + patterns + shard_channels > 0 {
            self.report = Some(Resubscribed { channels, patterns, shard_channels, lost });
        }
    }
}

/// Entries by topic and name.
#[derive(Debug, Default)]
struct Names {
    channels: HashMap<Bytes, Entry>,
    patterns: HashMap<Bytes, Entry>,
    shard_channels: HashMap<Bytes, Entry>,
    monitor: HashMap<Bytes, Entry>,
}

impl Names {
    fn of(&self, topic: Topic) -> &HashMap<Bytes, Entry> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::ShardChannel => &self.shard_channels,
            Topic::Monitor => &self.monitor,
        }
    }

    fn of_mut(&mut self, topic: Topic) -> &mut HashMap<Bytes, Entry> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::ShardChannel => &mut self.shard_channels,
            Topic::Monitor => &mut self.monitor,
        }
    }

    /// All names; cheap copies, since what is done about one may remove it.
    fn all(&self) -> Vec<(Topic, Bytes)> {
        let topics = [Topic::Channel, Topic::Pattern, Topic::ShardChannel, Topic::Monitor];
        let names = topics
            .iter()
            .flat_map(|topic| self.of(*topic).keys().map(|name| (*topic, name.clone())));
        names.collect()
    }
}

/// The error for an error reply, without the names that servers repeat of a command which they do
/// not know.
fn refusal(text: &[u8]) -> Error {
    let text = String::from_utf8_lossy(text);
    let ours = text.split(", with args beginning with:").next().unwrap_or_default();
    Error::reply(ours)
}

fn unasked() -> Error {
    Error::protocol("the server sent something that a subscriber does not expect")
}
