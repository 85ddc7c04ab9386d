//! Who gets which command, and what happens when that changes.
//!
//! Everything here runs under the router's one lock. Invariants: commands of one slot reach its
//! owner in the order in which they were submitted, so when a slot changes hands all its commands,
//! new ones and those that come back, are held until the former owner has answered, or lost, what
//! it was sent before; a command is in one place only: a lane, the parked ones, or on its way from
//! a lane to here.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::aim::{Aim, Goal};
use super::node::Node;
use super::parked::Parked;
use super::redirect::Redirect;
use super::split::{Parts, To};
use super::table::{Places, Table};
use super::view::{Member, View};
use super::Template;
use crate::backoff;
use crate::error::{Applied, Error, ErrorClass};
use crate::lane::{Batch, Command, Ended, Lane, Refused, Submitted};
use crate::options::{Endpoint, Reads};

/// The state of a router.
pub(super) struct Routes {
    pub(super) template: Arc<Template>,
    /// By their places, which are used again.
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) places: HashMap<Endpoint, u32>,
    pub(super) table: Table,
    /// What the application knows of it.
    told: Table,
    /// Whether any server has said where everything is.
    pub(super) is_known: bool,
    aim: Aim,
    /// Why commands of a slot are parked: all of it has to be over.
    pub(super) holds: HashMap<u16, Vec<Hold>>,
    pub(super) parked: Parked,
    /// When commands that are to be tried again later are.
    pub(super) retry_at: Option<Instant>,
    /// Such waits in a row.
    waits: u32,
    /// For taking turns among replicas.
    turn: usize,
    /// Whether the keeper has to look at something before its timer fires.
    pub(super) news: News,
    pub(super) closed: Option<Error>,
    /// Why nobody could say where everything is, when somebody was asked last.
    pub(super) last_failure: Option<Error>,
    /// How often the nodes or the table may have changed.
    pub(super) version: u64,
    /// Whether refused commands are being parked, so that nothing is sent on its way yet.
    is_gathering: bool,
    /// Whether parked commands are to be sent on their way then.
    is_due: bool,
    /// Places of nodes for which much was waiting when they were sent something last.
    crowded: Vec<u32>,
    /// Whether there is, or may be, a node without a slot that redirects name.
    pub(super) has_newcomers: bool,
    /// Whether the keeper looks whether nodes answer.
    pub(super) is_watched: bool,
}

/// What the keeper has to do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct News {
    /// Ask where everything is.
    pub(super) look: bool,
    /// Compute its timer again.
    pub(super) rearm: bool,
}

/// Why commands of a slot are parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until the lane of `place` has passed its `mark`-th mark.
    Mark { place: u32, mark: u64 },
    /// Until the retry timer fires.
    Retry,
    /// Until somebody has said where everything is.
    Look,
}

/// First delay before a command is tried again that the cluster cannot run now; doubled up to
/// [`RETRY_CAP`] (reliability, scenario 25: 100 ms to 1 s).
const RETRY_BASE: Duration = Duration::from_millis(100);
const RETRY_CAP: Duration = Duration::from_secs(1);
/// The keys of a command come together within a MIGRATE or two.
const SOON: Duration = Duration::from_millis(25);
/// Bytes in a lane from which on it is looked at again whenever something is sent to any node, so
/// that nobody fills one that takes nothing: much more than a lane without trouble holds, and less
/// than any bound that makes sense.
const CROWDED: usize = 64 << 10;
/// How long a node that no server names any more may take to answer what it was sent (reliability,
/// scenario 43: closed within 5 s).
const FAREWELL: Duration = Duration::from_secs(5);

impl Routes {
    pub(super) fn new(template: Arc<Template>) -> Self {
        let aim = match template.topology.is_one_shard() {
            true => Aim::at_one_shard(),
            false => Aim::default(),
        };
        Self {
            template,
            nodes: Vec::new(),
            places: HashMap::new(),
            table: Table::default(),
            told: Table::default(),
            is_known: false,
            aim,
            holds: HashMap::new(),
            parked: Parked::default(),
            retry_at: None,
            waits: 0,
            turn: 0,
            news: News::default(),
            closed: None,
            last_failure: None,
            version: 0,
            is_gathering: false,
            is_due: false,
            crowded: Vec::new(),
            has_newcomers: false,
            is_watched: false,
        }
    }

