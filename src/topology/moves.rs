//! How slots are followed from node to node without a command overtaking another.
//!
//! When a slot moves, a mark goes into the lane of its former primary, behind everything that was
//! sent there, and the slot is held until that mark was answered or the connection lost. See
//! [`Hold::Mark`].

use std::collections::{HashMap, HashSet};
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use super::holds::Hold;
use super::node::Node;
use super::routes::{News, Routes};
use super::table::{Places, Table};
use super::view::View;
use crate::options::{Endpoint, Reads};

impl Routes {
    /// A server has said where everything is. Returns whether that is news for the application.
    pub(super) fn apply(&mut self, view: &View, now: Instant) -> bool {
        let mut table = Table::default();
        for shard in &view.shards {
            let primary = self.registry.enlist(&shard.primary, &self.template);
            if shard.slots.is_empty() {
                // It gets commands only if a redirect names it.
                continue;
            }
            let replicas = shard.replicas.iter();
            let replicas = replicas.map(|member| self.registry.enlist(member, &self.template));
            let replicas = replicas.collect();
            table.add(Places { primary, replicas }, shard.slots.iter().cloned());
        }
        self.count_strangers();
        let before = mem::replace(&mut self.table, table);
        self.aim.avoid_gaps(&before, &self.table);
        self.aim.avoid_gaps(&before, &self.table);
        self.is_known = true;
        self.gap = view.gap;
        // The table may have followed redirects before, of which the application was not told.
        let has_new_ids = mem::take(&mut self.registry.has_new_ids);
        let is_news = self.table != self.told || has_new_ids;
        self.told.clone_from(&self.table);
        let named: HashSet<&Endpoint> = view.members().map(|member| &member.endpoint).collect();
        for node in self.registry.nodes_mut().filter(|node| !named.contains(&node.endpoint)) {
            node.leaves.get_or_insert(now + FAREWELL);
        }
        self.follow(&before, None, now);
        self.holds.lift(|hold| *hold == Hold::Look);
        self.resume();
        if self.template.topology.reads != Reads::Primary {
            self.connect_replicas();
        }
        self.retry.begin_anew();
        self.news.rearm = true;
        is_news
    }

    /// Makes the lanes of all replicas connect: a replica is read from only once its lane
    /// is connected.
    fn connect_replicas(&mut self) {
        let replicas = self.table.shards().iter().flat_map(|places| &places.replicas);
        for place in replicas.copied().collect::<Vec<_>>() {
            if let Some(node) = self.registry.get_mut(place) {
                node.lane().connect();
            }
        }
    }

    /// Gives `slot` to the node at `place`, because a redirect says so; `reporter`: see
    /// [`Routes::follow`].
    pub(super) fn move_slot(&mut self, slot: u16, place: u32, reporter: Option<u32>, now: Instant) {
        if self.table.primary(slot) != Some(place) {
            let before = self.table.clone();
            self.table.move_slot(slot, place);
            self.follow(&before, reporter, now);
        }
    }

    /// The table was `before`. Holds each slot that has moved until its former primary has answered
    /// what it was sent; what waits for a connection to that node moves along.
    ///
    /// `reporter` is the place of the node whose lane is delivering refused commands right now:
    /// those have left the lane and are in the router's hands.
    fn follow(&mut self, before: &Table, reporter: Option<u32>, now: Instant) {
        self.version += 1;
        let mut marks: HashMap<u32, Option<u64>> = HashMap::new();
        for (slot, former) in self.table.moved_since(before) {
            let mark = *marks.entry(former).or_insert_with(|| {
                let node = self.registry.get_mut(former)?;
                node.mark(now, reporter == Some(former))
            });
            if let Some(mark) = mark {
                self.hold(slot, Hold::Mark { place: former, mark });
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

    /// The node at `from` has refused a command of `slot`, which is about to be parked. Later
    /// commands of the slot that are under way have to come back before any of them is sent again.
    /// They are at that node; if it was asked because of an ASK, they are also at the slot's
    /// primary, which may be sending them there.
    pub(super) fn await_others(&mut self, slot: u16, from: u32, now: Instant) {
        self.await_end(slot, from, true, now);
        if let Some(primary) = self.table.primary(slot).filter(|primary| *primary != from) {
            self.await_end(slot, primary, false, now);
        }
    }

    /// Holds the slot until the node at `place` has answered everything that it was sent.
    /// `is_reporter`: its lane is delivering refused commands right now, see [`Routes::follow`].
    pub(super) fn await_end(&mut self, slot: u16, place: u32, is_reporter: bool, now: Instant) {
        if self.holds.has_mark_of(slot, place) {
            return;
        }
        let Some(node) = self.registry.get_mut(place) else { return };
        match node.mark(now, is_reporter) {
            Some(mark) => self.hold(slot, Hold::Mark { place, mark }),
            // There is no connection any more: what waits for one can be sent elsewhere.
            None if self.park_waiting(place) => self.resume(),
            None => {}
        }
        self.news.rearm = true;
    }

    /// Parks what waits for a connection to the node at `place`; says whether that is anything.
    pub(super) fn park_waiting(&mut self, place: u32) -> bool {
        let lane = self.registry.get(place).and_then(Node::open_lane);
        let waiting = lane.map(|lane| lane.take_waiting()).unwrap_or_default();
        let is_any = !waiting.is_empty();
        waiting.into_iter().for_each(|batch| self.parked.push(batch, None));
        is_any
    }

    /// The lane of the node at `place` has passed a mark.
    pub(super) fn passed(&mut self, place: u32, now: Instant) {
        if let Some(node) = self.registry.get_mut(place) {
            node.passed(now);
            let passed = node.marks.passed;
            self.release(|hold| match *hold {
                Hold::Mark { place: of, mark } => of == place && mark <= passed,
                Hold::Retry | Hold::Look => false,
            });
        }
    }

    /// The lane of the node at `place` has lost its connection. What the lane still has was not
    /// written since, or may be written again.
    pub(super) fn lost(&mut self, place: u32) {
        self.news = News::ALL;
        let Some(node) = self.registry.get_mut(place) else { return };
        node.lost();
        // What answers there next may be another server. Where nodes have no ids nobody can tell.
        node.is_doubtful = !node.id.is_empty();
        let is_primary = self.table.is_primary(place);
        // Where there is one primary only, the server that answers at its address next may be a
        // former primary that has come back empty. So the sentinels are asked which node is the
        // primary before anything is sent there.
        let only = self.aim.only_slot().filter(|_| is_primary);
        if let Some(slot) = only {
            self.hold(slot, Hold::Look);
        }
        // What was sent to this node is older than what was held because of it: both are parked, so
        // that they go on in order.
        let is_elsewhere = !is_primary || self.is_stranger(place);
        if is_elsewhere || only.is_some() || self.holds.is_awaited(place) {
            self.park_waiting(place);
        }
        self.holds.lift(|hold| hold.is_mark_of(place));
        self.resume();
    }

    /// No server can be asked which node is the only primary: commands go to the node that was it
    /// last.
    pub(super) fn go_on_alone(&mut self) {
        if self.is_known && self.aim.only_slot().is_some() {
            self.release(|hold| *hold == Hold::Look);
        }
    }
}

/// How long a node that no server names any more may take to answer what it was sent: as long as
/// `close()` waits for the replies of a client.
const FAREWELL: Duration = Duration::from_secs(5);
