//! What the harnesses of fuzz targets share: bytes to replies, and seeds.
//!
//! Each module that reads answers has a harness in a file called `fuzzing`. `fuzz/` runs it with
//! random bytes, and a unit test with the seeds of the target and small changes of them, so a
//! harness cannot rot. None of it is in the addon.

use bytes::BytesMut;

use super::{Decoder, Frames, Limits};

/// Limits that short inputs reach. A topology answer with too many nodes still fits.
const LIMITS: Limits = Limits { bulk: 1 << 16, depth: 8, line: 1 << 10, reply: 1 << 20 };

/// The values in `wire`, each in frames of its own, up to the first that is none.
pub fn values(wire: &[u8]) -> Vec<Frames> {
    let mut decoder = Decoder::new(LIMITS);
    let mut buffer = BytesMut::new();
    let mut values = Vec::new();
    for byte in wire {
        buffer.extend_from_slice(&[*byte]);
        match decoder.decode(&mut buffer) {
            Ok(Some(frames)) => values.push(frames),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    values
}

/// Runs a harness with each seed of a target, and with a hundred beginnings and as many changes of
/// one byte of it. The seeds are the files of `fuzz/seeds/<target>/`.
#[cfg(test)]
pub fn try_seeds(target: &str, harness: impl Fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let seed = std::fs::read(entry.unwrap().path()).unwrap();
        count += 1;
        harness(&seed);
        for at in (0..seed.len()).step_by(1 + seed.len() / 100) {
            harness(&seed[..at]);
            let mut changed = seed.clone();
            changed[at] = [b'\n', b'-', b'9', 0xff][at % 4];
            harness(&changed);
        }
    }
    assert!(count > 2, "no seeds in {folder}");
}
