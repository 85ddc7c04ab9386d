//! How a connection ends, and what that means for the commands on it.

use std::time::Duration;

use oxidis::error::{Applied, Error};
use oxidis::options::Reconnect;
use oxidis::outbox::Event;
use tokio::time::Instant;

use crate::scene::Scene;
use crate::support::ms;

/// A write may have been run, so its caller has to decide; a read is repeated.
#[tokio::test]
async fn a_reset_before_any_reply_rejects_what_may_have_been_run() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a", "GET b", "INCR c"]);
    for command in ["INCR a", "GET b", "INCR c"] {
        wire.expect(command).await;
    }
    wire.reset();
    scene.fail([id, id + 2], "CONNECTION_LOST", Applied::Unknown).await;
    assert!(scene.caller.failure(id).await.is_retryable());
    let mut wire = scene.server.accept().await;
    wire.expect("GET b").await;
    wire.say("+b\r\n").await;
    assert_eq!(scene.caller.reply(id + 1).await, "b", "a read is asked again");
    assert_eq!(scene.metrics.retries.get(), 1);
    assert_eq!(scene.metrics.lost.get(), 1);
}

#[tokio::test]
async fn what_was_never_written_moves_to_the_next_connection() {
    let (mut scene, wire) = Scene::connected().await;
    let large = format!("SET k {}", "x".repeat(32 << 20));
    let id = scene.send(&[&large]);
    let queued = scene.send(&["INCR a", "INCR b"]);
    scene.in_flight(1).await;
    wire.reset();
    scene.fail([id], "CONNECTION_LOST", Applied::Unknown).await;
    let mut wire = scene.server.accept().await;
    wire.expect("INCR a").await;
    wire.expect("INCR b").await;
    wire.say("+1\r\n+2\r\n").await;
    assert_eq!(scene.caller.reply(queued).await, "1");
    assert_eq!(scene.caller.reply(queued + 1).await, "2");
}

/// Each reply that came whole goes to its own caller.
#[tokio::test]
async fn a_reset_within_the_third_of_ten_replies_shifts_nothing() {
    let (mut scene, mut wire) = Scene::connected().await;
    let commands: Vec<_> = (1..=10).map(|n| format!("INCR k{n}")).collect();
    let commands: Vec<_> = commands.iter().map(String::as_str).collect();
    scene.send(&commands);
    for command in commands {
        wire.expect(command).await;
    }
    wire.say("+k1\r\n+k2\r\n$10\r\nk3k3").await;
    assert_eq!(scene.caller.reply(2).await, "k2");
    wire.reset();
    assert_eq!(scene.caller.reply(1).await, "k1");
    scene.fail(3..=10, "CONNECTION_LOST", Applied::Unknown).await;
}

#[tokio::test]
async fn a_close_while_idle_is_replaced_without_an_error_for_anybody() {
    let (mut scene, wire) = Scene::connected().await;
    drop(wire);
    let wire = scene.server.accept().await;
    scene.caller.ready().await;
    let id = scene.send(&["INCR a"]);
    tokio::spawn(wire.echo());
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.metrics.retries.get(), 0);
}

#[tokio::test]
async fn a_close_between_replies_rejects_the_rest() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a", "INCR b"]);
    wire.expect("INCR a").await;
    wire.expect("INCR b").await;
    wire.say("+a\r\n").await;
    drop(wire);
    assert_eq!(scene.caller.reply(id).await, "a");
    scene.fail([id + 1], "CONNECTION_LOST", Applied::Unknown).await;
    let error = scene.caller.failure(id + 1).await;
    assert_eq!(error.cause().map(Error::code), Some("UNEXPECTED_EOF"));
    assert!(!error.cause().unwrap().message().contains("middle"));
}

#[tokio::test]
async fn a_close_in_the_middle_of_a_reply_is_told_as_such() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a"]);
    wire.expect("INCR a").await;
    wire.say("$10\r\nhalf").await;
    drop(wire);
    let error = scene.caller.failure(id).await;
    let cause = error.cause().unwrap();
    assert_eq!(cause.code(), "UNEXPECTED_EOF");
    assert!(cause.message().contains("in the middle of a reply"), "{cause}");
}

#[tokio::test]
async fn a_failed_write_does_not_cost_the_replies_that_came_before_it() {
    let (mut scene, mut wire) = Scene::connected().await;
    let first = scene.send(&["INCR a"]);
    wire.expect("INCR a").await;
    // No other task runs from here to the write, so the reply lies unread in the socket.
    wire.say_now("+a\r\n");
    wire.reset();
    let second = scene.send(&["INCR b"]);
    assert_eq!(scene.caller.reply(first).await, "a");
    // A write that fails has written nothing, so the command goes to the next connection.
    tokio::spawn(scene.server.accept().await.echo());
    assert_eq!(scene.caller.reply(second).await, "b");
}

#[tokio::test]
async fn a_read_is_asked_three_times_at_most() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["GET a"]);
    for _ in 0..2 {
        wire.expect("GET a").await;
        wire.reset();
        wire = scene.server.accept().await;
    }
    wire.expect("GET a").await;
    wire.reset();
    scene.fail([id], "CONNECTION_LOST", Applied::Unknown).await;
    assert_eq!(scene.metrics.retries.get(), 2);
}

