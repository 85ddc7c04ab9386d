//! What a read of a lane's socket has found, and which thread should do the next one.

/// What a read has found.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Findings {
    /// Whether the driver has to look at the lane: a timer has to be set, or the connection
    /// exchanged.
    pub(super) news: bool,
    /// Whether the socket was read empty.
    pub(super) is_drained: bool,
    /// Replies that were decoded.
    pub(super) replies: usize,
    /// Bytes that were read.
    pub(super) bytes: usize,
    /// Bytes of a large reply that are known to be missing.
    pub(super) missing: usize,
    /// How many lanes the same thread attends to.
    pub(super) lanes: usize,
}

impl Findings {
    /// Whether reads like this one should not take the event loop's time.
    pub(super) fn is_heavy(&self) -> bool {
        self.replies * self.lanes >= MANY
            || self.bytes * self.lanes >= MUCH
            || self.missing >= LARGE
    }

    /// Whether a thread hop would cost more than a read like this one.
    pub(super) fn is_light(&self) -> bool {
        self.replies * self.lanes < FEW && self.bytes * self.lanes < LITTLE && self.missing == 0
    }
}

/// From this many replies in one read, times the lanes that share its thread, the driver reads.
/// Measured: with 1,000 commands in flight the driver saves a fifth of the event loop's time; with
/// 100 in flight it costs a seventh of the throughput.
const MANY: usize = 400;
/// Below this many replies, times lanes, the thread hop costs more than it saves. It is far from
/// [`MANY`], so that the connection does not change hands all the time.
const FEW: usize = 150;
/// From this many bytes in one read, times lanes, the driver reads: copying and decoding them takes
/// about 10 us.
const MUCH: usize = 32 << 10;
/// Below this many bytes, times lanes, the caller's thread reads: a quarter of [`MUCH`], for the
/// same reason as [`FEW`].
const LITTLE: usize = 8 << 10;
/// A reply of which this much is missing takes several reads, so the driver reads it.
const LARGE: usize = 128 << 10;