    /// Sends a batch on its way; returns the bytes that wait where most wait.
    pub(super) fn submit(&mut self, batch: Batch) -> usize {
        if let Some(error) = &self.closed {
            let error = error.clone();
            self.fail(&batch, &error);
            return 0;
        }
        if !self.is_known {
            self.news = News { look: true, rearm: true };
            self.parked.push(batch, None);
            return self.parked.bytes();
        }
        self.news.rearm |= !self.is_watched;
        let mut queued = 0;
        for (to, part) in self.split(batch) {
            let there = self.hand_over(to, part, None);
            queued = queued.max(there);
            if let (To::Node(place), true) = (to, there > CROWDED) {
                if !self.crowded.contains(&place) {
                    self.crowded.push(place);
                }
            }
        }
        queued.max(self.most_crowded())
    }

    /// The bytes that wait where most wait, if those are many: also where nothing was sent just
    /// now.
    fn most_crowded(&mut self) -> usize {
        if self.crowded.is_empty() {
            return 0;
        }
        let (nodes, mut most) = (&self.nodes, 0);
        self.crowded.retain(|place| {
            let node = nodes.get(*place as usize).and_then(Option::as_ref);
            let queued = node.and_then(Node::open_lane).map_or(0, Lane::queued_bytes);
            most = queued.max(most);
            queued > CROWDED
        });
        most
    }

    /// The bytes that wait where a command of `slot` would.
    pub(super) fn queued_at(&self, slot: u16) -> usize {
        let primary = self.table.primary(slot).filter(|_| !self.is_held(slot));
        let lane = primary.and_then(|place| self.node(place)?.open_lane());
        match primary {
            Some(_) => lane.map_or(0, Lane::queued_bytes),
            None => self.parked.bytes(),
        }
    }

    /// The place of the node that takes writes to `slot`, if all commands of the slot are there.
    pub(super) fn settled(&self, slot: u16) -> Option<u32> {
        self.table.primary(slot).filter(|_| self.is_known && !self.is_held(slot))
    }

    /// The place of the node that `refusal`, an ASK, names, if it is known.
    pub(super) fn asked(&mut self, from: u32, refusal: &Error) -> Option<u32> {
        let Redirect::Ask(target) = Redirect::read(refusal) else { return None };
        let endpoint = self.node(from).and_then(|node| target.seen_from(&node.endpoint))?;
        let place = self.places.get(&self.template.mapped(endpoint)).copied();
        if place.is_none() {
            self.has_newcomers = true;
            self.news.look = true;
        }
        place
    }

    fn hand_over(&mut self, to: To, batch: Batch, refusal: Option<Error>) -> usize {
        let To::Node(place) = to else {
            self.news.rearm = true;
            self.parked.push(batch, refusal);
            return self.parked.bytes();
        };
        let Some(node) = self.node_mut(place) else {
            self.news = News { look: true, rearm: true };
            self.parked.push(batch, refusal);
            return self.parked.bytes();
        };
        match node.lane().submit(batch) {
            Ok(Submitted { queued, is_up }) => {
                self.news.rearm |= !is_up;
                queued
            }
            Err((batch, error)) => {
                self.fail(&batch, &error);
                0
            }
        }
    }

