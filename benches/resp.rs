//! What codec and command table cost for each reply and each command:
//! `cargo bench --no-default-features --bench resp`.
//!
//! Criterion's `elem/s` counts replies or commands; in `elements of one array` it counts elements.
//! Times vary from run to run; instructions.rs counts what does not.

mod cases;

use criterion::{criterion_group, criterion_main, Criterion, Throughput};

fn all(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec");
    group.throughput(Throughput::Elements(cases::COUNT as u64));
    for mut case in cases::all() {
        group.bench_function(case.name, |bencher| bencher.iter(|| (case.step)()));
    }
    group.finish();
}

criterion_group!(benches, all);
criterion_main!(benches);
