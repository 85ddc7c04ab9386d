//! A lane against a server that misbehaves in every way that a test can say. The numbers in
//! brackets are those of the fault scenarios that the reliability tests follow.

#[path = "../support/mod.rs"]
mod support;

/// Who attends to the connection: here, the driver. `lane_detached` is the other half.
const IS_SERVED_BY_CALLER: bool = false;

mod block;
mod life;
mod loss;
mod pressure;
mod refusal;
mod reply;
mod scene;
#[cfg(unix)]
mod watch;
