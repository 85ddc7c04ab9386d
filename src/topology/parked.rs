//! Commands that have no node to go to at the moment.
//!
//! Pure: a queue that knows deadlines. Invariant: the commands of one owner are taken out in the
//! order in which they were submitted. They may be parked in another order, because new commands
//! can be parked before older ones come back from a node that has refused them.

use std::collections::{HashSet, VecDeque};
use std::mem;

use tokio::time::Instant;

use crate::error::{Applied, Error};
use crate::lane::{Batch, Ended};

/// The queue.
#[derive(Debug, Default)]
pub struct Parked {
    waiting: VecDeque<Waiting>,
    commands: usize,
    bytes: usize,
    /// Each owner with the id of its command that was parked last.
    newest: Vec<(u32, u32)>,
    /// Whether a command was parked behind a newer one.
    is_mixed: bool,
    /// Owners and ids of commands that have ended and are still among the others: they are dropped
    /// when those are taken out. Taking out each by itself would cost, when many end together,
    /// their number squared.
    ended: HashSet<(u32, u32)>,
}

#[derive(Debug)]
struct Waiting {
    batch: Batch,
    /// Why it waits, if a server has refused it.
    refusal: Option<Error>,
}

impl Parked {
    /// Queues a batch, which waits because of `refusal`, if a server has refused it.
    pub fn push(&mut self, batch: Batch, refusal: Option<Error>) {
        self.commands += batch.commands().len();
        self.bytes += batch.bytes().len();
        if let (Some(first), Some(last)) = (batch.commands().first(), batch.commands().last()) {
            match self.newest.iter_mut().find(|(owner, _)| *owner == batch.owner()) {
                Some((_, newest)) => {
                    self.is_mixed |= rank(first.id, *newest) < rank(*newest, *newest);
                    *newest = last.id;
                }
                None => self.newest.push((batch.owner(), last.id)),
            }
        }
        self.waiting.push_back(Waiting { batch, refusal });
    }

    /// Takes everything out.
    pub fn take(&mut self) -> Vec<(Batch, Option<Error>)> {
        let Self { waiting, is_mixed, ended, .. } = mem::take(self);
        let all = waiting.into_iter().filter_map(|Waiting { batch, refusal }| {
            if ended.is_empty() {
                return Some((batch, refusal));
            }
            let owner = batch.owner();
            let kept = batch.filtered(|command, _| !ended.contains(&(owner, command.id)));
            (!kept.commands().is_empty()).then_some((kept, refusal))
        });
        if is_mixed {
            sorted(all.collect())
        } else {
            all.collect()
        }
    }

    /// How many commands are parked.
    pub fn commands(&self) -> usize {
        self.commands
    }

    /// Encoded bytes of the parked commands.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Ends the command `id` of `owner`; None if it is not parked. No parked command was run.
    pub fn cancel(&mut self, owner: u32, id: u32) -> Option<Applied> {
        let length = self.find(owner, id)?;
        if !self.ended.insert((owner, id)) {
            return None;
        }
        self.commands -= 1;
        self.bytes -= length;
        Some(Applied::No)
    }

    /// The encoded length of the command `id` of `owner`, if it is parked.
    fn find(&self, owner: u32, id: u32) -> Option<usize> {
        let within = |waiting: &Waiting| {
            let commands = waiting.batch.commands();
            let first = commands.iter().position(|command| !command.is_dead())?;
            let commands = commands.get(first..).filter(|_| waiting.batch.owner() == owner)?;
            let start = commands.first()?.id;
            let index = commands
                .partition_point(|command| command.id.wrapping_sub(start) < id.wrapping_sub(start));
            let found = commands.get(index)?;
            (found.id == id && !found.is_dead()).then_some(found.len as usize)
        };
        if self.is_mixed || self.newest.len() != 1 {
            return self.waiting.iter().find_map(within);
        }
        let front = self.waiting.front()?.batch.commands();
        let start = front.iter().find(|command| !command.is_dead())?.id;
        let at = self.waiting.partition_point(|waiting| {
            let last = waiting.batch.commands().last();
            last.is_some_and(|last| last.id.wrapping_sub(start) < id.wrapping_sub(start))
        });
        self.waiting.get(at).and_then(within)
    }

