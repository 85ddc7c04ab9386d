//! The tests of `lane` once more. Here the caller's thread attends to the connection, which must make
//! no difference.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

const IS_SERVED_BY_CALLER: bool = true;

#[path = "../lane/block.rs"]
mod block;
#[path = "../lane/life.rs"]
mod life;
#[path = "../lane/loss.rs"]
mod loss;
#[path = "../lane/pressure.rs"]
mod pressure;
#[path = "../lane/refusal.rs"]
mod refusal;
#[path = "../lane/reply.rs"]
mod reply;
#[path = "../lane/scene.rs"]
mod scene;
#[path = "../lane/watch.rs"]
mod watch;