/// The first reconnect is at once; those after it wait longer and longer, up to 2 s.
#[tokio::test]
async fn a_server_that_hangs_up_on_everybody_is_not_stormed() {
    let (scene, wire) = Scene::connected().await;
    drop(wire);
    let started = Instant::now();
    for _ in 0..8 {
        drop(scene.server.accept().await);
    }
    // Six random delays below 50, 100 ... 1,600 ms: one sum in ten million is less than 50 ms.
    assert!(started.elapsed() > Duration::from_millis(50), "{:?}", started.elapsed());
}

#[tokio::test]
async fn commands_end_at_their_deadline_while_there_is_no_connection() {
    let mut scene = Scene::new().await;
    let patient = scene.send(&["INCR a"]);
    let wire = scene.server.accept_raw().await;
    let id = scene.send_within(30, &["INCR b"]);
    scene.fail([id], "TIMEOUT", Applied::No).await;
    let stats = scene.lane.stats();
    assert_eq!((stats.queued, stats.in_flight, stats.connected), (1, 0, false));
    drop(wire);
    // A timeout names the failed connection attempt before it as its cause.
    assert_eq!(scene.caller.error().await, "HANDSHAKE");
    let id = scene.send_within(30, &["INCR c"]);
    let error = scene.caller.failure(id).await;
    assert_eq!(error.cause().map(Error::code), Some("HANDSHAKE"));
    assert!(!scene.caller.has_ended(patient));
}

/// A process that was stopped, as a function between two calls, learns late that the server has
/// closed the connection. Nothing is lost if it looks before it writes.
#[tokio::test]
async fn a_write_after_a_pause_does_not_go_to_a_connection_that_was_closed_meanwhile() {
    for is_reset in [false, true] {
        let (mut scene, mut wire) = Scene::connected().await;
        let first = scene.send(&["GET a"]);
        wire.expect("GET a").await;
        wire.say("+a\r\n").await;
        assert_eq!(scene.caller.reply(first).await, "a");
        match is_reset {
            true => wire.reset(),
            false => drop(wire),
        }
        // Nothing of this process runs, neither the driver nor the caller.
        std::thread::sleep(ms(150));
        let id = scene.send(&["INCR n"]);
        let mut wire = scene.server.accept().await;
        wire.expect("INCR n").await;
        wire.say("+1\r\n").await;
        assert_eq!(scene.caller.reply(id).await, "1");
    }
}

/// What has come during the pause is no goodbye, so the connection goes on; until a goodbye stands
/// behind it, which only a lane that reads before it writes can see.
#[tokio::test]
async fn a_write_after_a_pause_waits_for_what_has_come_meanwhile_and_no_longer() {
    let (mut scene, mut wire) = Scene::connected().await;
    for round in 0..3 {
        wire.say_now(">2\r\n+invalidate\r\n_\r\n");
        std::thread::sleep(ms(150));
        let id = scene.send(&["INCR n"]);
        wire.expect("INCR n").await;
        wire.say(&format!("+{round}\r\n")).await;
        assert_eq!(scene.caller.reply(id).await, round.to_string());
    }
    assert_eq!(scene.metrics.lost.get(), 0);
    wire.say_now(">2\r\n+invalidate\r\n_\r\n");
    drop(wire);
    std::thread::sleep(ms(150));
    let id = scene.send(&["INCR n"]);
    let mut wire = scene.server.accept().await;
    wire.expect("INCR n").await;
    wire.say("+4\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "4");
}

/// A caller who makes a new client for each connection must not write to another one by accident.
#[tokio::test]
async fn a_lane_of_one_connection_takes_nothing_after_its_loss() {
    let mut scene = Scene::with(|options| options.reconnect = Reconnect::Once).await;
    let mut wire = scene.connect().await;
    let id = scene.send(&["INCR a", "GET b"]);
    wire.expect("INCR a").await;
    wire.expect("GET b").await;
    wire.reset();
    assert_eq!(scene.caller.failure(id).await.applied(), Some(Applied::Unknown));
    // The read was to be written again, which is the caller's choice now.
    assert_eq!(scene.caller.failure(id + 1).await.applied(), Some(Applied::No));
    let stopped = |event: &Event| matches!(event, Event::Stopped(_)).then_some(());
    scene.caller.event(stopped).await;
    let error = scene.try_send(0, &["SET k v"]).unwrap_err();
    assert_eq!(error.code(), "SESSION_LOST");
    assert!(scene.server.has_no_other().await, "it has connected again");
}

/// What it gives back is the server's answer, as over a connection of the caller's own.
#[tokio::test]
async fn a_lane_of_one_connection_hands_refusals_on() {
    let mut scene = Scene::with(|options| options.reconnect = Reconnect::Once).await;
    let mut wire = scene.connect().await;
    let id = scene.send(&["GET a", "SET a v"]);
    wire.expect("GET a").await;
    wire.expect("SET a v").await;
    wire.say("-LOADING not yet\r\n-READONLY a replica\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "LOADING not yet");
    assert_eq!(scene.caller.reply(id + 1).await, "READONLY a replica");
    // The server is not the one that the name stands for: the caller looks for another one.
    let stopped = |event: &Event| matches!(event, Event::Stopped(_)).then_some(());
    scene.caller.event(stopped).await;
    assert!(scene.server.has_no_other().await, "it has connected again");
}
