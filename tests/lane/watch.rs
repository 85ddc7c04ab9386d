//! The caller's thread, as far as a lane needs one: it waits for what a detached stream waits for.
//!
//! An event loop watches levels, tokio watches edges; so each look registers the stream anew.

use std::time::Duration;

use oxidis::lane::{Lane, Wait};

/// Attends to the detached streams of `lane`, one after the other.
pub async fn attend(lane: Lane) {
    loop {
        tokio::time::sleep(TURN).await;
        let Some(stream) = lane.detached() else { continue };
        loop {
            let waits_for_room = match lane.wait(&stream) {
                Wait::Readable => false,
                Wait::ReadableOrWritable => true,
                Wait::Paused => {
                    tokio::time::sleep(TURN).await;
                    continue;
                }
                Wait::Over => break,
            };
            let watched = stream.attended().unwrap().unwrap();
            tokio::select! {
                _ = watched.readable() => {}
                _ = watched.writable(), if waits_for_room => {}
                // What is waited for may have changed.
                () = tokio::time::sleep(TURN) => continue,
            }
            lane.serve(&stream);
        }
    }
}

/// A turn of an event loop in which nothing happens.
const TURN: Duration = Duration::from_millis(1);
