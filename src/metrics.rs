//! Counters and the latency histogram behind `client.stats()`.
//!
//! Owns numbers only: no lock, no clock, no text. An update is one relaxed atomic addition. The hot
//! path makes one update for each batch of replies, not one for each command.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::time::Duration;

/// The counters of one client.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Commands handed over by the application.
    pub commands: Counter,
    /// Error replies of the server.
    pub errors: Counter,
    /// Commands whose deadline passed.
    pub timeouts: Counter,
    /// Commands written again, after a loss or because the server was not ready.
    pub retries: Counter,
    /// Commands that a node has redirected to another one.
    pub redirects: Counter,
    /// Connections opened, handshake included.
    pub connects: Counter,
    /// Connection attempts that failed.
    pub connect_failures: Counter,
    /// Established connections that were lost.
    pub lost: Counter,
    /// Replies thrown away because their caller had gone.
    pub tombstones: Counter,
    /// RESP3 pushes that belong to no subscription.
    pub pushes_ignored: Counter,
    /// Bytes read from sockets.
    pub bytes_in: Counter,
    /// Bytes written to sockets.
    pub bytes_out: Counter,
    /// Time from submission to the arrival of the reply.
    pub latency: Histogram,
    /// Time that callers have waited for a lease.
    pub acquire: Histogram,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations in logarithmic buckets. Each octave has eight, so a percentile is at most 12.5 % off.
#[derive(Debug)]
pub struct Histogram {
    /// By octave, each with its steps. One is allocated by its first observation: most clients see
    /// a handful, and there is a histogram in every client.
    octaves: [OnceLock<Box<[AtomicU64; STEPS]>>; OCTAVES],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { octaves: std::array::from_fn(|_| OnceLock::new()) }
    }
}

impl Histogram {
    /// Counts `times` observations of `value`.
    pub fn record(&self, value: Duration, times: u64) {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        let index = index(micros);
        let octave = self.octaves.get(index / STEPS).map(|one| one.get_or_init(Box::default));
        if let Some(bucket) = octave.and_then(|steps| steps.get(index % STEPS)) {
            bucket.fetch_add(times, Ordering::Relaxed);
        }
    }

    /// The upper bound in microseconds of the bucket that holds each of `quantiles` (`0.0..=1.0`);
    /// 0 if nothing was recorded.
    pub fn quantiles<const N: usize>(&self, quantiles: [f64; N]) -> [u64; N] {
        let counts: Vec<u64> = self.octaves.iter().flat_map(counts_of).collect();
        let total: u64 = counts.iter().sum();
        quantiles.map(|quantile| {
            let rank = ((total as f64 * quantile).ceil() as u64).max(1);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            found.map_or(0, upper_bound)
        })
    }
}

fn counts_of(octave: &OnceLock<Box<[AtomicU64; STEPS]>>) -> [u64; STEPS] {
    let steps = octave.get();
    std::array::from_fn(|at| steps.map_or(0, |steps| steps[at].load(Ordering::Relaxed)))
}

/// The bucket of a duration. The last one also takes everything that is longer.
fn index(micros: u64) -> usize {
    if micros < 8 {
        return micros as usize;
    }
    let octave = 63 - micros.leading_zeros() as usize;
    let step = (micros >> (octave - 3)) as usize & 7;
    ((octave - 2) * 8 + step).min(BUCKETS - 1)
}

/// The longest duration in microseconds that a bucket counts.
fn upper_bound(index: usize) -> u64 {
    if index < 8 {
        return index as u64;
    }
    let (octave, step) = (index / 8 + 2, index as u64 % 8);
    ((8 + step + 1) << (octave - 3)) - 1
}

/// Eight single microseconds, then eight steps for each of 35 octaves: up to 2^38 us, three days.
const BUCKETS: usize = OCTAVES * STEPS;
const OCTAVES: usize = 36;
const STEPS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_at_or_below_its_bucket_bound_and_within_an_eighth() {
        for micros in (0..100_000).step_by(7).chain([1 << 20, (1 << 30) + 12_345]) {
            let bound = upper_bound(index(micros));
            assert!(bound >= micros, "{micros} > {bound}");
            assert!(bound as f64 <= micros as f64 * 1.125 + 1.0, "{micros} << {bound}");
        }
    }

    #[test]
    fn quantiles_of_a_known_series() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantiles([0.5]), [0]);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros), 1);
        }
        let [p50, p99] = histogram.quantiles([0.5, 0.99]);
        assert!((500..=563).contains(&p50), "{p50}");
        assert!((990..=1114).contains(&p99), "{p99}");
    }
}
