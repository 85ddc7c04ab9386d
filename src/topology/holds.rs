//! Holds: the reasons why the commands of a slot are parked.
//!
//! Pure. A slot that is held for several reasons is held until all of them are over.

use std::collections::HashMap;

/// One reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until the lane of the node at `place` has passed the mark with the number `mark`: until that
    /// node has answered everything that it was sent before.
    Mark { place: u32, mark: u64 },
    /// Until the retry timer fires.
    Retry,
    /// Until a server has said where everything is.
    Look,
}

impl Hold {
    /// Whether it ends with a mark of the node at `place`.
    pub(super) fn is_mark_of(&self, place: u32) -> bool {
        matches!(self, Self::Mark { place: of, .. } if *of == place)
    }
}

/// The holds of all slots.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// No list is empty.
    by_slot: HashMap<u16, Vec<Hold>>,
}

impl Holds {
    /// Whether commands of `slot` have to be parked.
    pub(super) fn is_held(&self, slot: u16) -> bool {
        // Nearly always there is no hold at all, and then nothing is hashed.
        !self.by_slot.is_empty() && self.by_slot.contains_key(&slot)
    }

    /// Holds `slot`. Of the marks of one node the newest counts, since it is passed last.
    pub(super) fn add(&mut self, slot: u16, hold: Hold) {
        let holds = self.by_slot.entry(slot).or_default();
        let is_replaced = |old: &Hold| match hold {
            Hold::Mark { place, .. } => old.is_mark_of(place),
            Hold::Retry | Hold::Look => *old == hold,
        };
        match holds.iter_mut().find(|old| is_replaced(old)) {
            Some(old) => *old = hold,
            None => holds.push(hold),
        }
    }

    /// Ends holds; says whether a slot is free now that was held.
    pub(super) fn lift(&mut self, is_over: impl Fn(&Hold) -> bool) -> bool {
        let before = self.by_slot.len();
        self.by_slot.retain(|_, holds| {
            holds.retain(|hold| !is_over(hold));
            !holds.is_empty()
        });
        self.by_slot.len() < before
    }

    /// Whether `slot` is held until a mark of the node at `place` was passed.
    pub(super) fn has_mark_of(&self, slot: u16, place: u32) -> bool {
        let holds = self.by_slot.get(&slot).map(Vec::as_slice).unwrap_or_default();
        holds.iter().any(|hold| hold.is_mark_of(place))
    }

    /// Whether any slot is held until a mark of the node at `place` was passed.
    pub(super) fn is_awaited(&self, place: u32) -> bool {
        self.by_slot.values().flatten().any(|hold| hold.is_mark_of(place))
    }

    /// Ends all holds.
    pub(super) fn clear(&mut self) {
        self.by_slot.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_held_until_all_reasons_are_over() {
        let mut holds = Holds::default();
        holds.add(7, Hold::Look);
        holds.add(7, Hold::Retry);
        assert!(!holds.lift(|hold| *hold == Hold::Look));
        assert!(holds.is_held(7) && !holds.is_held(8));
        assert!(holds.lift(|hold| *hold == Hold::Retry));
        assert!(!holds.is_held(7));
    }

    #[test]
    fn the_newest_mark_of_a_node_counts() {
        let mut holds = Holds::default();
        holds.add(7, Hold::Mark { place: 1, mark: 1 });
        holds.add(7, Hold::Mark { place: 1, mark: 2 });
        holds.add(7, Hold::Mark { place: 2, mark: 1 });
        assert!(holds.has_mark_of(7, 1) && holds.is_awaited(2) && !holds.is_awaited(3));
        holds.lift(|hold| *hold == Hold::Mark { place: 1, mark: 1 });
        assert!(holds.has_mark_of(7, 1));
        holds.lift(|hold| *hold == Hold::Mark { place: 1, mark: 2 });
        assert!(!holds.has_mark_of(7, 1) && holds.is_held(7));
    }
}