    /// Cuts a batch into those of its nodes. One that is for one node alone stays whole.
    fn split(&mut self, batch: Batch) -> Vec<(To, Batch)> {
        if let Some(slot) = self.aim.only_slot() {
            if self.template.topology.reads == Reads::Primary {
                return vec![(self.to(Goal { slot, is_read: false }), batch)];
            }
        }
        let mut parts = Parts::new(&batch, self.nodes.len());
        // Where all commands so far go, while that is one place.
        let mut only = None;
        let mut errors = Vec::new();
        for (index, (offset, command)) in batch.offsets().enumerate() {
            let end = offset + command.len as usize;
            let encoded = batch.bytes().get(offset..end).unwrap_or_default();
            let to = match self.aim.at(command, encoded) {
                Ok(goal) => self.to(goal),
                Err(error) => {
                    errors.push((batch.owner(), command.id, error));
                    if parts.is_empty() {
                        parts.start(only.take(), index, offset);
                    }
                    continue;
                }
            };
            if parts.is_empty() {
                match only {
                    None if index == 0 => only = Some(to),
                    Some(only) if only == to => {}
                    _ => parts.start(only.take(), index, offset),
                }
                if only.is_some() {
                    continue;
                }
            }
            parts.push(to, command, encoded);
        }
        if !errors.is_empty() {
            self.template.shared.outboxes.fail(errors);
        }
        match only {
            Some(to) => vec![(to, batch)],
            None => parts.into_batches(),
        }
    }

    /// What of `batch` has its keys in `slot`; the rest with its errors.
    pub(super) fn within(&mut self, slot: u16, batch: Batch) -> (Batch, Vec<(u32, Error)>) {
        let mut refused = Vec::new();
        let aim = &mut self.aim;
        let kept = batch.filtered(|command, encoded| match aim.check(slot, command, encoded) {
            Ok(()) => true,
            Err(error) => {
                refused.push((command.id, error));
                false
            }
        });
        (if refused.is_empty() { batch } else { kept }, refused)
    }

    fn to(&mut self, Goal { slot, is_read }: Goal) -> To {
        if self.is_held(slot) {
            return To::Parked;
        }
        if is_read && self.template.topology.reads != Reads::Primary {
            if let Some(place) = self.reader(slot) {
                return To::Node(place);
            }
        }
        match self.table.primary(slot) {
            Some(place) => To::Node(place),
            None => {
                self.hold(slot, Hold::Look);
                To::Parked
            }
        }
    }

    /// The node that serves a read of `slot`, if the strategy finds one that stands.
    fn reader(&mut self, slot: u16) -> Option<u32> {
        let Places { primary, replicas } = self.table.of(slot)?;
        self.turn = self.turn.wrapping_add(1);
        let turn = self.turn;
        let node = |place: u32| self.nodes.get(place as usize)?.as_ref();
        let is_up = |place: &u32| node(*place).is_some_and(Node::is_up);
        let take_turns =
            |among: Vec<u32>| -> Option<u32> { among.get(turn.checked_rem(among.len())?).copied() };
        let up: Vec<u32> = replicas.iter().copied().filter(is_up).collect();
        match &self.template.topology.reads {
            Reads::Primary => None,
            Reads::Replica => take_turns(up),
            Reads::Nearest => {
                let all = up.into_iter().chain([*primary]);
                all.min_by_key(|place| node(*place).and_then(|node| node.latency).unwrap_or(FAR))
            }
            Reads::Zone(zone) => {
                let is_near =
                    |place: &u32| node(*place).is_some_and(|node| node.zone.as_ref() == Some(zone));
                let near: Vec<u32> = up.iter().copied().filter(is_near).collect();
                let near = take_turns(near);
                near.or_else(|| Some(*primary).filter(is_near)).or_else(|| take_turns(up))
            }
        }
    }

    /// The server at `place` has refused commands: each goes on to where it belongs.
    pub(super) fn refused(&mut self, place: u32, refused: Vec<Refused>, now: Instant) {
        // Only when all of them are parked it is known in which order they go on, among others
        // that come back because of them.
        self.is_gathering = true;
        for Refused { batch, error } in refused {
            self.send_on(place, batch, error, now);
        }
        self.is_gathering = false;
        if mem::take(&mut self.is_due) {
            self.resume();
        }
    }

