//! The tests of `lane` once more, with the connection in the hands of the caller's thread: who
//! moves the bytes makes no difference to anybody.

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
