//! Commands that the server refuses without running them.

use oxidis::error::Applied;

use crate::scene::Scene;

const LOADING: &str = "-LOADING Redis is loading the dataset in memory\r\n";
const READONLY: &str = "-READONLY You can't write against a read only replica.\r\n";

#[tokio::test]
async fn a_loading_server_is_asked_again_in_the_same_order() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["SET a 1", "SET b 2"]);
    wire.expect("SET a 1").await;
    wire.expect("SET b 2").await;
    wire.say(LOADING).await;
    scene.refused(1).await;
    let third = scene.send(&["SET c 3"]);
    for _ in 0..2 {
        wire.say(LOADING).await;
        for command in ["SET a 1", "SET b 2", "SET c 3"] {
            wire.expect(command).await;
        }
        wire.say(&LOADING.repeat(2)).await;
    }
    wire.say(LOADING).await;
    for command in ["SET a 1", "SET b 2", "SET c 3"] {
        wire.expect(command).await;
    }
    wire.say("+a\r\n+b\r\n+c\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.caller.reply(id + 1).await, "b");
    assert_eq!(scene.caller.reply(third).await, "c");
    assert_eq!(scene.metrics.lost.get(), 0, "the connection is kept");
}

#[tokio::test]
async fn a_server_that_loads_for_too_long_is_the_error_of_the_deadline() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send_within(300, &["SET a 1"]);
    tokio::spawn(async move {
        while wire.hear().await.is_some() {
            wire.say(LOADING).await;
        }
    });
    let error = scene.caller.failure(id).await;
    assert!(["LOADING", "TIMEOUT"].contains(&error.code()), "{error:?}");
    if error.code() == "LOADING" {
        assert_eq!(error.applied(), Some(Applied::No));
    }
}

#[tokio::test]
async fn a_refused_command_that_was_overtaken_is_rejected() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["MSET a 1 b 2", "SET c 3"]);
    wire.expect("MSET a 1 b 2").await;
    wire.expect("SET c 3").await;
    wire.say("-TRYAGAIN Multiple keys request during rehashing of slot\r\n").await;
    scene.refused(1).await;
    let queued = scene.send(&["SET d 4"]);
    wire.say("+c\r\n").await;
    scene.fail([id], "TRYAGAIN", Applied::No).await;
    assert_eq!(scene.caller.reply(id + 1).await, "c");
    wire.expect("SET d 4").await;
    wire.say("+d\r\n").await;
    assert_eq!(scene.caller.reply(queued).await, "d");
}

/// The host name may lead to the new primary by then.
#[tokio::test]
async fn a_read_only_server_is_left_for_what_the_name_means_now() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["SET a 1", "SET b 2"]);
    wire.expect("SET a 1").await;
    wire.expect("SET b 2").await;
    wire.say(&READONLY.repeat(2)).await;
    wire.expect_end().await;
    let mut wire = scene.server.accept().await;
    wire.expect("SET a 1").await;
    wire.expect("SET b 2").await;
    wire.say("+a\r\n+b\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.caller.reply(id + 1).await, "b");
}

#[tokio::test]
async fn a_server_that_stays_read_only_is_told_after_two_more_tries() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["SET a 1"]);
    for _ in 0..2 {
        wire.expect("SET a 1").await;
        wire.say(READONLY).await;
        wire.expect_end().await;
        wire = scene.server.accept().await;
    }
    wire.expect("SET a 1").await;
    wire.say(READONLY).await;
    assert!(scene.caller.reply(id).await.starts_with("READONLY"));
}
