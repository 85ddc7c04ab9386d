//! A session against a scripted server: which connections it gives back to the pool, and which it
//! closes.

#[path = "../support/mod.rs"]
mod support;

/// Here the driver attends to the connection; in `session_detached` the caller's thread does.
const IS_SERVED_BY_CALLER: bool = false;

mod database;
mod giving_back;
mod loss;
mod scene;
#[cfg(unix)]
#[path = "../lane/watch.rs"]
mod watch;