    fn send_on(&mut self, from: u32, batch: Batch, error: Error, now: Instant) {
        if let Some(error) = self.closed.clone() {
            return self.fail(&batch, &error);
        }
        let Some(command) = batch.commands().first().copied() else { return };
        let Ok(Goal { slot, .. }) = self.aim.at(&command, batch.bytes()) else {
            return self.fail(&batch, &error);
        };
        let redirect = Redirect::read(&error);
        let (target, is_ask) = match redirect {
            Redirect::Moved(target) => (target, false),
            Redirect::Ask(target) => (target, true),
            // Its slot is on the way, so that the nodes may well send it back and forth.
            Redirect::Soon => {
                self.await_others(slot, from, now);
                return self.retry(slot, batch.settled(), error, SOON, now);
            }
            Redirect::Later => {
                // A replica that cannot serve is no reason to wait: the primary can.
                let primary = self.table.primary(slot).filter(|place| *place != from);
                if let Some(primary) = primary.filter(|_| !self.is_held(slot)) {
                    self.hand_over(To::Node(primary), batch, Some(error));
                    return;
                }
                self.news.look |= error.code() == "CLUSTERDOWN";
                self.await_others(slot, from, now);
                return self.retry_later(slot, batch, error, now);
            }
            Redirect::Elsewhere => {
                self.news.look = true;
                self.await_others(slot, from, now);
                if let Some(node) = self.node_mut(from) {
                    node.lane().renew();
                }
                if self.aim.only_slot().is_none() {
                    return self.retry_later(slot, batch, error, now);
                }
                // Nothing but another answer to who the primary is can help.
                if command.redirects() >= self.most_redirects() {
                    return self.fail(&batch, &error);
                }
                self.hold(slot, Hold::Look);
                return self.parked.push(batch.redirected(), Some(error));
            }
        };
        let endpoint = self.node(from).and_then(|node| target.seen_from(&node.endpoint));
        if command.redirects() >= self.most_redirects() {
            return self.fail(&batch, &too_many(command.redirects(), endpoint.as_ref(), error));
        }
        let batch = batch.redirected();
        let is_named = endpoint.is_some();
        let place = endpoint.map(|endpoint| self.template.mapped(endpoint));
        let place = place.and_then(|endpoint| self.places.get(&endpoint).copied());
        match place {
            // A node that no server has named may be anybody's: it does not get the password.
            None => {
                self.has_newcomers |= is_named;
                self.hold(slot, Hold::Look);
                self.await_others(slot, from, now);
                self.parked.push(batch, Some(error));
            }
            // Older commands of the slot wait: it asks again behind them.
            Some(_) if is_ask && (self.is_held(slot) || self.is_due) => {
                self.await_others(slot, from, now);
                self.parked.push(batch, Some(error));
            }
            Some(place) if is_ask => {
                self.hand_over(To::Node(place), batch.asking(), None);
            }
            // It sends to itself: its connection, or what it knows, is of yesterday.
            Some(place) if place == from => {
                self.news.look = true;
                self.await_others(slot, from, now);
                if let Some(node) = self.node_mut(from) {
                    node.lane().renew();
                }
                self.retry_later(slot, batch, error, now);
            }
            Some(place) => {
                self.news.look = true;
                if self.table.primary(slot) != Some(place) {
                    let before = self.table.clone();
                    self.table.move_slot(slot, place);
                    self.follow_telling(&before, Some(from), now);
                }
                self.await_end(slot, from, true, now);
                self.parked.push(batch, None);
                self.resume();
            }
        }
    }

    /// The node at `from` has said, not to a command, that `slot` is elsewhere.
    pub(super) fn moved(&mut self, from: u32, slot: u16, error: &Error, now: Instant) {
        self.news.look = true;
        let Redirect::Moved(target) = Redirect::read(error) else { return };
        let endpoint = self.node(from).and_then(|node| target.seen_from(&node.endpoint));
        let endpoint = endpoint.map(|endpoint| self.template.mapped(endpoint));
        let place = endpoint.and_then(|endpoint| self.places.get(&endpoint).copied());
        if let Some(place) = place.filter(|place| self.table.primary(slot) != Some(*place)) {
            let before = self.table.clone();
            self.table.move_slot(slot, place);
            self.follow(&before, now);
        }
    }

