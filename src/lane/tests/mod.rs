//! What a lane's state does, rule by rule, and against a simple model under random histories.
//!
//! The state never parses RESP, so the commands here are short texts: `R7...` may be repeated,
//! `W8...` may not.

mod model;
mod rules;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::{Batch, Command};
use super::state::{Answer, Ended, Refusal, State};
use crate::error::{Applied, Error};

/// A batch of `texts`, with ids from `first` on and one deadline for all (0: none).
fn batch(first: u32, texts: &[&str], timeout: u32, now: Instant) -> Batch {
    let rows = (first..).zip(texts).map(|(id, text)| command(id, text.len(), timeout));
    Batch::new(Bytes::from(texts.concat()), rows.collect(), now)
}

fn command(id: u32, len: usize, timeout: u32) -> Command {
    Command { id, len: len as u32, mode: 0, timeout }
}

fn is_read_only(encoded: &[u8]) -> bool {
    encoded.starts_with(b"R")
}

/// Writes up to `limit` bytes; returns what went out.
fn write(state: &mut State, limit: usize, now: Instant) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(bytes) = state.unwritten() {
        let taken = bytes.len().min(limit - out.len());
        if taken == 0 {
            break;
        }
        out.extend_from_slice(&bytes[..taken]);
        state.wrote(taken, now);
    }
    out
}

fn write_all(state: &mut State, now: Instant) -> String {
    String::from_utf8(write(state, usize::MAX, now)).unwrap()
}

/// A reply that is no refusal.
fn reply(state: &mut State) -> Answer {
    state.answer(|| None).expect("no reply is due")
}

fn refuse(state: &mut State, text: &str) -> Answer {
    state.answer(|| Refusal::read(text.as_bytes())).expect("no reply is due")
}

/// Id and `applied` of each.
fn ids(ended: &[Ended]) -> Vec<(u32, Applied)> {
    ended.iter().map(|ended| (ended.id, ended.applied)).collect()
}

fn codes(failures: &[(u32, Error)]) -> Vec<(u32, &str)> {
    failures.iter().map(|(id, error)| (*id, error.code())).collect()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READONLY: &str = "READONLY You can't write against a read only replica.";
