//! Any bytes as what sentinels say and announce.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| oxidis::sentinel::fuzzing::answers(data));
