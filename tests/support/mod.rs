//! Both ends of a lane in one test: a server that answers as the test says, and a caller that checks
//! that each command ends exactly once.
//!
//! Everything waits for events. [`PATIENCE`] only turns a hang into a failure.

// Every test binary compiles its own copy and uses a part of it.
#![allow(dead_code, unused_imports)]

mod caller;
mod server;

use std::future::Future;
use std::time::Duration;

pub use caller::Caller;
pub use server::{Server, Wire};

/// Far beyond what any test needs on a slow and busy machine. Also beyond every timer of a lane, so
/// that these fire first under paused time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Awaits `future`, or fails the test.
pub async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(done) => done,
        Err(_) => panic!("waited too long for {what}"),
    }
}

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
