//! How commands are sent on their way: each to the lane of its node, or parked.

use super::aim::Goal;
use super::holds::Hold;
use super::node::Node;
use super::registry::Registry;
use super::routes::{Gathering, News, Routes};
use super::split::{Destination, Split};
use crate::error::Error;
use crate::lane::{Batch, Lane, Submitted};
use crate::options::Reads;

impl Routes {
    /// Sends a batch on its way; returns the encoded bytes that wait where most wait.
    pub(super) fn submit(&mut self, batch: Batch) -> usize {
        if let Some(error) = &self.closed {
            let error = error.clone();
            self.fail(&batch, &error);
            return 0;
        }
        if !self.is_known {
            self.news = News::ALL;
            self.parked.push(batch, None);
            return self.parked.bytes();
        }
        self.news.rearm |= !self.is_watched;
        let mut queued = 0;
        for (destination, part) in self.split(batch) {
            let there = self.hand_over(destination, part, None);
            queued = queued.max(there);
            if let Destination::Node(place) = destination {
                self.crowded.note(place, there);
            }
        }
        queued.max(self.crowded.most(&self.registry))
    }

    /// Sends what is parked on its way again, in order. What is still held is parked again.
    pub(super) fn resume(&mut self) {
        if self.gathering != Gathering::Idle {
            self.gathering = Gathering::ActiveAndDue;
            return;
        }
        for (batch, refusal) in self.parked.take() {
            for (destination, part) in self.split(batch) {
                self.hand_over(destination, part, refusal.clone());
            }
        }
    }

    /// Gives a batch to the lane of its node, or parks it; `refusal` is the server's last one of
    /// it. Returns the encoded bytes that wait there.
    pub(super) fn hand_over(
        &mut self,
        destination: Destination,
        batch: Batch,
        refusal: Option<Error>,
    ) -> usize {
        let Destination::Node(place) = destination else {
            self.news.rearm = true;
            self.parked.push(batch, refusal);
            return self.parked.bytes();
        };
        let Some(node) = self.registry.get_mut(place) else {
            self.news = News::ALL;
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

    /// Cuts a batch into one for each destination; a batch with one destination stays whole. The
    /// commands that no server would run fail.
    fn split(&mut self, batch: Batch) -> Vec<(Destination, Batch)> {
        if let Some(slot) = self.aim.only_slot() {
            if self.template.topology.reads == Reads::Primary {
                return vec![(self.destination(Goal { slot, is_read: false }), batch)];
            }
        }
        let mut split = Split::new(&batch, self.registry.places());
        // The destination of all commands so far, while they have only one.
        let mut only = None;
        let mut errors = Vec::new();
        for (index, (offset, command)) in batch.offsets().enumerate() {
            let end = offset + command.len as usize;
            let encoded = batch.bytes().get(offset..end).unwrap_or_default();
            let destination = match self.aim.at(command, encoded) {
                Ok(goal) => self.destination(goal),
                Err(error) => {
                    errors.push((batch.owner(), command.id, error));
                    if !split.is_cut() {
                        split.start(only.take(), index, offset);
                    }
                    continue;
                }
            };
            if !split.is_cut() {
                match only {
                    None if index == 0 => only = Some(destination),
                    Some(only) if only == destination => {}
                    _ => split.start(only.take(), index, offset),
                }
                if only.is_some() {
                    continue;
                }
            }
            split.push(destination, command, encoded);
        }
        if !errors.is_empty() {
            self.template.commons.outboxes.fail(errors);
        }
        match only {
            Some(destination) => vec![(destination, batch)],
            None => split.into_batches(),
        }
    }

    /// What of `batch` has its keys in `slot`, and the ids of the rest with their errors.
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

    fn destination(&mut self, Goal { slot, is_read }: Goal) -> Destination {
        if self.holds.is_held(slot) {
            return Destination::Parked;
        }
        let Some(shard) = self.table.of(slot) else {
            self.hold(slot, Hold::Look);
            return Destination::Parked;
        };
        let reads = &self.template.topology.reads;
        let reader = match is_read && *reads != Reads::Primary {
            true => self.readers.choose(reads, shard, &self.registry),
            false => None,
        };
        let place = reader.unwrap_or(shard.primary);
        if self.is_stranger(place) {
            self.hold(slot, Hold::Look);
            return Destination::Parked;
        }
        Destination::Node(place)
    }
}

/// The nodes in whose lanes much was waiting when they were sent something last.
#[derive(Debug, Default)]
pub(super) struct Crowded {
    places: Vec<u32>,
}

impl Crowded {
    /// `queued` bytes wait in the lane of the node at `place`.
    fn note(&mut self, place: u32, queued: usize) {
        if queued > CROWDED && !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    /// The bytes that wait in the fullest of these lanes; forgets those in which little waits now.
    fn most(&mut self, registry: &Registry) -> usize {
        if self.places.is_empty() {
            return 0;
        }
        let mut most = 0;
        self.places.retain(|place| {
            let lane = registry.get(*place).and_then(Node::open_lane);
            let queued = lane.map_or(0, Lane::queued_bytes);
            most = queued.max(most);
            queued > CROWDED
        });
        most
    }
}

/// A lane with more bytes than this counts at each submission, whichever node that is for: so a
/// caller that fills the lane of a node which takes nothing is told to wait. It is much more than a
/// lane without trouble holds, and less than any bound of a queue that makes sense.
const CROWDED: usize = 64 << 10;
