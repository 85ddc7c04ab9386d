//! Which command a reply belongs to, and what else a server may send.

use oxidis::error::{Applied, ErrorClass};

use crate::scene::Scene;

#[tokio::test]
async fn replies_cut_anywhere_reach_their_callers_in_order() {
    let (mut scene, mut wire) = Scene::connected().await;
    scene.send(&["GET a", "GET b", "GET c"]);
    for command in ["GET a", "GET b", "GET c"] {
        wire.expect(command).await;
    }
    for byte in "$1\r\na\r\n+b\r\n$1\r\nc\r\n".chars() {
        wire.say(&byte.to_string()).await;
        tokio::task::yield_now().await;
    }
    let replies: Vec<_> = scene.all().await.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, ["a", "b", "c"]);
    assert_eq!(scene.caller.order, [1, 2, 3]);
    let stats = scene.lane.stats();
    assert_eq!((stats.queued, stats.in_flight, stats.bytes), (0, 0, 0));
}

#[tokio::test]
async fn a_late_reply_goes_to_nobody_and_the_neighbours_get_their_own() {
    let (mut scene, mut wire) = Scene::connected().await;
    let before = scene.send(&["GET before"]);
    let late = scene.send_within(30, &["GET late"]);
    let after = scene.send(&["GET after"]);
    for command in ["GET before", "GET late", "GET after"] {
        wire.expect(command).await;
    }
    scene.fail([late], "TIMEOUT", Applied::Unknown).await;
    assert!(!scene.caller.has_ended(before) && !scene.caller.has_ended(after));
    wire.say("+before\r\n+late\r\n+after\r\n").await;
    assert_eq!(scene.caller.reply(before).await, "before");
    assert_eq!(scene.caller.reply(after).await, "after");
    assert_eq!((scene.metrics.timeouts.get(), scene.metrics.tombstones.get()), (1, 1));
    assert_eq!(scene.metrics.lost.get(), 0);
}

#[tokio::test]
async fn a_caller_can_leave_at_any_time() {
    let mut scene = Scene::new().await;
    let early = scene.send(&["SET early 1", "SET kept 1"]);
    assert_eq!(scene.lane.cancel(0, early), Some(Applied::No));
    let mut wire = scene.server.accept().await;
    wire.expect("SET kept 1").await;
    let late = scene.send(&["SET late 1", "GET next"]);
    wire.expect("SET late 1").await;
    assert_eq!(scene.lane.cancel(0, late), Some(Applied::Unknown));
    wire.say("+kept\r\n+late\r\n+next\r\n").await;
    assert_eq!(scene.caller.reply(early + 1).await, "kept");
    assert_eq!(scene.caller.reply(late + 1).await, "next");
    assert_eq!(scene.lane.cancel(0, late + 1), None, "its reply is there");
    assert!(!scene.caller.has_ended(early) && !scene.caller.has_ended(late));
}

#[tokio::test]
async fn pushes_take_no_replys_place() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["GET a", "GET b"]);
    wire.expect("GET a").await;
    wire.say(">2\r\n+message\r\n+x\r\n+a\r\n>1\r\n+unknown\r\n+b\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.caller.reply(id + 1).await, "b");
    assert_eq!(scene.metrics.pushes_ignored.get(), 2);
}

/// Later on, the reply to a command would become a part of it.
#[tokio::test]
async fn the_beginning_of_a_reply_that_nobody_asked_for_closes_an_idle_connection() {
    let mut scene = Scene::new().await;
    let mut wire = scene.connect().await;
    for beginning in ["*1\r\n", "*", "$3\r\n", "+", "%1\r\n+a\r\n", "|1\r\n"] {
        wire.say(beginning).await;
        assert_eq!(scene.caller.error().await, "PROTOCOL", "{beginning:?}");
        wire.expect_end().await;
        let id = scene.send(&["GET a"]);
        wire = scene.server.accept().await;
        wire.expect("GET a").await;
        wire.say("+a\r\n").await;
        assert_eq!(scene.caller.reply(id).await, "a");
    }
    // A push may come in parts at any time.
    for part in [">", "2\r\n+mess", "age\r\n", "+x\r\n>1\r\n"] {
        let read = scene.metrics.bytes_in.get() + part.len() as u64;
        wire.say(part).await;
        while scene.metrics.bytes_in.get() < read {
            tokio::task::yield_now().await;
        }
    }
    let id = scene.send(&["GET a"]);
    wire.expect("GET a").await;
    wire.say("+y\r\n+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.metrics.pushes_ignored.get(), 2);
}

#[tokio::test]
async fn a_connection_that_begins_with_a_part_of_a_reply_serves_nobody() {
    let mut scene = Scene::new().await;
    let id = scene.send(&["GET a"]);
    for hello in ["%1\r\n+proto\r\n:3\r\n*1\r\n", "%1\r\n+proto\r\n:3\r\n$3\r\n+a"] {
        let mut wire = scene.server.accept_raw().await;
        wire.expect("HELLO 3").await;
        wire.say(hello).await;
        wire.expect_end().await;
    }
    let mut wire = scene.server.accept().await;
    wire.expect("GET a").await;
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
}

#[tokio::test]
async fn words_that_nobody_asked_for_close_an_idle_connection() {
    let (mut scene, mut wire) = Scene::connected().await;
    wire.say("+boo\r\n").await;
    assert_eq!(scene.caller.error().await, "PROTOCOL");
    wire.expect_end().await;
    let mut wire = scene.server.accept().await;
    let id = scene.send(&["GET a"]);
    wire.expect("GET a").await;
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
}

#[tokio::test]
async fn a_reply_too_many_costs_none_of_those_before_it() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a", "INCR b"]);
    wire.expect("INCR a").await;
    wire.expect("INCR b").await;
    wire.say("+a\r\n+b\r\n+boo\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.caller.reply(id + 1).await, "b");
    assert_eq!(scene.caller.error().await, "PROTOCOL");
    wire.expect_end().await;
}

#[tokio::test]
async fn bytes_that_are_no_protocol_end_what_is_in_flight() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a", "INCR b"]);
    wire.expect("INCR a").await;
    wire.expect("INCR b").await;
    wire.say("+a\r\n\0\0\0\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    let error = scene.caller.failure(id + 1).await;
    assert_eq!((error.kind(), error.code()), (ErrorClass::Protocol, "PROTOCOL"));
    assert_eq!(error.applied(), Some(Applied::Unknown));
    wire.expect_end().await;
}

#[tokio::test]
async fn an_error_reply_to_half_a_command_reaches_its_caller() {
    let (mut scene, mut wire) = Scene::connected().await;
    // It is more than the socket's buffers hold, so it cannot be written at once.
    let large = format!("SET k {}", "x".repeat(32 << 20));
    let id = scene.send(&[&large, "GET b"]);
    scene.in_flight(1).await;
    wire.say("-ERR Protocol error: invalid bulk length\r\n").await;
    assert!(scene.caller.reply(id).await.starts_with("ERR Protocol error"));
    let mut next = scene.server.accept().await;
    next.expect("GET b").await;
    next.say("+b\r\n").await;
    assert_eq!(scene.caller.reply(id + 1).await, "b");
}
