//! The size of a pool, counted while leases come and go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// A pool's size at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections that exist.
    pub total: usize,
    /// Connections that are not on loan.
    pub idle: usize,
    /// Exclusive leases that are out. The leases of lanes are not counted.
    pub in_use: usize,
    /// Callers that wait for an exclusive lease.
    pub waiting: usize,
    /// Exclusive leases that may be out at the same time.
    pub max: usize,
}

/// What bb8 does not count.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) waiting: AtomicUsize,
    pub(super) in_use: AtomicUsize,
}

/// Adds one to a count for as long as it lives.
pub(super) struct Gauge {
    counts: Arc<Counts>,
    gauge: fn(&Counts) -> &AtomicUsize,
}

impl Gauge {
    pub(super) fn enter(counts: Arc<Counts>, gauge: fn(&Counts) -> &AtomicUsize) -> Self {
        gauge(&counts).fetch_add(1, Ordering::Relaxed);
        Self { counts, gauge }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        (self.gauge)(&self.counts).fetch_sub(1, Ordering::Relaxed);
    }
}
