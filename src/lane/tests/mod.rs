//! What a lane's queue does: rule by rule, and compared with a simple model under random histories.
//!
//! The queue sees nothing of a command but its length, so the commands here are short texts:
//! `R7...` may be repeated, `W8...` may not. Only blocks are RESP, since the queue counts their
//! parts.

mod blocks;
mod histories;
mod model;
mod programs;
mod rules;
mod watches;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::Batch;
use super::command::Command;
use super::outcome::{Ended, Matched};
use super::queue::Queue;
use crate::error::{Applied, Error};
use crate::resp::encode;

/// A batch of `texts`, with ids from `first` on and one deadline for all (0: none).
fn batch(first: u32, texts: &[&str], timeout: u32, now: Instant) -> Batch {
    let rows = (first..).zip(texts).map(|(id, text)| command(id, text.len(), timeout));
    Batch::new(Bytes::from(texts.concat()), rows.collect(), now)
}

fn command(id: u32, len: usize, timeout: u32) -> Command {
    Command { id, len: len as u32, mode: 0, timeout }
}

/// A transaction of commands without arguments, and where each of its parts ends.
fn block(names: &[&str]) -> (String, Vec<usize>) {
    let mut text = Vec::new();
    let mut ends = Vec::new();
    for name in [&["MULTI"], names, &["EXEC"]].concat() {
        encode::command(&mut text, &[name.as_bytes()]);
        ends.push(text.len());
    }
    (String::from_utf8(text).unwrap(), ends)
}

fn is_repeatable(encoded: &[u8]) -> bool {
    encoded.starts_with(b"R")
}

/// Writes up to `limit` bytes; returns what went out.
fn write(queue: &mut Queue, limit: usize, now: Instant) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(bytes) = queue.unwritten() {
        let taken = bytes.len().min(limit - out.len());
        if taken == 0 {
            break;
        }
        out.extend_from_slice(&bytes[..taken]);
        queue.wrote(taken, now);
    }
    out
}

fn write_all(queue: &mut Queue, now: Instant) -> String {
    String::from_utf8(write(queue, usize::MAX, now)).unwrap()
}

/// A reply that is no refusal.
fn reply(queue: &mut Queue) -> Matched {
    queue.answer(None).expect("no reply is due")
}

fn refuse(queue: &mut Queue, text: &str) -> Matched {
    queue.answer(Some(text.as_bytes())).expect("no reply is due")
}

/// The id of each, and whether it was applied.
fn ids(ended: &[Ended]) -> Vec<(u32, Applied)> {
    ended.iter().map(|ended| (ended.id, ended.applied)).collect()
}

/// The id of each, and the code of its refusal.
fn codes(ended: &[Ended]) -> Vec<(u32, &str)> {
    ended.iter().map(|ended| (ended.id, ended.refusal.as_ref().unwrap().code())).collect()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READONLY: &str = "READONLY You can't write against a read only replica.";
