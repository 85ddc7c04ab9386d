//! What the benches measure: each case is one step over many replies or commands.

use std::hint::black_box;

use bytes::BytesMut;
use oxidis::command;
use oxidis::resp::{encode, Decoder, Limits};

/// Replies, elements or commands per step: about one read of a lane under full load.
pub const COUNT: usize = 1000;

/// Something to measure.
pub struct Case {
    /// What it does, for people and as its key in `bench/results/instructions.json`.
    pub name: &'static str,
    /// Does it once, [`COUNT`] times over.
    pub step: Box<dyn FnMut()>,
}

/// All cases.
pub fn all() -> Vec<Case> {
    let mut cases = decoding();
    cases.extend(commands());
    cases
}

fn decoding() -> Vec<Case> {
    let value = format!("$64\r\n{}\r\n", "x".repeat(64));
    let short = format!("$32\r\n{}\r\n", "x".repeat(32));
    let wires = [
        ("decode strings of 64 bytes", value.repeat(COUNT)),
        ("decode strings of 32 bytes", short.repeat(COUNT)),
        ("decode OK", "+OK\r\n".repeat(COUNT)),
        ("decode misses", "$-1\r\n".repeat(COUNT)),
        ("decode integers", ":1234567\r\n".repeat(COUNT)),
        ("decode doubles", ",1234.5\r\n".repeat(COUNT)),
        ("decode error replies", "-WRONGTYPE Operation against a key\r\n".repeat(COUNT)),
        ("decode pairs of a map", format!("%{}\r\n{}", COUNT / 2, short.repeat(COUNT))),
        ("decode elements of one array", format!("*{COUNT}\r\n{}", short.repeat(COUNT))),
    ];
    let case = |(name, wire): (_, String)| {
        let mut decoder = Decoder::new(Limits::default());
        // A single input stays in the cache, as bytes do that were read just now. Copying it is a
        // hundredth of decoding it.
        let step = move || {
            let mut buf = BytesMut::from(wire.as_str());
            let _ = black_box(decoder.decode(&mut buf));
        };
        Case { name, step: Box::new(step) }
    };
    wires.into_iter().map(case).collect()
}

fn commands() -> Vec<Case> {
    let args: [&[u8]; 3] = [b"SET", b"key:1234", &[b'x'; 32]];
    let mut one = Vec::new();
    encode::command(&mut one, &args);
    let batch = one.repeat(COUNT);
    let mut out = Vec::new();
    let encoding = move || {
        out.clear();
        for _ in 0..COUNT {
            encode::command(&mut out, black_box(&args));
        }
    };
    let lengths = move || {
        let mut rest = black_box(&batch[..]);
        while let Some(len) = encode::command_len(rest) {
            rest = &rest[len..];
        }
    };
    let known = one.clone();
    let looking_up = move || {
        for _ in 0..COUNT {
            black_box(command::of(black_box(&known)));
        }
    };
    let finding_keys = move || {
        for _ in 0..COUNT {
            black_box(command::keys::of(black_box(&one)).count());
        }
    };
    vec![
        Case { name: "encode commands", step: Box::new(encoding) },
        Case { name: "measure encoded commands", step: Box::new(lengths) },
        Case { name: "look commands up", step: Box::new(looking_up) },
        Case { name: "find keys of commands", step: Box::new(finding_keys) },
    ]
}