    /// Ends all commands of `owner`.
    pub fn abandon(&mut self, owner: u32) -> Vec<Ended> {
        let mut ended = self.end(|of, _, _| of == owner);
        // They end because their owner has gone, not because of the refusal.
        ended.iter_mut().for_each(|ended| ended.refusal = None);
        ended
    }

    /// Ends the commands whose deadline has passed.
    pub fn expire(&mut self, now: Instant) -> Vec<Ended> {
        if self.next_deadline().is_none_or(|deadline| deadline > now) {
            return Vec::new();
        }
        self.end(|_, _, deadline| deadline.is_some_and(|deadline| deadline <= now))
    }

    /// The earliest deadline of a parked command.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().filter_map(|waiting| waiting.batch.earliest_deadline()).min()
    }

    /// Takes out the commands for which `is_over` holds, given their owner and deadline. Tombstones
    /// are dropped without a word.
    fn end(
        &mut self,
        is_over: impl Fn(u32, &crate::lane::Command, Option<Instant>) -> bool,
    ) -> Vec<Ended> {
        let mut ended = Vec::new();
        for (batch, refusal) in self.take() {
            let owner = batch.owner();
            let kept = batch.filtered(|command, _| {
                let is_over = is_over(owner, command, batch.deadline(command));
                if is_over && !command.is_dead() {
                    let (id, refusal) = (command.id, refusal.clone());
                    ended.push(Ended { owner, id, applied: Applied::No, refusal });
                }
                !is_over
            });
            if !kept.commands().is_empty() {
                self.push(kept, refusal);
            }
        }
        ended
    }
}

/// The commands of `all` in the order of their owners and ids. Neighbours that were submitted
/// together and wait for the same reason stay one batch.
fn sorted(all: Vec<(Batch, Option<Error>)>) -> Vec<(Batch, Option<Error>)> {
    let first = all.first().and_then(|(batch, _)| batch.commands().first());
    let any_id = first.map_or(0, |command| command.id);
    let mut singles: Vec<(Batch, Option<Error>)> = Vec::new();
    for (batch, refusal) in all {
        singles.extend(batch.singles().map(|single| (single, refusal.clone())));
    }
    singles.sort_by_cached_key(|(batch, _)| {
        let id = batch.commands().first().map_or(any_id, |command| command.id);
        (batch.owner(), rank(id, any_id))
    });
    let mut joined = Vec::new();
    let mut rest = singles.as_slice();
    while let Some(((first, refusal), _)) = rest.split_first() {
        let is_like = |(batch, other): &&(Batch, Option<Error>)| {
            let why = |refusal: &Option<Error>| refusal.as_ref().map(|e| e.message().to_owned());
            batch.owner() == first.owner()
                && batch.submitted() == first.submitted()
                && why(other) == why(refusal)
        };
        let count = rest.iter().take_while(is_like).count().max(1);
        let (alike, behind) = rest.split_at(count);
        let others: Vec<Batch> = alike.iter().skip(1).map(|(batch, _)| batch.clone()).collect();
        joined.push((first.clone().joined(&others), refusal.clone()));
        rest = behind;
    }
    joined
}

/// A number by which ids near `other` are sorted by age: ids have 31 bits and wrap around.
fn rank(id: u32, other: u32) -> u32 {
    id.wrapping_sub(other).wrapping_add(IDS / 2) % IDS
}

