//! Any bytes as what servers answer to a handshake.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| oxidis::connection::fuzzing::answers(data));
