//! A lane against a scripted server, which a test can make say anything and break at any point.

#[path = "../support/mod.rs"]
mod support;

/// Here the driver attends to the connection; in `lane_detached` the caller's thread does.
const IS_SERVED_BY_CALLER: bool = false;

mod block;
mod life;
mod loan;
mod loss;
mod pressure;
mod refusal;
mod reply;
mod scene;
#[cfg(unix)]
mod watch;
