//! A batch on its way to several nodes: one pass over it, one new batch for each.

use crate::lane::{Batch, Command};

/// Where a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// To the node at this place.
    Node(u32),
    /// Nowhere, for the moment.
    Parked,
}

/// The new batches that a batch is cut into.
pub(super) struct Parts<'a> {
    whole: &'a Batch,
    parts: Vec<Part>,
    /// By the place of the node, behind that of what is parked: the number of its part.
    numbers: Vec<u16>,
    /// Whether the batch is cut at all.
    is_cut: bool,
    /// How many nodes there are.
    nodes: usize,
}

struct Part {
    to: To,
    bytes: Vec<u8>,
    commands: Vec<Command>,
}

/// No part yet.
const NONE: u16 = u16::MAX;

impl<'a> Parts<'a> {
    /// For `whole`, which is for any of `nodes` nodes.
    pub(super) fn new(whole: &'a Batch, nodes: usize) -> Self {
        Self { whole, parts: Vec::new(), numbers: Vec::new(), is_cut: false, nodes }
    }

    /// Whether the batch is whole so far.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_cut
    }

    /// Begins to cut: the first `commands` commands (`bytes` bytes) all go to `to`.
    pub(super) fn start(&mut self, to: Option<To>, commands: usize, bytes: usize) {
        self.is_cut = true;
        self.numbers = vec![NONE; self.nodes + 1];
        let Some(to) = to else { return };
        let (front, before) = (self.whole.bytes().get(..bytes), self.whole.commands());
        if let (Some(front), Some(before), Some(part)) =
            (front, before.get(..commands), self.part(to))
        {
            part.bytes.extend_from_slice(front);
            part.commands.extend_from_slice(before);
        }
    }

    /// Adds a command.
    pub(super) fn push(&mut self, to: To, command: &Command, encoded: &[u8]) {
        if let Some(part) = self.part(to) {
            part.bytes.extend_from_slice(encoded);
            part.commands.push(*command);
        }
    }

    fn part(&mut self, to: To) -> Option<&mut Part> {
        let at = match to {
            To::Parked => 0,
            To::Node(place) => place as usize + 1,
        };
        let number = self.numbers.get_mut(at)?;
        if *number == NONE {
            *number = self.parts.len() as u16;
            // A third more than an even share: growing would copy everything once more.
            let share = |whole: usize| whole * 4 / (3 * self.nodes.max(1));
            let bytes = Vec::with_capacity(share(self.whole.bytes().len()));
            let commands = Vec::with_capacity(share(self.whole.commands().len()));
            self.parts.push(Part { to, bytes, commands });
        }
        self.parts.get_mut(usize::from(*number))
    }

    /// The new batches, in the order of their first commands.
    pub(super) fn into_batches(self) -> Vec<(To, Batch)> {
        let (submitted, owner) = (self.whole.submitted(), self.whole.owner());
        let batches = self.parts.into_iter().map(|Part { to, bytes, commands }| {
            (to, Batch::new(bytes.into(), commands, submitted).owned_by(owner))
        });
        batches.collect()
    }
}
