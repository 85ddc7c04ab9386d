//! Commands that the server refuses without running them.

use oxidis::error::Applied;

use crate::scene::Scene;
use crate::support::Server;

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

/// The refused write cannot be written again behind the read, but a connection that stays would
/// refuse every later write as well.
#[tokio::test]
async fn a_read_only_server_is_left_also_if_reads_are_in_flight_behind_the_write() {
    let (mut scene, mut wire) = Scene::connected().await;
    for round in 0..3 {
        let id = scene.send(&["SET a 1", "GET b"]);
        wire.expect("SET a 1").await;
        wire.expect("GET b").await;
        wire.say(READONLY).await;
        scene.refused(round + 1).await;
        let queued = scene.send(&["SET c 3"]);
        wire.say("+b\r\n").await;
        scene.fail([id], "READONLY", Applied::No).await;
        assert_eq!(scene.caller.reply(id + 1).await, "b");
        wire.expect_end().await;
        wire = scene.server.accept().await;
        wire.expect("SET c 3").await;
        wire.say("+c\r\n").await;
        assert_eq!(scene.caller.reply(queued).await, "c");
    }
}

#[tokio::test]
async fn a_lost_login_is_mended_also_if_the_refused_command_was_overtaken() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["SET a 1", "PING"]);
    wire.expect("SET a 1").await;
    wire.expect("PING").await;
    wire.say("-NOAUTH Authentication required.\r\n+PONG\r\n").await;
    scene.fail([id], "NOAUTH", Applied::No).await;
    assert_eq!(scene.caller.reply(id + 1).await, "PONG");
    wire.expect_end().await;
    scene.server.accept().await;
}

/// Nobody waits for the refused command any more, so it is not written again.
#[tokio::test]
async fn a_read_only_server_is_left_also_if_the_callers_have_gone() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["SET a 1", "GET b"]);
    wire.expect("SET a 1").await;
    wire.expect("GET b").await;
    for id in [id, id + 1] {
        assert_eq!(scene.lane.cancel(0, id), Some(Applied::Unknown));
    }
    wire.say(READONLY).await;
    wire.say("+b\r\n").await;
    wire.expect_end().await;
    let mut wire = scene.server.accept().await;
    let id = scene.send(&["SET c 3"]);
    wire.expect("SET c 3").await;
    wire.say("+c\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "c");
}

/// A script may have written before, so it is not run again; a later one finds the new primary.
#[tokio::test]
async fn a_read_only_server_is_left_whoever_quotes_it() {
    let quotes = [
        "-EXECABORT Transaction discarded because of: READONLY You can't write\r\n",
        "-ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write\r\n",
    ];
    let (mut scene, mut wire) = Scene::connected().await;
    for quote in quotes {
        let id = scene.send(&["EVAL s 0"]);
        wire.expect("EVAL s 0").await;
        wire.say(quote).await;
        assert_eq!(format!("-{}\r\n", scene.caller.reply(id).await), quote);
        wire.expect_end().await;
        wire = scene.server.accept().await;
    }
}

/// This lane only reads, so that nothing but another connection tells it of the demotion.
#[tokio::test]
async fn a_connection_from_before_a_demotion_is_replaced_without_a_failure() {
    let (mut scene, mut wire) = Scene::connected().await;
    let (first, second) = (scene.send(&["GET a"]), scene.send(&["GET b"]));
    wire.expect("GET a").await;
    wire.expect("GET b").await;
    scene.pool.suspect(scene.pool.generation());
    let mut next = scene.server.accept().await;
    wire.say("+a\r\n+b\r\n").await;
    wire.expect_end().await;
    let third = scene.send(&["GET c"]);
    next.expect("GET c").await;
    next.say("+c\r\n").await;
    for (id, reply) in [(first, "a"), (second, "b"), (third, "c")] {
        assert_eq!(scene.caller.reply(id).await, reply);
    }
    assert_eq!(scene.metrics.lost.get(), 0);
}

/// The server at the first address of a name may load its data for long, or for ever.
#[tokio::test]
async fn a_server_that_loads_for_long_is_left_for_another_address_of_the_name() {
    let mut scene = Scene::new().await;
    let other = Server::start().await;
    let addresses = vec![scene.server.address(), other.address()];
    scene.pool.set_lookup(move || addresses.clone());
    let mut wire = scene.connect().await;
    let id = scene.send(&["SET a 1"]);
    let loading = tokio::spawn(async move {
        let mut refusals = 0;
        while wire.hear().await.is_some() {
            wire.say(LOADING).await;
            refusals += 1;
        }
        refusals
    });
    let mut wire = other.accept().await;
    wire.expect("SET a 1").await;
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert!(loading.await.unwrap() > 3, "it had its chance");
}

#[tokio::test]
async fn a_read_only_server_is_left_for_another_address_of_the_name() {
    let mut scene = Scene::new().await;
    let other = Server::start().await;
    let addresses = vec![scene.server.address(), other.address()];
    scene.pool.set_lookup(move || addresses.clone());
    let mut wire = scene.connect().await;
    let id = scene.send(&["SET a 1"]);
    wire.expect("SET a 1").await;
    wire.say(READONLY).await;
    let mut wire = other.accept().await;
    wire.expect("SET a 1").await;
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
}