    fn most_redirects(&self) -> u32 {
        self.template.topology.max_redirects.min(Command::MOST_REDIRECTS)
    }

    /// The node at `from` has refused a command of `slot`, which is parked: the later ones that are
    /// under way come back before any of them is sent again. They are at that node or, if it was
    /// asked because of an ASK, may be on their way there by the owner.
    fn await_others(&mut self, slot: u16, from: u32, now: Instant) {
        self.await_end(slot, from, true, now);
        if let Some(owner) = self.table.primary(slot).filter(|owner| *owner != from) {
            self.await_end(slot, owner, false, now);
        }
    }

    /// Holds the slot until the node at `place` has answered everything that it was sent.
    /// `is_telling`: it is the one that is just telling of refused commands.
    fn await_end(&mut self, slot: u16, place: u32, is_telling: bool, now: Instant) {
        let holds = self.holds.get(&slot).map(Vec::as_slice).unwrap_or_default();
        if holds.iter().any(|hold| matches!(hold, Hold::Mark { place: of, .. } if *of == place)) {
            return;
        }
        let Some(node) = self.node_mut(place) else { return };
        match node.mark(now, is_telling) {
            Some(mark) => self.hold(slot, Hold::Mark { place, mark }),
            // It may have lost its connection meanwhile.
            None if self.park_waiting(place) => self.resume(),
            None => {}
        }
        self.news.rearm = true;
    }

    /// The table has changed: the commands of each slot that has moved wait until its former owner
    /// has answered what it got before. What waits for a connection there moves along.
    fn follow(&mut self, before: &Table, now: Instant) {
        self.follow_telling(before, None, now);
    }

    /// The same, when the node at `telling` is just telling of refused commands.
    fn follow_telling(&mut self, before: &Table, telling: Option<u32>, now: Instant) {
        self.version += 1;
        let moved = self.table.moved_since(before);
        let mut marks: HashMap<u32, Option<u64>> = HashMap::new();
        for (slot, owner) in moved {
            let mark = *marks.entry(owner).or_insert_with(|| {
                let node = self.nodes.get_mut(owner as usize)?.as_mut()?;
                node.mark(now, telling == Some(owner))
            });
            if let Some(mark) = mark {
                self.hold(slot, Hold::Mark { place: owner, mark });
            }
        }
        let mut is_more = false;
        for (place, mark) in marks {
            if mark.is_none() {
                is_more |= self.park_waiting(place);
            }
        }
        if is_more {
            self.resume();
        }
        self.news.rearm = true;
    }

    /// Parks what waits for a connection to the node at `place`; says whether that is anything.
    fn park_waiting(&mut self, place: u32) -> bool {
        let lane = self.node(place).and_then(Node::open_lane);
        let waiting = lane.map(|lane| lane.take_waiting()).unwrap_or_default();
        let is_any = !waiting.is_empty();
        waiting.into_iter().for_each(|batch| self.parked.push(batch, None));
        is_any
    }

    /// A lane has passed a mark.
    pub(super) fn passed(&mut self, place: u32, now: Instant) {
        if let Some(node) = self.node_mut(place) {
            node.passed(now);
            let passed = node.marks.passed;
            self.release(|hold| match hold {
                Hold::Mark { place: of, mark } => of == place && mark <= passed,
                _ => false,
            });
        }
    }

    /// A lane has lost its connection. What it holds still has not been written since, or may be
    /// written again.
    pub(super) fn lost(&mut self, place: u32) {
        self.news = News { look: true, rearm: true };
        let Some(node) = self.node_mut(place) else { return };
        node.lost();
        let is_primary = self.table.is_primary(place);
        // What comes back where an only primary was may be a former one, and empty: it is asked for
        // before it is used.
        let only = self.aim.only_slot().filter(|_| is_primary);
        if let Some(slot) = only {
            self.hold(slot, Hold::Look);
        }
        let is_of_it = |hold: &Hold| matches!(hold, Hold::Mark { place: of, .. } if *of == place);
        // What was sent there goes along with what was held because of it, in order.
        let is_awaited = || self.holds.values().flatten().any(is_of_it);
        if !is_primary || only.is_some() || is_awaited() {
            self.park_waiting(place);
        }
        self.lift(|hold| is_of_it(&hold));
        self.resume();
    }

