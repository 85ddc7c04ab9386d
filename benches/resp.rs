//! What the codec costs for each reply and each command:
//! `cargo bench --no-default-features --bench resp`.
//!
//! Criterion's `elem/s` counts replies or commands; in `elements of one array` it counts elements.
//! For figures that do not vary from run to run, count instructions: build this bench, then run it
//! under `valgrind --tool=callgrind` with `--bench --profile-time 1` and the name of one case.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use oxidis::resp::{encode, Decoder, Limits};

/// Replies, elements or commands per step: about one read of a lane under full load.
const COUNT: usize = 1000;

fn decoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(COUNT as u64));
    let value = format!("$64\r\n{}\r\n", "x".repeat(64));
    let short = format!("$32\r\n{}\r\n", "x".repeat(32));
    let cases = [
        ("strings of 64 bytes", value.repeat(COUNT)),
        ("strings of 32 bytes", short.repeat(COUNT)),
        ("OK", "+OK\r\n".repeat(COUNT)),
        ("misses", "$-1\r\n".repeat(COUNT)),
        ("integers", ":1234567\r\n".repeat(COUNT)),
        ("doubles", ",1234.5\r\n".repeat(COUNT)),
        ("error replies", "-WRONGTYPE Operation against a key\r\n".repeat(COUNT)),
        ("pairs of a map", format!("%{}\r\n{}", COUNT / 2, short.repeat(COUNT))),
        ("elements of one array", format!("*{COUNT}\r\n{}", short.repeat(COUNT))),
    ];
    for (name, wire) in &cases {
        let mut decoder = Decoder::new(Limits::default());
        group.bench_function(*name, |bencher| {
            bencher.iter_batched(
                || BytesMut::from(wire.as_str()),
                |mut buf| black_box(decoder.decode(&mut buf)),
                // A single input stays in the cache, as bytes do that were read just now.
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn encoding(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    group.throughput(Throughput::Elements(COUNT as u64));
    let args: [&[u8]; 3] = [b"SET", b"key:1234", &[b'x'; 32]];
    let mut out = Vec::new();
    group.bench_function("command", |bencher| {
        bencher.iter(|| {
            out.clear();
            for _ in 0..COUNT {
                encode::command(&mut out, black_box(&args));
            }
            out.len()
        });
    });
    let batch = out.clone();
    group.bench_function("command_len", |bencher| {
        bencher.iter(|| {
            let mut rest = black_box(&batch[..]);
            while let Some(len) = encode::command_len(rest) {
                rest = &rest[len..];
            }
            rest.len()
        });
    });
    group.finish();
}

criterion_group!(benches, decoding, encoding);
criterion_main!(benches);
