//! Writes what the socket takes, on whatever thread asks.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::conduit::Traffic;
use super::link::{Attendant, Link};
use crate::metrics::Metrics;
use crate::stream::{self, Stream, Unread};

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
        self.look_after_pause(now);
        let Link::Up { stream, blocked, unread, failed, .. } = &mut self.link else {
            return Wrote::All;
        };
        let stream = handle.unwrap_or(stream);
        if failed.is_some() {
            // What is not written yet can still be written to the next connection.
            return Wrote::Failed;
        }
        if *unread {
            *blocked = true;
            return Wrote::Unread;
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
        if outcome == Wrote::Failed {
            self.lose_track();
        }
        outcome
    }

    /// Looks at the connection if it was silent for a while, before something is written to it. The
    /// server may have closed it, and this process may not have noticed: it was stopped, as a
    /// function is between two calls, or its event loop was busy. What is written then is lost, and
    /// nobody knows whether the server has run it.
    pub(super) fn look_after_pause(&mut self, now: Instant) {
        let is_past = |at: Instant| now.saturating_duration_since(at) > PAUSE;
        if !is_past(self.active) || !is_past(self.looked) {
            return;
        }
        self.looked = now;
        let is_waiting = self.queue.is_waiting();
        let Link::Up { stream, unread, failed, .. } = &mut self.link else { return };
        match stream.look() {
            Err(error) => {
                failed.get_or_insert(error);
                self.lose_track();
            }
            // A reply is due, so there is nothing strange about bytes.
            Ok(Unread::Some) if !is_waiting => *unread = true,
            Ok(_) => {}
        }
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
    /// What has come during a pause has to be read first.
    Unread,
    /// The connection is broken.
    Failed,
}

impl Wrote {
    /// Whether the driver has to be woken up, when `attendant` attends to the connection.
    pub(super) fn needs_driver(self, attendant: Attendant) -> bool {
        match self {
            Self::All => false,
            Self::Full => attendant == Attendant::Driver,
            Self::Enough | Self::Unread | Self::Failed => true,
        }
    }
}

/// After a pause of this length in both directions the connection is looked at before the next
/// write. Short enough that hardly any connection is closed in a shorter one. The look is a system
/// call of half a microsecond, ten times a second at most.
const PAUSE: Duration = Duration::from_millis(100);
/// How many bytes the caller's thread writes at most in one go. The kernel copies about 10 bytes a
/// nanosecond, so 256 KiB take 25 us of the caller's event loop; the driver writes the rest.
pub(super) const INLINE: usize = 256 << 10;
