//! A subscriber against a scripted peer: when it connects, what it says, and what it makes of what
//! it hears.

#[path = "../support/mod.rs"]
mod support;

mod life;
mod loss;
mod scene;
