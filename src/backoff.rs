//! Exponential delay with full jitter, the small random source behind it, and the count of
//! connections that did not last.
//!
//! Owns the arithmetic only: it never sleeps, and the random number comes in as an argument.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The delay before retry number `retries` (0 is the first): uniform in `0..=min(cap, base * 2^n)`.
///
/// Full jitter, after "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): of the
/// variants compared there it spreads a crowd of clients best. `random` is uniform in `0.0..1.0`.
pub fn full_jitter(base: Duration, cap: Duration, retries: u32, random: f64) -> Duration {
    // 2^20 times the smallest base is beyond any cap; it keeps the shift in range.
    let ceiling = base.saturating_mul(1 << retries.min(20)).min(cap);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// `period` moved by up to `fraction` of itself in either direction, so that timers started
/// together do not fire together.
pub fn spread(period: Duration, fraction: f64, random: f64) -> Duration {
    period.mul_f64(1.0 + fraction * (2.0 * random.clamp(0.0, 1.0) - 1.0))
}

/// A uniform number in `0.0..1.0`, good enough to spread load, not for secrets.
///
/// A process-wide Weyl sequence through the splitmix64 finalizer (Steele et al., "Fast
/// Splittable Pseudorandom Number Generators", 2014), seeded from the standard library's
/// per-process hash keys.
pub fn random() -> f64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    static STATE: AtomicU64 = AtomicU64::new(0);
    let mut z = STATE.fetch_add(GOLDEN, Ordering::Relaxed);
    if z == 0 {
        use std::hash::{BuildHasher, Hasher};
        let seed = std::collections::hash_map::RandomState::new().build_hasher().finish();
        z = STATE.fetch_add(seed, Ordering::Relaxed).wrapping_add(seed);
    }
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Counts the connections in a row that ended soon after they were made, and says how long to wait
/// before the next one.
///
/// A connection that is made and lost at once, again and again, is no failed attempt, so nothing
/// else would slow the reconnects down.
#[derive(Debug, Default)]
pub struct Flaps {
    in_a_row: u32,
}

impl Flaps {
    /// A connection has ended that served for `served`. Returns the delay before the next one: none
    /// after the first that ended soon, since a single loss is to be mended at once; after that up
    /// to 50 ms, 100 ms ... 2 s. `random` is uniform in `0.0..1.0`.
    pub fn ended(&mut self, served: Duration, random: f64) -> Option<Duration> {
        self.in_a_row = if served < STABLE { self.in_a_row.saturating_add(1) } else { 0 };
        let retries = self.in_a_row.checked_sub(2)?;
        Some(full_jitter(FLAP_BASE, STABLE, retries, random))
    }
}

/// A connection that served for this long was a success. It is the longest delay between failed
/// connection attempts by default.
const STABLE: Duration = Duration::from_secs(2);
/// The first delay between connections that do not last: that between failed attempts by default.
const FLAP_BASE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    /// The delays, in ms, between connections that served for these milliseconds each.
    fn delays(served: &[u64]) -> Vec<Option<u128>> {
        let mut flaps = Flaps::default();
        let delay = |ms: &u64| flaps.ended(Duration::from_millis(*ms), 1.0);
        served.iter().map(delay).map(|delay| Some(delay?.as_millis())).collect()
    }

    #[test]
    fn a_single_loss_is_mended_at_once() {
        assert_eq!(delays(&[0]), [None]);
        assert_eq!(delays(&[60_000, 0, 60_000, 0]), [None; 4]);
    }

    #[test]
    fn connections_that_do_not_last_are_made_less_and_less_often() {
        let expected = [None, Some(50), Some(100), Some(200), Some(400), Some(800)];
        assert_eq!(delays(&[0; 6]), expected);
        assert_eq!(delays(&[0; 9])[6..], [Some(1600), Some(2000), Some(2000)]);
        assert_eq!(Flaps { in_a_row: u32::MAX }.ended(Duration::ZERO, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn a_connection_that_served_for_two_seconds_ends_the_row() {
        assert_eq!(delays(&[0, 0, 1_999, 0]), [None, Some(50), Some(100), Some(200)]);
        assert_eq!(delays(&[0, 0, 2_000, 0, 0]), [None, Some(50), None, None, Some(50)]);
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let (base, cap) = (Duration::from_millis(50), Duration::from_secs(2));
        let at = |n| full_jitter(base, cap, n, 1.0).as_millis();
        assert_eq!([at(0), at(1), at(2), at(5), at(6), at(1000)], [50, 100, 200, 1600, 2000, 2000]);
        assert_eq!(full_jitter(base, cap, 7, 0.0), Duration::ZERO);
    }

    #[test]
    fn spread_stays_within_its_fraction() {
        let period = Duration::from_secs(10);
        assert_eq!(spread(period, 0.1, 0.0), Duration::from_secs(9));
        assert_eq!(spread(period, 0.1, 1.0), Duration::from_secs(11));
    }

    #[test]
    fn random_is_spread_over_the_unit_interval() {
        let draws: Vec<f64> = (0..1000).map(|_| random()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "mean {mean}");
    }
}
