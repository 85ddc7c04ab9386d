//! The boundary to JavaScript: the only module that knows N-API, and the only one with `unsafe`.
//!
//! One native call for each turn of the event loop brings all of its commands
//! ([`bridge::Core::submit`]). One callback for each wake-up takes all replies that have come
//! ([`deliver`]). No JavaScript value and no environment is kept where another thread can reach it.
//! A panic ends in this module.

mod batch;
mod blocks;
mod bridge;
mod deliver;
mod ending;
mod events;
mod late;
mod mode;
mod nodes;
mod options;
#[cfg_attr(not(unix), path = "poll_none.rs")]
mod poll;
mod pubsub;
mod questions;
// Where the event loop can watch no socket, nothing calls what serves a watched one.
#[cfg_attr(not(unix), allow(dead_code))]
mod reach;
mod reference;
mod scope;
mod sessions;
#[cfg_attr(not(unix), allow(dead_code))]
mod sinks;
mod stats;
mod text;
mod tracking;
mod urls;
mod values;
#[cfg_attr(not(unix), allow(dead_code))]
mod watcher;

use std::panic::{catch_unwind, AssertUnwindSafe};

use napi_derive::napi;

/// The version of this addon. The JavaScript half loads no addon of another version, since the
/// functions between the two change without notice.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Runs `f`; a panic becomes a JavaScript exception instead of the end of the process.
fn guard<T>(f: impl FnOnce() -> napi::Result<T>) -> napi::Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| {
        Err(napi::Error::from_reason("oxidis failed inside; this is a bug in oxidis"))
    })
}
