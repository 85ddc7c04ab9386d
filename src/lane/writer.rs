//! Writes what the socket takes, on whatever thread asks.

use std::io;

use tokio::time::Instant;

use super::conduit::Traffic;
use super::link::{Attendant, Link};
use crate::metrics::Metrics;
use crate::stream::{self, Stream};

impl Traffic {
    /// Writes what the socket takes, up to [`INLINE`].
    pub(super) fn write(&mut self, now: Instant, metrics: &Metrics) -> Wrote {
        self.write_through(None, now, metrics)
    }

    /// Writes what the socket takes, up to [`INLINE`]; through `handle`, another handle of the
    /// link's stream, if there is one.
    pub(super) fn write_through(
        &mut self,
        handle: Option<&Stream>,
        now: Instant,
        metrics: &Metrics,
    ) -> Wrote {
        let Link::Up { stream, blocked, failed, .. } = &mut self.link else { return Wrote::All };
        let stream = handle.unwrap_or(stream);
        if failed.is_some() {
            // What is not written yet can still be written to the next connection.
            return Wrote::Failed;
        }
        let mut total = 0;
        let outcome = loop {
            if total >= INLINE {
                // Other threads wait for the lock.
                break Wrote::Enough;
            }
            let next = self.queue.unwritten();
            let step = match &next {
                Some(bytes) => stream.try_write(bytes),
                None => stream.try_flush().map(usize::from),
            };
            match step {
                Ok(n) if next.is_some() => {
                    total += n;
                    self.queue.wrote(n, now);
                }
                Ok(flushed) => break if flushed == 1 { Wrote::All } else { Wrote::Full },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Wrote::Full,
                Err(error) => {
                    *failed = Some(stream::lost(error));
                    break Wrote::Failed;
                }
            }
        };
        if total > 0 {
            metrics.bytes_out.add(total as u64);
            self.active = now;
        }
        *blocked = outcome != Wrote::All;
        outcome
    }
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    /// Everything that may be written now is written.
    All,
    /// The socket takes no more for now.
    Full,
    /// [`INLINE`] bytes are written; there are more.
    Enough,
    /// The connection is broken.
    Failed,
}

impl Wrote {
    /// Whether the driver has to be woken up, when `attendant` attends to the connection.
    pub(super) fn needs_driver(self, attendant: Attendant) -> bool {
        match self {
            Self::All => false,
            Self::Full => attendant == Attendant::Driver,
            Self::Enough | Self::Failed => true,
        }
    }
}

/// How many bytes the caller's thread writes at most in one go. The kernel copies about 10 bytes a
/// nanosecond, so 256 KiB take 25 us of the caller's event loop; the driver writes the rest.
pub(super) const INLINE: usize = 256 << 10;
