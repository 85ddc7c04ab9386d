//! How much one reply may cost.
//!
//! Owns the bounds a hostile or confused server runs into, and their defaults. Breaking one is a
//! protocol error; the decoder never allocates by what was announced, so these bound what may
//! come, not what is reserved.

/// The bounds of a [`Decoder`](crate::resp::Decoder).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one byte string, all chunks of a streamed one together. Default 512 MiB.
    pub bulk: usize,
    /// Levels of aggregates within one another. Default 128.
    pub depth: usize,
    /// Bytes of one line, its type byte and CRLF not counted. Default 64 KiB.
    pub line: usize,
    /// Wire bytes of one reply with everything in it, its attributes too. Default 1 GiB; more than
    /// [`Limits::MAX_REPLY`] counts as that.
    pub reply: usize,
}

impl Limits {
    /// The largest `reply`, 2 GiB less one byte: with a step that starts no value behind 2 GiB,
    /// every offset fits the `u32` of a node.
    pub const MAX_REPLY: usize = (1 << 31) - 1;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The server's own `proto-max-bulk-len`.
            bulk: 512 << 20,
            // Modules nest a dozen levels at most; node-redis and redis-rs stop at about 100.
            depth: 128,
            // Servers cut their error texts far below; this is the server's own inline limit.
            line: 64 << 10,
            // Twice the largest bulk: room for the largest value beside anything else.
            reply: 1 << 30,
        }
    }
}
