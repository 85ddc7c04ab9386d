//! Any bytes as what servers send to subscribers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| oxidis::pubsub::fuzzing::listens(data));
