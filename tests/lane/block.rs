//! Transactions: a block of commands that is written, answered and lost as one.

use oxidis::error::Applied;

use crate::scene::Scene;
use crate::support::Wire;

async fn expect_block(wire: &mut Wire, commands: &[&str]) {
    for command in [&["MULTI"], commands, &["EXEC"]].concat() {
        wire.expect(command).await;
    }
}

#[tokio::test]
async fn a_block_goes_out_whole_and_ends_with_the_last_of_its_replies() {
    let (mut scene, mut wire) = Scene::connected().await;
    let before = scene.send(&["INCR a"]);
    let id = scene.send_block(0, &["INCR b", "INCR c"]);
    let after = scene.send(&["INCR d"]);
    wire.expect("INCR a").await;
    expect_block(&mut wire, &["INCR b", "INCR c"]).await;
    wire.expect("INCR d").await;
    wire.say("+a\r\n+OK\r\n+QUEUED\r\n").await;
    assert_eq!(scene.caller.reply(before).await, "a");
    assert!(!scene.caller.has_ended(id));
    wire.say("+QUEUED\r\n+done\r\n+d\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "done");
    assert_eq!(scene.caller.reply(after).await, "d");
    assert_eq!(scene.metrics.tombstones.get(), 0, "no reply came too late");
}

#[tokio::test]
async fn the_errors_within_a_block_come_before_its_end() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send_block(0, &["NOPE", "INCR b"]);
    expect_block(&mut wire, &["NOPE", "INCR b"]).await;
    wire.say("+OK\r\n-ERR nope\r\n+QUEUED\r\n-EXECABORT no\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "EXECABORT no");
    assert_eq!(scene.caller.parts, [(id, 1, "ERR nope".to_owned())]);
}

#[tokio::test]
async fn a_block_cut_before_its_end_is_written_again_whole() {
    let (mut scene, wire) = Scene::connected().await;
    let large = format!("SET k {}", "x".repeat(32 << 20));
    let id = scene.send_block(0, &["INCR a", &large, "INCR b"]);
    let after = scene.send(&["INCR c"]);
    scene.in_flight(1).await;
    wire.reset();
    let mut wire = scene.server.accept().await;
    expect_block(&mut wire, &["INCR a", &large, "INCR b"]).await;
    wire.expect("INCR c").await;
    wire.say("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+done\r\n+c\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "done");
    assert_eq!(scene.caller.reply(after).await, "c");
    assert_eq!(scene.metrics.retries.get(), 1);
}

/// The server may have run it.
#[tokio::test]
async fn a_block_lost_after_its_end_is_never_written_again() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send_block(0, &["INCR a"]);
    expect_block(&mut wire, &["INCR a"]).await;
    wire.say("+OK\r\n+QUEUED\r\n").await;
    wire.reset();
    scene.fail([id], "CONNECTION_LOST", Applied::Unknown).await;
    let after = scene.send(&["GET a"]);
    let mut wire = scene.server.accept().await;
    wire.expect("GET a").await;
    wire.say("+1\r\n").await;
    assert_eq!(scene.caller.reply(after).await, "1");
}

#[tokio::test]
async fn the_replies_to_a_block_past_its_deadline_are_thrown_away() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send_block(30, &["NOPE"]);
    let after = scene.send(&["INCR b"]);
    expect_block(&mut wire, &["NOPE"]).await;
    scene.fail([id], "TIMEOUT", Applied::Unknown).await;
    wire.say("+OK\r\n-ERR nope\r\n-EXECABORT no\r\n+b\r\n").await;
    assert_eq!(scene.caller.reply(after).await, "b");
    assert_eq!(scene.caller.parts, []);
    assert_eq!(scene.metrics.tombstones.get(), 1);
}

#[tokio::test]
async fn a_block_that_waits_for_a_connection_past_its_deadline_was_not_run() {
    let mut scene = Scene::new().await;
    let id = scene.send_block(30, &["INCR a"]);
    scene.fail([id], "TIMEOUT", Applied::No).await;
}

#[tokio::test]
async fn an_answer_to_a_part_that_was_not_written_ends_the_connection() {
    let (mut scene, mut wire) = Scene::connected().await;
    let large = format!("SET k {}", "x".repeat(32 << 20));
    let id = scene.send_block(0, &[&large]);
    scene.in_flight(1).await;
    wire.say("+OK\r\n-ERR too large\r\n").await;
    // Its end was not written, so the block did not run and may be written again.
    let mut wire = scene.server.accept().await;
    expect_block(&mut wire, &[&large]).await;
    wire.say("+OK\r\n+QUEUED\r\n+done\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "done");
}
