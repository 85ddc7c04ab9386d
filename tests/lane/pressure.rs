//! More than one side takes: a server that does not read, a caller that does not take its replies,
//! a server that never stops sending.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use oxidis::error::Applied;
use oxidis::options::Endpoint;

use crate::scene::Scene;
use crate::support::patiently;

const MIB: usize = 1 << 20;

/// Commands wait in the queue, callers return at once, and deadlines pass.
#[tokio::test]
async fn a_server_that_does_not_read_holds_up_nobody_but_the_queue() {
    let (mut scene, wire) = Scene::connected().await;
    let large = format!("SET {} v", "x".repeat(MIB));
    for _ in 0..40 {
        // It has to return at once, since only this thread could empty the socket.
        scene.send(&[&large]);
    }
    let late = scene.send_within(30, &["SET late 1"]);
    scene.fail([late], "TIMEOUT", Applied::No).await;
    assert!(scene.lane.stats().bytes > 40 * MIB);
    let last = scene.send(&["SET last last"]);
    let echo = tokio::spawn(wire.echo());
    assert_eq!(scene.caller.reply(last).await, "last");
    scene.lane.close(&oxidis::error::Error::connection("TEST", "the test is over"));
    assert_eq!(echo.await.unwrap().len(), 41, "what had expired was never written");
}

#[tokio::test]
async fn a_caller_that_takes_nothing_stops_the_reading() {
    const REPLIES: usize = 100;
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["GET k"; REPLIES]);
    let server = tokio::spawn(async move {
        let reply = format!("${MIB}\r\n{}\r\n", "x".repeat(MIB));
        for _ in 0..REPLIES {
            wire.expect("GET k").await;
            wire.say(&reply).await;
        }
        wire
    });
    while !scene.caller.outbox.is_full() {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let bytes = scene.metrics.bytes_in.get() as usize;
    assert!(bytes < 80 * MIB, "{bytes} bytes were read for a caller that takes none");
    // Taking replies makes room for the rest.
    for id in id..id + REPLIES as u32 {
        assert_eq!(scene.caller.reply(id).await.len(), MIB);
    }
    let _open = server.await.unwrap();
    assert_eq!(scene.metrics.lost.get(), 0);
}

/// Bytes are counted, not time: how many are taken before another task of the thread gets its turn.
#[tokio::test]
async fn a_large_reply_leaves_turns_to_other_connections() {
    // Strings of a kilobyte spend the bytes of a turn, nulls spend its values. One more read, of
    // 256 KiB, may end beyond.
    let strings = format!("$1000\r\n{}\r\n", "x".repeat(1000));
    for (element, turn) in [(strings, MIB), ("_\r\n".to_owned(), (64 << 10) * "_\r\n".len())] {
        let count = 16 * MIB / element.len();
        let reply = format!("*{count}\r\n{}", element.repeat(count));
        // The server has a thread of its own, so that the socket is never empty for long.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut heard = [0; 64];
            let _ = socket.read(&mut heard).unwrap();
            socket.write_all(b"%1\r\n+proto\r\n:3\r\n").unwrap();
            let _ = socket.read(&mut heard).unwrap();
            socket.write_all(reply.as_bytes()).unwrap();
            // Open until the client has read everything.
            let _ = socket.read(&mut heard);
        });
        let mut scene =
            Scene::with(|options| options.endpoint = Endpoint::tcp("127.0.0.1", port)).await;
        let id = scene.send(&["LRANGE k 0 -1"]);
        let (mut before, mut most) = (0, 0);
        loop {
            let has_ended = scene.caller.has_ended(id);
            let read = scene.metrics.bytes_in.get() as usize;
            most = most.max(read - before);
            before = read;
            if has_ended {
                break;
            }
            // The server fills the socket meanwhile. The kernel enlarges it for a reader that empties
            // it each time, so one turn could take more and more.
            std::thread::sleep(std::time::Duration::from_millis(3));
            tokio::task::yield_now().await;
        }
        assert!(most <= turn + (256 << 10), "{most} bytes of {element:.3} in one turn");
        scene.lane.close(&oxidis::error::Error::connection("TEST", "the test is over"));
        let joined = tokio::task::spawn_blocking(move || server.join());
        patiently("the server's end", joined).await.unwrap().unwrap();
    }
}

/// A deadline may be late by 100 ms, whatever the server sends.
#[tokio::test]
async fn a_server_that_never_stops_talking_does_not_stop_the_clock() {
    // The server has a thread of its own, so that it does not take turns with the lane.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut heard = [0; 64];
        let _ = socket.read(&mut heard).unwrap();
        socket.write_all(b"%1\r\n+proto\r\n:3\r\n").unwrap();
        let _ = socket.read(&mut heard).unwrap();
        let noise = ">1\r\n+noise\r\n".repeat(1000);
        while !stop.load(Ordering::Acquire) && socket.write_all(noise.as_bytes()).is_ok() {}
    });
    let mut scene =
        Scene::with(|options| options.endpoint = Endpoint::tcp("127.0.0.1", port)).await;
    scene.lane.connect();
    scene.caller.ready().await;
    let id = scene.send_within(50, &["INCR a"]);
    scene.fail([id], "TIMEOUT", Applied::Unknown).await;
    over.store(true, Ordering::Release);
    scene.lane.close(&oxidis::error::Error::connection("TEST", "the test is over"));
    // Waiting must not block this thread, on which the driver runs too: the server may be stuck in
    // a write until the driver has dropped the socket.
    let joined = tokio::task::spawn_blocking(move || server.join());
    patiently("the server's end", joined).await.unwrap().unwrap();
}