    /// It is time to try again what could not be run.
    pub(super) fn retry_now(&mut self) {
        self.retry_at = None;
        self.release(|hold| hold == Hold::Retry);
    }

    /// Nobody can be asked who the only primary is: it goes on being the one that it was.
    pub(super) fn go_on_alone(&mut self) {
        if self.is_known && self.aim.only_slot().is_some() {
            self.release(|hold| hold == Hold::Look);
        }
    }

    fn retry_later(&mut self, slot: u16, batch: Batch, error: Error, now: Instant) {
        let ceiling = RETRY_BASE.saturating_mul(1 << self.waits.min(8)).min(RETRY_CAP);
        self.retry(slot, batch, error, ceiling.mul_f64(0.5 + backoff::random() / 2.0), now);
    }

    fn retry(&mut self, slot: u16, batch: Batch, error: Error, delay: Duration, now: Instant) {
        if self.retry_at.is_none() {
            self.waits = self.waits.saturating_add(1);
            self.retry_at = Some(now + delay);
        }
        self.hold(slot, Hold::Retry);
        self.parked.push(batch, Some(error));
        self.news.rearm = true;
    }

    fn hold(&mut self, slot: u16, hold: Hold) {
        if hold == Hold::Look {
            self.news = News { look: true, rearm: true };
        }
        let holds = self.holds.entry(slot).or_default();
        let is_newer = |old: &Hold| match (old, hold) {
            // Of one lane the last mark counts.
            (Hold::Mark { place: old, .. }, Hold::Mark { place, .. }) => *old == place,
            _ => *old == hold,
        };
        match holds.iter_mut().find(|old| is_newer(old)) {
            Some(old) => *old = hold,
            None => holds.push(hold),
        }
    }

    fn is_held(&self, slot: u16) -> bool {
        !self.holds.is_empty() && self.holds.contains_key(&slot)
    }

    pub(super) fn release(&mut self, is_over: impl Fn(Hold) -> bool) {
        if self.lift(is_over) {
            self.resume();
        }
    }

    /// Ends holds; says whether a slot is free now.
    pub(super) fn lift(&mut self, is_over: impl Fn(Hold) -> bool) -> bool {
        let before = self.holds.len();
        self.holds.retain(|_, holds| {
            holds.retain(|hold| !is_over(*hold));
            !holds.is_empty()
        });
        self.holds.len() < before
    }

    /// Sends what is parked on its way again, in order; what is held is parked again.
    fn resume(&mut self) {
        if self.is_gathering {
            self.is_due = true;
            return;
        }
        for (batch, refusal) in self.parked.take() {
            for (to, part) in self.split(batch) {
                self.hand_over(to, part, refusal.clone());
            }
        }
    }

    /// A server has said where everything is; says whether that is news.
    pub(super) fn apply(&mut self, view: &View, now: Instant) -> bool {
        let mut table = Table::default();
        for shard in &view.shards {
            let primary = self.place(&shard.primary);
            if shard.slots.is_empty() {
                // Nothing goes there, unless a redirect names it.
                continue;
            }
            let replicas = shard.replicas.iter().map(|member| self.place(member)).collect();
            table.add(Places { primary, replicas }, shard.slots.iter().cloned());
        }
        let before = mem::replace(&mut self.table, table);
        self.is_known = true;
        // Redirects have told of some changes before, but not the application.
        let is_news = self.table != self.told;
        self.told.clone_from(&self.table);
        let named: Vec<&Endpoint> = view.members().map(|member| &member.endpoint).collect();
        let unnamed = self.nodes.iter_mut().flatten().filter(|n| !named.contains(&&n.endpoint));
        for node in unnamed {
            node.leaves.get_or_insert(now + FAREWELL);
        }
        self.follow(&before, now);
        self.lift(|hold| hold == Hold::Look);
        self.resume();
        if self.template.topology.reads != Reads::Primary {
            // A replica is read from once its lane stands.
            let replicas = self.table.shards().iter().flat_map(|places| &places.replicas);
            for place in replicas.copied().collect::<Vec<_>>() {
                if let Some(node) = self.node_mut(place) {
                    node.lane().connect();
                }
            }
        }
        self.waits = 0;
        self.news.rearm = true;
        is_news
    }

