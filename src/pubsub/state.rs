//! What is subscribed to, and what should be: pure, without a socket or a clock.
//!
//! Owns the wanted names with their tokens, what the servers have confirmed of them, what was asked
//! and not confirmed yet, and the tickets that wait for that. Each name has a home: the line
//! (connection) that it is subscribed to on. A client of one server has one line; with several
//! nodes the caller places names, and takes back those that have lost their home. Every change
//! goes through [`State::look`], which asks the server for what is missing. Invariants: at most one
//! request is under way for a name and its present home, so that its confirmation cannot be
//! mistaken for another's; what another line says of it is not believed; once nothing is under way
//! the servers have exactly what is wanted; every ticket is settled exactly once.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use tokio::time::Instant;

use super::frame::{in_wire_order, Frame};
use super::gap::Gap;
use super::line::{Asked, Change, Line};
use super::names::Names;
use super::refusal::{self, Way};
use super::topic::{Op, Topic};
use crate::command::slot;
use crate::error::{Applied, Error};
use crate::outbox::{Message, Resubscribed};
use crate::resp::Frames;

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

/// The subscriptions of a client.
#[derive(Debug)]
pub(super) struct State {
    names: Names,
    lines: HashMap<u32, Line>,
    /// Whether there are several nodes, so that names have to be placed.
    is_scattered: bool,
    /// Names that have no home, and are to be placed.
    homeless: Vec<(Topic, Bytes)>,
    /// Names that nobody can have now, and when they are to be placed again.
    later: Vec<(Topic, Bytes)>,
    retry_at: Option<Instant>,
    tickets: HashMap<u32, Ticket>,
    deadlines: BTreeSet<(Instant, u32)>,
    settled: Vec<(u32, Option<Error>)>,
    refusals: Vec<Error>,
    wanted: usize,
    /// That of channels and patterns, and with several nodes that of shard channels.
    gaps: [Gap; 2],
}

#[derive(Debug)]
struct Ticket {
    topic: Topic,
    names: Vec<Bytes>,
    left: usize,
    deadline: Option<Instant>,
}

/// What some frames have brought.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Messages, in order.
    pub(super) rows: Vec<Message>,
    /// Pushes that are none of a subscriber's business.
    pub(super) ignored: u64,
    /// Refusals that say where a slot is.
    pub(super) redirects: Vec<(u16, Error)>,
    /// Whether a name has lost its home.
    pub(super) is_astray: bool,
    /// Why the connection cannot go on.
    pub(super) breach: Option<Error>,
}

impl Default for State {
    /// That of one server.
    fn default() -> Self {
        Self::new(false)
    }
}

impl State {
    /// The only line of one server.
    pub(super) const ONLY: u32 = 0;

    /// That of several nodes. It has no line yet.
    pub(super) fn scattered() -> Self {
        Self::new(true)
    }

    fn new(is_scattered: bool) -> Self {
        let only = (!is_scattered).then(|| (Self::ONLY, Line::default()));
        Self {
            names: Names::default(),
            lines: only.into_iter().collect(),
            is_scattered,
            homeless: Vec::new(),
            later: Vec::new(),
            retry_at: None,
            tickets: HashMap::new(),
            deadlines: BTreeSet::new(),
            settled: Vec::new(),
            refusals: Vec::new(),
            wanted: 0,
            gaps: Default::default(),
        }
    }

    /// Wants `names`, each with the token that its messages carry from now on.
    pub(super) fn want(
        &mut self,
        request: Option<Request>,
        topic: Topic,
        names: Vec<(Bytes, u32)>,
    ) {
        let ticket = self.open(request, topic, names.iter().map(|(name, _)| name.clone()));
        let home = (!self.is_scattered).then_some(Self::ONLY);
        for (name, token) in names {
            let entry = self.names.of_mut(topic).entry(name.clone()).or_default();
            entry.home = entry.home.or(home);
            if !std::mem::replace(&mut entry.is_wanted, true) {
                self.wanted += 1;
                let line = entry.home.and_then(|home| self.lines.get_mut(&home));
                line.into_iter().for_each(|line| line.wanted += 1);
            }
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
            if std::mem::replace(&mut entry.is_wanted, false) {
                self.wanted -= 1;
                let line = entry.home.and_then(|home| self.lines.get_mut(&home));
                line.into_iter().for_each(|line| line.wanted -= 1);
            }
            entry.is_refused = false;
            entry.waiters.extend(ticket.map(|ticket| (ticket, Op::Unsubscribe)));
            gap(&mut self.gaps, self.is_scattered, topic).forget(&mut entry.is_lost);
            self.look(topic, &name);
        }
    }

