//! Any bytes as what nodes say about their cluster.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| oxidis::cluster::fuzzing::answers(data));
