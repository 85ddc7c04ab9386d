//! The boundary to JavaScript: the only module that knows N-API, and the only one with `unsafe`.
//!
//! One native call a turn brings all of its commands ([`bridge::Core::submit`]); one callback a
//! wake-up takes all replies that have come ([`deliver`]). Never keeps a JavaScript value or an
//! environment in anything that another thread can reach. A panic ends in this module.

mod bridge;
mod deliver;
mod ending;
mod mode;
mod nodes;
mod options;
#[cfg_attr(not(unix), path = "poll_none.rs")]
mod poll;
mod pubsub;
mod reach;
mod sessions;
mod stats;
mod text;
mod values;
mod watcher;

use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `f`; a panic becomes a JavaScript exception instead of the end of the process.
fn guard<T>(f: impl FnOnce() -> napi::Result<T>) -> napi::Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        Err(napi::Error::from_reason("oxidis failed inside; this is a bug in oxidis"))
    })
}