/// How many different ids a client's commands have (`lib/boundary/bridge.js`: `LAST_LANE_ID`).
const IDS: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::lane::Command;

    fn batch(now: Instant, commands: &[(u32, u32)]) -> Batch {
        let row =
            |(id, timeout): &(u32, u32)| Command { id: *id, len: 1, mode: 0, timeout: *timeout };
        let bytes = Bytes::from("x".repeat(commands.len()));
        Batch::new(bytes, commands.iter().map(row).collect(), now)
    }

    fn ids(parked: &mut Parked) -> Vec<u32> {
        let taken = parked.take();
        taken.iter().flat_map(|(batch, _)| batch.commands()).map(|command| command.id).collect()
    }

    #[test]
    fn each_command_has_its_own_deadline() {
        let now = Instant::now();
        let mut parked = Parked::default();
        let refusal = Error::reply("CLUSTERDOWN x");
        parked.push(batch(now, &[(1, 100), (2, 300)]), Some(refusal));
        parked.push(batch(now, &[(3, 0)]), None);
        assert!(parked.expire(now + Duration::from_millis(99)).is_empty());
        let ended = parked.expire(now + Duration::from_millis(100));
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].id, 1);
        assert_eq!(ended[0].refusal.as_ref().unwrap().code(), "CLUSTERDOWN");
        assert_eq!(parked.next_deadline(), Some(now + Duration::from_millis(300)));
        assert_eq!((parked.commands(), parked.bytes()), (2, 2));
        assert_eq!(ids(&mut parked), [2, 3]);
    }

    #[test]
    fn older_commands_that_come_late_come_out_first() {
        let now = Instant::now();
        let mut parked = Parked::default();
        let last = IDS - 1;
        parked.push(batch(now, &[(0, 0), (3, 0)]), None);
        parked.push(batch(now, &[(last, 0)]), Some(Error::reply("CLUSTERDOWN x")));
        parked.push(batch(now, &[(1, 0), (2, 0)]).owned_by(7), None);
        parked.push(batch(now, &[(1, 0)]), None);
        assert_eq!((parked.commands(), parked.bytes()), (6, 6));
        let taken = parked.take();
        let shown = taken.iter().map(|(batch, refusal)| {
            let ids: Vec<u32> = batch.commands().iter().map(|command| command.id).collect();
            (batch.owner(), ids, refusal.is_some())
        });
        let expected = [(0, vec![last], true), (0, vec![0, 1, 3], false), (7, vec![1, 2], false)];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!((parked.commands(), parked.bytes()), (0, 0));
    }

    #[test]
    fn many_callers_that_leave_together_cost_no_more_than_their_number() {
        let now = Instant::now();
        let mut parked = Parked::default();
        let many = 100_000;
        for start in (0..many).step_by(100) {
            let commands: Vec<(u32, u32)> = (start..start + 100).map(|id| (id, 0)).collect();
            parked.push(batch(now, &commands), None);
        }
        let started = std::time::Instant::now();
        for id in (0..many).filter(|id| id % 10 != 0) {
            assert_eq!(parked.cancel(0, id), Some(Applied::No));
        }
        assert_eq!(parked.cancel(0, many), None);
        assert_eq!((parked.commands(), parked.bytes()), (10_000, 10_000));
        let left: Vec<u32> = (0..many).step_by(10).collect();
        assert_eq!(ids(&mut parked), left);
        // Minutes, if each of them copied all others.
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }

    #[test]
    fn a_caller_that_leaves_takes_its_own_command_only() {
        let now = Instant::now();
        let mut parked = Parked::default();
        parked.push(batch(now, &[(1, 0), (2, 0)]), None);
        let refusal = Error::reply("CLUSTERDOWN x");
        parked.push(batch(now, &[(1, 0)]).owned_by(7), Some(refusal));
        assert_eq!(parked.cancel(0, 1), Some(Applied::No));
        assert_eq!(parked.cancel(0, 1), None);
        let ended = parked.abandon(7);
        assert_eq!((ended.len(), ended[0].refusal.is_none()), (1, true));
        assert_eq!(ids(&mut parked), [2]);
    }
}
