//! The caller's thread, as far as a lane needs one: it waits for what a detached stream waits for.
//!
//! An event loop watches levels, tokio watches edges; so each look registers the descriptor anew.

use std::time::Duration;

use oxidis::lane::{Lane, Wait};
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

/// Attends to the detached streams of `lane`, one after the other.
pub async fn attend(lane: Lane) {
    loop {
        let Some(stream) = lane.detached() else {
            tokio::time::sleep(TURN).await;
            continue;
        };
        loop {
            let interest = match lane.wait(&stream) {
                Wait::Readable => Some(Interest::READABLE),
                Wait::ReadableOrWritable => Some(Interest::READABLE | Interest::WRITABLE),
                Wait::Paused => None,
                Wait::Over => break,
            };
            let (Some(interest), Some(descriptor)) = (interest, stream.descriptor()) else {
                tokio::time::sleep(TURN).await;
                continue;
            };
            let watched = AsyncFd::with_interest(descriptor, interest).unwrap();
            tokio::select! {
                _ = watched.ready(interest) => {
                    lane.serve(&stream);
                }
                // What is waited for may have changed.
                () = tokio::time::sleep(TURN) => {}
            }
        }
    }
}

/// A turn of an event loop in which nothing happens.
const TURN: Duration = Duration::from_millis(1);