    /// There will be a line `home`.
    pub(super) fn add(&mut self, home: u32) {
        self.lines.entry(home).or_default();
    }

    /// The line is no more. Its names have lost their home since `since`.
    pub(super) fn remove(&mut self, home: u32, since: Instant) {
        for (topic, name) in self.names.at(home) {
            self.displace(topic, &name, since);
        }
        self.lines.remove(&home);
    }

    /// The name has line `home` from now on; not if it has another, or is not wanted. Whoever has
    /// refused it just now is asked again when he, or the caller, may have heard more.
    pub(super) fn place(&mut self, topic: Topic, name: &Bytes, home: u32, now: Instant) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        let Some(line) = self.lines.get_mut(&home) else { return };
        if entry.home.is_some() || !entry.is_wanted {
            return;
        }
        if entry.refuser == Some(home) {
            return self.put_off(topic, name, now + refusal::REFRESH);
        }
        entry.home = Some(home);
        line.wanted += 1;
        self.look(topic, name);
    }

    /// The name loses its home. Messages may have been missed since `since`.
    pub(super) fn displace(&mut self, topic: Topic, name: &Bytes, since: Instant) {
        self.detach(topic, name, since);
        self.look(topic, name);
    }

    fn detach(&mut self, topic: Topic, name: &Bytes, since: Instant) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        let Some(home) = entry.home.take() else { return };
        entry.round = entry.round.wrapping_add(1);
        entry.refuser = None;
        if entry.is_wanted {
            let line = self.lines.get_mut(&home);
            line.into_iter().for_each(|line| line.wanted -= 1);
        }
        self.lose(topic, name, since);
    }

    /// Nobody can have the name now: it is placed again at `at`, or, if nobody has refused it,
    /// when there is news.
    pub(super) fn put_off(&mut self, topic: Topic, name: &Bytes, at: Instant) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        if entry.home.is_some() || !entry.is_wanted {
            return;
        }
        (entry.is_queued, entry.refuser) = (true, None);
        self.later.push((topic, name.clone()));
        self.retry_at = Some(self.retry_at.map_or(at, |before| before.min(at)));
    }

    /// Names that are put off are to be placed: it is time.
    pub(super) fn recall(&mut self) {
        self.retry_at = None;
        self.homeless.append(&mut self.later);
    }

    /// The same for those that nobody has refused: it may be known now where they belong.
    pub(super) fn recall_unasked(&mut self) {
        let names = &self.names;
        let (refused, unasked) =
            std::mem::take(&mut self.later).into_iter().partition(|(topic, name)| {
                names.of(*topic).get(name).is_some_and(|entry| entry.tries > 0)
            });
        self.later = refused;
        self.homeless.extend::<Vec<_>>(unasked);
    }

    /// When that is due.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The names that are to be placed.
    pub(super) fn take_homeless(&mut self) -> Vec<(Topic, Bytes)> {
        let mut homeless = std::mem::take(&mut self.homeless);
        homeless.retain(|(topic, name)| {
            let entry = self.names.of_mut(*topic).get_mut(name);
            let Some(entry) = entry.filter(|entry| entry.home.is_none()) else { return false };
            entry.is_queued = false;
            entry.is_wanted
        });
        homeless
    }

    /// The names of a line.
    pub(super) fn at(&self, home: u32) -> Vec<(Topic, Bytes)> {
        self.names.at(home)
    }

    /// The line has a connection: everything wanted over it is asked for.
    pub(super) fn connect(&mut self, home: u32) {
        let Some(line) = self.lines.get_mut(&home) else { return };
        line.is_connected = true;
        for (topic, name) in self.names.at(home) {
            self.look(topic, &name);
        }
    }

    /// The connection is gone, and the server knows of no subscription. `since` is when messages
    /// may have been missed for the first time.
    pub(super) fn disconnect(&mut self, home: u32, since: Instant) {
        let Some(line) = self.lines.get_mut(&home) else { return };
        line.disconnect();
        for (topic, name) in self.names.at(home) {
            self.lose(topic, &name, since);
            self.look(topic, &name);
        }
    }

    /// Nothing is asked for a name, and nothing known of it.
    fn lose(&mut self, topic: Topic, name: &Bytes, since: Instant) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        if entry.is_wanted && entry.is_actual {
            gap(&mut self.gaps, self.is_scattered, topic).lose(&mut entry.is_lost, since);
        }
        entry.reset();
        if entry.is_wanted {
            // Wanted again before the server had answered: nothing is left to be done.
            self.settle(topic, name, |op| op == Op::Unsubscribe);
        }
    }

    /// Appends what is to be written over a line now, up to a bound.
    pub(super) fn encode(&mut self, home: u32, out: &mut Vec<u8>, now: Instant) {
        let Some(line) = self.lines.get_mut(&home) else { return };
        let mut changes: Vec<Change> = Vec::new();
        // Of each command the last one: servers of a cluster take shard channels of one slot each.
        let mut open: HashMap<(Op, Topic, Option<u16>), usize> = HashMap::new();
        let mut bytes = 0;
        while bytes < WRITE {
            let Some((topic, name)) = line.queue.pop_front() else { break };
            let entry = self.names.of_mut(topic).get_mut(&name);
            let Some(entry) = entry.filter(|entry| entry.home == Some(home)) else { continue };
            entry.is_queued = false;
            let is_due = entry.is_wanted != entry.is_actual && !entry.is_refused;
            if !is_due || entry.pending.is_some() {
                continue;
            }
            let op = if entry.is_wanted { Op::Subscribe } else { Op::Unsubscribe };
            entry.pending = Some(op);
            bytes += name.len();
            let is_of_slot = self.is_scattered && topic == Topic::ShardChannel;
            let key = (op, topic, is_of_slot.then(|| slot::of(&name)));
            let round = entry.round;
            let last = open.get(&key).and_then(|at| changes.get_mut(*at));
            match last.filter(|last| last.names.len() < NAMES && !entry.is_alone) {
                Some(last) => last.names.push_back((name, round)),
                None => {
                    if !entry.is_alone {
                        open.insert(key, changes.len());
                    }
                    changes.push(Change { op, topic, names: VecDeque::from([(name, round)]) });
                }
            }
        }
        for change in changes {
            line.ask(change, out, now);
        }
    }

    /// Appends a PING.
    pub(super) fn ping(&mut self, home: u32, out: &mut Vec<u8>, now: Instant) {
        if let Some(line) = self.lines.get_mut(&home) {
            line.ping(out, now);
        }
    }

    /// Takes in what the server at the other end of a line said.
    pub(super) fn receive(&mut self, home: u32, frames: &Frames, now: Instant) -> Received {
        let mut received = Received::default();
        for root in in_wire_order(frames) {
            match Frame::read(frames, root) {
                Frame::Message { topic, name, channel, payload } => {
                    let is_heard =
                        |entry: &&super::names::Entry| entry.is_wanted && entry.home == Some(home);
                    let entry = self.names.of(topic).get(name).filter(is_heard);
                    let Some(token) = entry.map(|entry| entry.token) else { continue };
                    let channel = if topic == Topic::Pattern { channel } else { Message::NOWHERE };
                    received.rows.push(Message { token, channel, payload });
                }
                Frame::Line => {
                    let entry = self.names.of(Topic::Monitor).get(&[][..]);
                    match entry.filter(|entry| entry.is_actual).map(|entry| entry.token) {
                        Some(token) => {
                            received.rows.push(Message {
                                token,
                                channel: Message::NOWHERE,
                                payload: root,
                            });
                        }
                        None => received.breach = Some(unasked()),
                    }
                }
                Frame::Confirmed { op, topic, name } => {
                    self.confirm(home, op, topic, name, now, &mut received);
                }
                Frame::Push => received.ignored += 1,
                Frame::Pong => {
                    if !self.lines.get_mut(&home).is_some_and(Line::pong) {
                        received.breach = Some(unasked());
                    }
                }
                Frame::Refused(text) => self.hear_refusal(home, text, now, &mut received),
                Frame::Unknown => received.breach = Some(unasked()),
            }
            if received.breach.is_some() {
                break;
            }
        }
        received
    }

    fn hear_refusal(&mut self, home: u32, text: &[u8], now: Instant, received: &mut Received) {
        let error = refusal::read(text);
        let Some(line) = self.lines.get_mut(&home) else { return };
        if let Some(Way::Moved(slot)) = self.is_scattered.then(|| refusal::way(&error)).flatten() {
            if !line.is_about(slot) {
                return;
            }
        }
        match line.refused() {
            Some(Asked::Ping) => {}
            Some(Asked::Change(change)) => self.refuse(change, &error, now, received),
            // The server's last words.
            None => received.breach = Some(error),
        }
    }

    /// Fails the tickets whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant, error: &Error) -> u64 {
        let is_connected = self.lines.values().any(|line| line.is_connected);
        let applied = if is_connected { Applied::Unknown } else { Applied::No };
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

    /// Fails the tickets that wait for some names. They stay wanted all the same.
    pub(super) fn fail_those(&mut self, names: &[(Topic, Bytes)], error: &Error) {
        for (topic, name) in names {
            let entry = self.names.of(*topic).get(name);
            let waiters = entry.map(|entry| entry.waiters.clone()).unwrap_or_default();
            for (ticket, _) in waiters {
                self.fail(ticket, error.clone());
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, error: &Error) {
        self.fail_all(error);
        let settled = std::mem::take(&mut self.settled);
        *self = Self { settled, ..Self::new(self.is_scattered) };
    }

    /// Whether a line needs a connection.
    pub(super) fn is_wanted(&self, home: u32) -> bool {
        self.lines.get(&home).is_some_and(|line| line.wanted > 0)
    }

    /// Whether a line has a connection.
    pub(super) fn is_connected(&self, home: u32) -> bool {
        self.lines.get(&home).is_some_and(|line| line.is_connected)
    }

    /// Whether only closing the connection ends what is not wanted any more.
    pub(super) fn is_over(&self) -> bool {
        let monitor = self.names.of(Topic::Monitor).values();
        monitor.into_iter().any(|entry| entry.is_actual && !entry.is_wanted)
    }

    /// Names that are wanted.
    pub(super) fn subscriptions(&self) -> usize {
        self.wanted
    }

    /// When the oldest request of a line without an answer was written, and whether it is a PING.
    pub(super) fn oldest(&self, home: u32) -> Option<(Instant, bool)> {
        self.lines.get(&home)?.oldest()
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

    /// What losses have meant, once they are made good.
    pub(super) fn take_reports(&mut self, now: Instant) -> Vec<Resubscribed> {
        self.gaps.iter_mut().filter_map(|gap| gap.close(now)).collect()
    }

    fn confirm(
        &mut self,
        home: u32,
        op: Op,
        topic: Topic,
        name: &[u8],
        now: Instant,
        received: &mut Received,
    ) {
        let round = self.lines.get_mut(&home).and_then(|line| line.confirmed(op, topic, name));
        let entry = self.names.of_mut(topic).get_mut(name);
        let Some(entry) = entry.filter(|entry| entry.home == Some(home)) else { return };
        if round.is_some_and(|round| round != entry.round) {
            return;
        }
        let name = Bytes::copy_from_slice(name);
        if round.is_none() && op == Op::Unsubscribe && entry.is_wanted && self.is_scattered {
            // The slot of a shard channel has moved: it is looked for where that is now.
            received.is_astray = true;
            return self.displace(topic, &name, now);
        }
        if round.is_some() {
            entry.pending = None;
            (entry.is_refused, entry.is_alone, entry.tries) = (false, false, 0);
        }
        entry.is_actual = op == Op::Subscribe;
        let gap = gap(&mut self.gaps, self.is_scattered, topic);
        match op {
            Op::Subscribe => gap.restore(&mut entry.is_lost, topic),
            // The server has ended it by itself.
            Op::Unsubscribe if round.is_none() && entry.is_wanted => {
                gap.lose(&mut entry.is_lost, now);
            }
            Op::Unsubscribe => {}
        }
        if round.is_some() {
            self.settle(topic, &name, |waits_for| waits_for == op);
        }
        self.look(topic, &name);
    }

    /// The server has refused a command. One for several names is asked again name by name, since
    /// it does not say which of them it meant.
    fn refuse(&mut self, change: Change, error: &Error, now: Instant, received: &mut Received) {
        let Change { op, topic, names } = change;
        let is_of_slot = self.is_scattered && topic == Topic::ShardChannel;
        if let Some(way) = is_of_slot.then(|| refusal::way(error)).flatten() {
            return self.redirect(op, names, way, error, now, received);
        }
        let is_clear = names.len() == 1;
        for (name, round) in names {
            let entry = self.names.of_mut(topic).get_mut(&name);
            let Some(entry) = entry.filter(|entry| entry.round == round) else { continue };
            entry.pending = None;
            (entry.is_alone, entry.is_refused) = (!is_clear, is_clear);
            if is_clear {
                if gap(&mut self.gaps, self.is_scattered, topic).forget(&mut entry.is_lost) {
                    self.refusals.push(error.clone());
                }
                self.fail_waiters(topic, &name, op, error);
            }
            self.look(topic, &name);
        }
    }

    /// A node has refused shard channels, since they are not its own or cannot be had now.
    fn redirect(
        &mut self,
        op: Op,
        names: VecDeque<(Bytes, u32)>,
        way: Way,
        error: &Error,
        now: Instant,
        received: &mut Received,
    ) {
        let topic = Topic::ShardChannel;
        if let Way::Moved(slot) = way {
            received.redirects.push((slot, error.clone()));
        }
        received.is_astray = true;
        for (name, round) in names {
            let entry = self.names.of_mut(topic).get_mut(&name);
            let Some(entry) = entry.filter(|entry| entry.round == round) else { continue };
            if op == Op::Unsubscribe {
                // Whoever does not have the slot has no subscription of it.
                (entry.pending, entry.is_actual) = (None, false);
                self.settle(topic, &name, |waits_for| waits_for == op);
                if self.names.of(topic).get(&name).is_some_and(|entry| entry.is_wanted) {
                    self.displace(topic, &name, now);
                } else {
                    self.look(topic, &name);
                }
                continue;
            }
            entry.tries = entry.tries.saturating_add(1);
            let (refuser, tries) = (entry.home, entry.tries);
            if refusal::is_enough(way, tries) {
                self.fail_waiters(topic, &name, op, &refusal::too_many(error));
            }
            self.detach(topic, &name, now);
            if let Some(pause) = refusal::pause(way, tries) {
                self.put_off(topic, &name, now + pause);
            } else if let Some(entry) = self.names.of_mut(topic).get_mut(&name) {
                entry.refuser = refuser;
            }
            self.look(topic, &name);
        }
    }

    fn fail_waiters(&mut self, topic: Topic, name: &Bytes, op: Op, error: &Error) {
        let Some(entry) = self.names.of(topic).get(name) else { return };
        let waiters: Vec<u32> =
            entry.waiters.iter().filter(|(_, waits)| *waits == op).map(|w| w.0).collect();
        for ticket in waiters {
            self.fail(ticket, error.clone().with_applied(Applied::No));
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
            return;
        }
        if entry.is_refused || entry.is_queued {
            return;
        }
        let Some(home) = entry.home else {
            entry.is_queued = true;
            self.homeless.push((topic, name.clone()));
            return;
        };
        // MONITOR has no opposite: `is_over` tells the driver.
        let is_askable = topic != Topic::Monitor || entry.is_wanted;
        let line = self.lines.get_mut(&home).filter(|line| line.is_connected && is_askable);
        if let Some(line) = line {
            entry.is_queued = true;
            line.queue.push_back((topic, name.clone()));
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

/// The gap that a name of `topic` belongs to. Shard channels of several nodes have one of their
/// own: a shard without a primary must not keep the news of all other subscriptions back.
fn gap(gaps: &mut [Gap; 2], is_scattered: bool, topic: Topic) -> &mut Gap {
    let [common, shards] = gaps;
    if is_scattered && topic == Topic::ShardChannel {
        shards
    } else {
        common
    }
}

fn unasked() -> Error {
    Error::protocol("the server sent something that a subscriber does not expect")
}
