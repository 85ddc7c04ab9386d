//! A subscriber against a scripted server: when it connects, what it sends, and what it makes of
//! the replies.

#[path = "../support/mod.rs"]
mod support;

mod life;
mod loss;
mod scene;
