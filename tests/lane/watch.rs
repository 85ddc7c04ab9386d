//! Stands in for the caller's thread: waits until a detached stream is ready, and serves it.
//!
//! An event loop is told as long as a socket is ready (level-triggered), tokio only when it becomes
//! ready (edge-triggered). So the stream is registered anew for each wait.

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
                // The lane may want to wait for something else by now.
                () = tokio::time::sleep(TURN) => continue,
            }
            lane.serve(&stream);
        }
    }
}

/// A turn of an event loop in which nothing happens.
const TURN: Duration = Duration::from_millis(1);
