//! When commands are tried again that the cluster could not run.
//!
//! Pure: one timer for all slots, which gets instants and random numbers as arguments.

use std::time::Duration;

use tokio::time::Instant;

/// The timer.
#[derive(Debug, Default)]
pub(super) struct Retry {
    at: Option<Instant>,
    /// How often the timer was set since a server has said where everything is.
    waits: u32,
}

impl Retry {
    /// When the timer fires, if it is set.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Sets the timer, unless it is set.
    pub(super) fn arm(&mut self, delay: Duration, now: Instant) {
        if self.at.is_none() {
            self.waits = self.waits.saturating_add(1);
            self.at = Some(now + delay);
        }
    }

    /// The timer has fired.
    pub(super) fn fired(&mut self) {
        self.at = None;
    }

    /// A server has said where everything is: the next delay is the first one again.
    pub(super) fn begin_anew(&mut self) {
        self.waits = 0;
    }

    /// The next delay; `chance` is a random number from 0 to 1. At least half of the delay stays,
    /// so that a server is not asked at once; the other half is random, so that many clients do
    /// not ask at the same moment.
    pub(super) fn delay(&self, chance: f64) -> Duration {
        let ceiling = BASE.saturating_mul(1 << self.waits.min(8)).min(CAP);
        ceiling.mul_f64(0.5 + chance / 2.0)
    }
}

/// The delay when the keys of a command are on two nodes: they come together within a MIGRATE or
/// two, which take milliseconds.
pub(super) const SOON: Duration = Duration::from_millis(25);
/// The first delay of all other reasons, which is doubled up to [`CAP`]. A cluster that is down and
/// a server that loads its data take seconds to recover: 100 ms are short against that, and one
/// try a second is cheap however long it takes.
const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_until_the_cluster_is_known_again() {
        let (mut retry, now) = (Retry::default(), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..6 {
            let delay = retry.delay(1.0);
            delays.push(delay.as_millis());
            retry.arm(delay, now);
            retry.arm(Duration::ZERO, now);
            assert_eq!(retry.at(), Some(now + delay), "it is set once");
            retry.fired();
        }
        assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
        retry.begin_anew();
        assert_eq!(retry.delay(0.0), Duration::from_millis(50));
    }
}
