//! A batch on its way to several nodes: one pass over it makes a new batch for each node.

use crate::lane::{Batch, Command};

/// Where a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To the node at this place.
    Node(u32),
    /// To the parked commands, because no node can have it at the moment.
    Parked,
}

/// The new batches into which a batch is cut.
pub(super) struct Split<'a> {
    whole: &'a Batch,
    shares: Vec<Share>,
    /// The index in `shares` of each destination: the parked commands first, then the nodes by
    /// their places. Empty until the batch is cut.
    indexes: Vec<u16>,
    is_cut: bool,
    /// One more than the highest place of a node.
    places: usize,
}

/// What one destination gets.
struct Share {
    destination: Destination,
    bytes: Vec<u8>,
    commands: Vec<Command>,
}

/// The index of a destination that has no share yet.
const NONE: u16 = u16::MAX;

impl<'a> Split<'a> {
    /// Cuts nothing yet: `whole` may be for one destination alone. The places of all nodes are
    /// below `places`.
    pub(super) fn new(whole: &'a Batch, places: usize) -> Self {
        Self { whole, shares: Vec::new(), indexes: Vec::new(), is_cut: false, places }
    }

    /// Whether the batch is cut.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Begins to cut. The first `commands` commands (`bytes` bytes) go to `destination`, or failed.
    pub(super) fn start(
        &mut self,
        destination: Option<Destination>,
        commands: usize,
        bytes: usize,
    ) {
        self.is_cut = true;
        self.indexes = vec![NONE; self.places + 1];
        let Some(destination) = destination else { return };
        let (front, before) = (self.whole.bytes().get(..bytes), self.whole.commands());
        if let (Some(front), Some(before), Some(share)) =
            (front, before.get(..commands), self.share(destination))
        {
            share.bytes.extend_from_slice(front);
            share.commands.extend_from_slice(before);
        }
    }

    /// Adds a command to the share of `destination`.
    pub(super) fn push(&mut self, destination: Destination, command: &Command, encoded: &[u8]) {
        if let Some(share) = self.share(destination) {
            share.bytes.extend_from_slice(encoded);
            share.commands.push(*command);
        }
    }

    fn share(&mut self, destination: Destination) -> Option<&mut Share> {
        let at = match destination {
            Destination::Parked => 0,
            Destination::Node(place) => place as usize + 1,
        };
        let index = self.indexes.get_mut(at)?;
        if *index == NONE {
            *index = self.shares.len() as u16;
            // A third more than an even share, since growing copies everything once more.
            let room = |whole: usize| whole * 4 / (3 * self.places.max(1));
            let bytes = Vec::with_capacity(room(self.whole.bytes().len()));
            let commands = Vec::with_capacity(room(self.whole.commands().len()));
            self.shares.push(Share { destination, bytes, commands });
        }
        self.shares.get_mut(usize::from(*index))
    }

    /// The new batches, in the order of their first commands.
    pub(super) fn into_batches(self) -> Vec<(Destination, Batch)> {
        let (submitted, owner) = (self.whole.submitted(), self.whole.owner());
        let batches = self.shares.into_iter().map(|Share { destination, bytes, commands }| {
            (destination, Batch::new(bytes.into(), commands, submitted).owned_by(owner))
        });
        batches.collect()
    }
}
