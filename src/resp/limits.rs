//! How large one reply may be.
//!
//! Owns the bounds that stop a hostile or broken server, and their defaults. A reply that breaks
//! one is a protocol error, or is not kept if it only has too many values. The decoder never
//! reserves memory for an announced size, so these bound what may arrive, not what is reserved.

use crate::resp::tape::TapeNode;

/// The bounds of a [`Decoder`](crate::resp::Decoder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one byte string; of a streamed one, all chunks together. Default 512 MiB.
    pub bulk: usize,
    /// Levels of aggregates within one another. Default 128.
    pub depth: usize,
    /// Bytes of one line, its type byte and CRLF not counted. Default 64 KiB.
    pub line: usize,
    /// Bytes of one reply with everything in it, attributes included. Default 1 GiB. Values above
    /// [`Limits::MAX_REPLY`] count as that. More bytes on the wire break the protocol. Its tape
    /// counts as well, [`Limits::NODE`] bytes for each value: if both together are more, the reply
    /// is read to its end, but only a [`ValueKind::Excess`](crate::resp::ValueKind) is kept of it.
    pub reply: usize,
}

impl Limits {
    /// The largest `reply`, 2 GiB less one byte. A step starts no value behind the first 2 GiB, so
    /// every offset fits into the `u32` of a node.
    pub const MAX_REPLY: usize = (1 << 31) - 1;
    /// The bytes that one value takes on the tape, beside its bytes on the wire. The shortest value
    /// has three of those, so a reply may take nine times the memory that it took on the wire.
    pub const NODE: usize = std::mem::size_of::<TapeNode>();
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The server's own default of `proto-max-bulk-len`.
            bulk: 512 << 20,
            // Replies of modules nest a dozen levels at most; node-redis and redis-rs stop at about
            // 100.
            depth: 128,
            // The limit of the server itself for an inline command; its error texts are far shorter.
            line: 64 << 10,
            // Twice the largest byte string: room for the largest value beside anything else.
            reply: 1 << 30,
        }
    }
}
