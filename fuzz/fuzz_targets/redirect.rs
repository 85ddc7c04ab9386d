//! Any bytes as what nodes say when they refuse a command.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| oxidis::topology::fuzzing::refusals(data));