    /// The place of a node, which is made if it is new.
    fn place(&mut self, member: &Member) -> u32 {
        let endpoint = &member.endpoint;
        if let Some(place) = self.places.get(endpoint).copied() {
            if let Some(node) = self.node_mut(place) {
                node.leaves = None;
                node.id.clone_from(&member.id);
                return place;
            }
        }
        let free = self.nodes.iter().position(Option::is_none);
        let place = free.unwrap_or(self.nodes.len());
        let mut node = match self.template.home(endpoint, place as u32) {
            Ok(home) => Node::new(endpoint.clone(), home),
            // Only options that were checked before the router started can be wrong.
            Err(_) => return place as u32,
        };
        node.id.clone_from(&member.id);
        match self.nodes.get_mut(place) {
            Some(slot) => *slot = Some(node),
            None => self.nodes.push(Some(node)),
        }
        self.places.insert(endpoint.clone(), place as u32);
        place as u32
    }

    /// Ends the command `id` of `owner`.
    pub(super) fn cancel(&mut self, owner: u32, id: u32) -> Option<Applied> {
        let lanes = self.nodes.iter().flatten().filter_map(Node::open_lane);
        let in_lane = lanes.filter_map(|lane| lane.cancel(owner, id)).next();
        in_lane.or_else(|| self.parked.cancel(owner, id))
    }

    /// Ends all commands of `owner`.
    pub(super) fn abandon(&mut self, owner: u32, error: &Error) {
        for lane in self.nodes.iter().flatten().filter_map(Node::open_lane) {
            lane.abandon(owner, error);
        }
        let ended = self.parked.abandon(owner);
        self.end(ended, error);
    }

    /// The place of the node that takes writes to `slot`, or to any slot.
    pub(super) fn primary(&self, slot: Option<u16>) -> Option<u32> {
        self.table.primary(slot.unwrap_or_else(|| self.aim.anywhere()))
    }

    pub(super) fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place as usize)?.as_ref()
    }

    pub(super) fn node_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place as usize)?.as_mut()
    }

    /// Tells the callers of `ended`.
    pub(super) fn end(&self, ended: Vec<Ended>, error: &Error) {
        let failures = ended.into_iter().map(|Ended { owner, id, applied, refusal }| {
            (owner, id, refusal.unwrap_or_else(|| error.clone().with_applied(applied)))
        });
        self.template.shared.outboxes.fail(failures);
    }

    pub(super) fn fail(&self, batch: &Batch, error: &Error) {
        let error = error.clone().with_applied(Applied::No);
        let live = batch.commands().iter().filter(|command| !Command::is_dead(command));
        let failures = live.map(|command| (batch.owner(), command.id, error.clone()));
        self.template.shared.outboxes.fail(failures);
    }
}

fn too_many(redirects: u32, last: Option<&Endpoint>, cause: Error) -> Error {
    let last = last.map_or_else(|| "an unknown node".to_owned(), Endpoint::to_string);
    let text = format!(
        "the cluster has sent the command on {redirects} times, and once more to {last}: its nodes \
         do not agree on who has its slot"
    );
    let error = Error::new(ErrorClass::Redirections, "MAX_REDIRECTIONS", text);
    error.retryable().with_cause(cause)
}

/// The latency of a node that was not measured: behind all that were.
const FAR: Duration = Duration::from_secs(3600);
