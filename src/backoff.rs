//! Exponential delay with full jitter, and the small random source behind it.
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

#[cfg(test)]
mod tests {
    use super::*;

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
