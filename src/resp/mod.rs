//! RESP2 and RESP3: commands to bytes, bytes to replies.
//!
//! Owns the wire format, and nothing else: no socket, no clock, no runtime. [`encode`] writes
//! commands and finds their bounds in a batch. [`Decoder`] turns the bytes that have come into
//! [`Frames`], a flat tape of [`TapeNode`]s over these bytes. So a value is copied only when the
//! reader of the tape makes a value of its own from it.
//!
//! Invariants: both protocols are understood at any time; every byte is looked at a bounded number
//! of times, however the stream is cut; nesting costs heap, never stack; memory follows the bytes
//! received, not the sizes they announce; pushes never mix with replies.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod builder;
pub mod decode;
pub mod encode;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod limits;
mod scalar;
pub mod tape;
pub mod text;

pub use decode::Decoder;
pub use limits::Limits;
pub use tape::{Frames, TapeNode, ValueKind};
pub use text::Text;
