//! The RESP codec seen from outside: what goes in as bytes, what comes out as values.
//!
//! Every stream is decoded in many kinds of portions, which must agree. `show` renders values as
//! text, so that tables and properties compare strings. There is no server and no clock.

mod limits;
mod properties;
mod show;
mod vectors;
