//! The decoder never panics, and finds the same values in whatever portions the bytes come.
//!
//! The first byte of the input chooses the portions, the rest is the stream.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use oxidis::resp::{Decoder, Limits, ValueKind};

/// Limits that short inputs reach.
const LIMITS: Limits = Limits { bulk: 1 << 10, depth: 8, line: 64, reply: 1 << 12 };

fuzz_target!(|data: &[u8]| {
    let Some((seed, wire)) = data.split_first() else { return };
    let whole = decode(wire, |_| usize::MAX);
    assert_eq!(decode(wire, |_| 1), whole);
    let seed = usize::from(*seed);
    assert_eq!(decode(wire, |step| 1 + (seed.wrapping_mul(step + 7) >> 3) % 17), whole);
});

/// One node of the tape: its kind, its counts, its text, its number.
type Flat = (ValueKind, usize, Vec<u8>, u64);

/// All replies, all pushes, and whether the stream failed, or else ended inside of a value.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    replies: Vec<Vec<Flat>>,
    pushes: Vec<Vec<Flat>>,
    failed: bool,
    cut: bool,
}

fn decode(wire: &[u8], portion: impl Fn(usize) -> usize) -> Outcome {
    let mut decoder = Decoder::new(LIMITS);
    let mut buf = BytesMut::new();
    let mut outcome = Outcome::default();
    let mut rest = wire;
    for step in 0.. {
        let (now, later) = rest.split_at(portion(step).min(rest.len()));
        buf.extend_from_slice(now);
        rest = later;
        loop {
            match decoder.decode(&mut buf) {
                Ok(None) => break,
                Err(_) => {
                    outcome.failed = true;
                    return outcome;
                }
                Ok(Some(frames)) => {
                    let flat = |root: &u32| -> Vec<Flat> {
                        let range = *root as usize..frames.next(*root) as usize;
                        let nodes = frames.tape[range].iter();
                        nodes
                            .map(|node| {
                                // A parent's `off` counts from where the tape began, which
                                // depends on the portions.
                                let span = if node.is_parent() { node.off - root } else { 0 };
                                let size = (u64::from(node.len) << 32 | u64::from(span)) as usize;
                                (node.kind, size, frames.text(node).to_vec(), node.num)
                            })
                            .collect()
                    };
                    outcome.replies.extend(frames.replies.iter().map(flat));
                    outcome.pushes.extend(frames.pushes.iter().map(flat));
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    outcome.cut = decoder.is_mid_value();
    outcome
}
