//! A session against a server that a test can make say anything: what it hands back to the pool,
//! and what it closes. The numbers in brackets are those of the fault scenarios.

#[path = "../support/mod.rs"]
mod support;

/// Who attends to the connection: here, the driver. `session_detached` is the other half.
const IS_SERVED_BY_CALLER: bool = false;

mod database;
mod giving_back;
mod loss;
mod scene;
#[cfg(unix)]
#[path = "../lane/watch.rs"]
mod watch;
