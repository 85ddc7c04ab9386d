//! Which node has which slot.
//!
//! Pure. A slot's number leads to its shard, and the shard to the places of its nodes. A failover
//! gives thousands of slots to another node at once, and so changes one shard only.

use crate::command::slot::SLOTS;

/// The nodes of all slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The index in `shards` of each slot's shard.
    slots: Box<[u16]>,
    shards: Vec<Places>,
    /// How many slots each shard has.
    counts: Vec<u16>,
}

/// The places of the nodes of a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The node that takes writes.
    pub primary: u32,
    /// The nodes that have copies.
    pub replicas: Vec<u32>,
}

impl Default for Table {
    fn default() -> Self {
        let slots = vec![NO_SHARD; usize::from(SLOTS)].into();
        Self { slots, shards: Vec::new(), counts: Vec::new() }
    }
}

impl Table {
    /// Adds a shard that has the slots of `ranges`.
    pub fn add(
        &mut self,
        places: Places,
        ranges: impl IntoIterator<Item = std::ops::RangeInclusive<u16>>,
    ) {
        let shard = self.shards.len() as u16;
        self.shards.push(places);
        self.counts.push(0);
        for slot in ranges.into_iter().flatten() {
            self.give(slot, shard);
        }
    }

    fn give(&mut self, slot: u16, shard: u16) {
        let Some(current) = self.slots.get_mut(usize::from(slot)) else { return };
        let before = std::mem::replace(current, shard);
        if let Some(count) = self.counts.get_mut(usize::from(before)) {
            *count -= 1;
        }
        if let Some(count) = self.counts.get_mut(usize::from(shard)) {
            *count += 1;
        }
    }

    /// The nodes of a slot.
    pub fn of(&self, slot: u16) -> Option<&Places> {
        let shard = self.slots.get(usize::from(slot))?;
        self.shards.get(usize::from(*shard))
    }

    /// The node that takes writes to a slot.
    pub fn primary(&self, slot: u16) -> Option<u32> {
        self.of(slot).map(|places| places.primary)
    }

    /// All shards.
    pub fn shards(&self) -> &[Places] {
        &self.shards
    }

    /// The places of the nodes that take writes to any slot.
    pub fn primaries(&self) -> impl Iterator<Item = u32> + '_ {
        let shards = self.shards.iter().zip(&self.counts).filter(|(_, count)| **count > 0);
        shards.map(|(places, _)| places.primary)
    }

    /// The slots of each shard as ranges, in the order of [`Table::shards`].
    pub fn ranges(&self) -> Vec<Vec<(u16, u16)>> {
        let mut ranges = vec![Vec::new(); self.shards.len()];
        let mut open: Option<(u16, u16)> = None;
        for slot in 0..SLOTS {
            let shard = self.slots.get(usize::from(slot)).copied().unwrap_or(NO_SHARD);
            let of_shard: Option<&mut Vec<(u16, u16)>> = ranges.get_mut(usize::from(shard));
            match (of_shard, open) {
                (Some(of_shard), Some((before, _))) if before == shard => {
                    if let Some((_, last)) = of_shard.last_mut() {
                        *last = slot;
                    }
                }
                (Some(of_shard), _) => {
                    of_shard.push((slot, slot));
                    open = Some((shard, slot));
                }
                (None, _) => open = None,
            }
        }
        ranges
    }

    /// Whether the node at `place` takes writes to any slot.
    pub fn is_primary(&self, place: u32) -> bool {
        self.primaries().any(|primary| primary == place)
    }

    /// Gives `slot` to the node at `place`, because a redirect says so. If that node is a replica
    /// of the slot's shard, it has become the primary, and gets all slots of the shard.
    pub fn move_slot(&mut self, slot: u16, place: u32) {
        let Some(current) = self.slots.get(usize::from(slot)) else { return };
        if let Some(places) = self.shards.get_mut(usize::from(*current)) {
            if let Some(replica) = places.replicas.iter_mut().find(|replica| **replica == place) {
                *replica = std::mem::replace(&mut places.primary, place);
                return;
            }
        }
        let shard = self.shards.iter().position(|places| places.primary == place);
        let shard = shard.unwrap_or_else(|| {
            self.shards.push(Places { primary: place, replicas: Vec::new() });
            self.counts.push(0);
            self.shards.len() - 1
        });
        self.give(slot, shard as u16);
    }

    /// The slots whose writes went to another node in `before`, each with the place of that node.
    pub fn moved_since(&self, before: &Table) -> Vec<(u16, u32)> {
        let moved = (0..SLOTS).filter_map(|slot| {
            let former = before.primary(slot)?;
            (self.primary(slot) != Some(former)).then_some((slot, former))
        });
        moved.collect()
    }
}

/// The shard of a slot that no node has.
const NO_SHARD: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::default();
        table.add(Places { primary: 0, replicas: vec![2] }, [0..=99, 200..=299]);
        table.add(Places { primary: 1, replicas: vec![] }, [100..=199]);
        table
    }

    #[test]
    fn a_slot_leads_to_its_nodes() {
        let table = table();
        assert_eq!(table.primary(250), Some(0));
        assert_eq!(table.primary(100), Some(1));
        assert_eq!(table.primary(300), None);
        assert_eq!(table.of(0).unwrap().replicas, [2]);
        assert_eq!(table.ranges(), [vec![(0, 99), (200, 299)], vec![(100, 199)]]);
    }

    #[test]
    fn one_slot_moves_alone() {
        let (before, mut after) = (table(), table());
        after.move_slot(150, 0);
        after.move_slot(151, 7);
        assert_eq!(after.moved_since(&before), [(150, 1), (151, 1)]);
        assert_eq!(after.primary(151), Some(7));
        assert_eq!(after.ranges()[1], [(100, 149), (152, 199)]);
        assert!(after.primaries().eq([0, 1, 7]));
        (100..200).for_each(|slot| after.move_slot(slot, 0));
        assert!(after.primaries().eq([0]));
    }

    #[test]
    fn a_replica_that_takes_a_slot_takes_the_shard() {
        let (before, mut after) = (table(), table());
        after.move_slot(0, 2);
        assert_eq!(after.moved_since(&before).len(), 200);
        assert_eq!(after.of(299).unwrap(), &Places { primary: 2, replicas: vec![0] });
        assert!(!after.is_primary(0) && after.is_primary(2));
    }
}
