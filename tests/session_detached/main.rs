//! The tests of `session` once more. Here the caller's thread attends to the connection.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

const IS_SERVED_BY_CALLER: bool = true;

#[path = "../session/database.rs"]
mod database;
#[path = "../session/giving_back.rs"]
mod giving_back;
#[path = "../session/loss.rs"]
mod loss;
#[path = "../session/scene.rs"]
mod scene;
#[path = "../lane/watch.rs"]
mod watch;
