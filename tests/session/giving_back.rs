//! What a caller has done to the connection is undone, in one write, or the connection is closed.

use oxidis::error::Applied;
use oxidis::session::Released;

use crate::scene::Scene;
use crate::support::ms;

#[tokio::test]
async fn a_clean_session_stays_for_the_next_caller() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    assert_eq!(session.release(), Released::Clean, "nothing was done");
    for (command, reply) in [("GET k", "$-1\r\n"), ("INCR k", "-ERR no\r\n")] {
        scene.exchange(&session, &mut wire, command, reply).await;
        assert_eq!(session.release(), Released::Clean, "{command}");
    }
    assert!(session.is_fit());
    assert_eq!(scene.home.pool.stats().in_use, 1);
    session.give_back();
    scene.left().await;
    assert_eq!(scene.connections(), (1, 1));
    let session = scene.reused().await;
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
}

#[tokio::test]
async fn a_session_may_be_released_before_its_driver_has_begun() {
    let mut scene = Scene::new().await;
    let (lease, mut wire) = tokio::join!(scene.home.pool.acquire(), scene.server.accept());
    let session = oxidis::session::Session::start(scene.home.clone(), lease.unwrap());
    assert_eq!(session.release(), Released::Clean);
    session.give_back();
    scene.left().await;
    assert_eq!(scene.connections(), (1, 1));
    let session = scene.reused().await;
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
}

/// The commands that were sent with their replies, and the commands that undo them.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[("WATCH k", OK)], &["UNWATCH"]),
    (&[("MULTI", OK), ("SET k v", QUEUED)], &["DISCARD"]),
    (&[("WATCH k", OK), ("MULTI", OK), ("NONSENSE", ERROR)], &["DISCARD"]),
    (&[("SELECT 3", OK)], &["SELECT 0"]),
    (&[("SELECT 3", OK), ("WATCH k", OK)], &["UNWATCH", "SELECT 0"]),
    // A refused EXEC ends nothing, so the key may be watched still.
    (&[("WATCH k", OK), ("EXEC", ERROR)], &["MULTI", "DISCARD"]),
    (&[("MULTI", OK), ("DISCARD x", ERROR)], &["MULTI", "DISCARD"]),
    (&[("WATCH k", OK), ("UNWATCH x", ERROR)], &["MULTI", "DISCARD"]),
];
const OK: &str = "+OK\r\n";
const QUEUED: &str = "+QUEUED\r\n";
const ERROR: &str = "-ERR no\r\n";

#[tokio::test]
async fn what_was_done_is_undone_in_one_write() {
    for (done, undoing) in CASES {
        let mut scene = Scene::new().await;
        let (session, mut wire) = scene.opened().await;
        for (command, reply) in *done {
            scene.exchange(&session, &mut wire, command, reply).await;
        }
        assert_eq!(session.release(), Released::Gone, "{done:?}");
        // All commands come before any of them is answered.
        for command in *undoing {
            wire.expect(command).await;
        }
        assert_eq!(scene.home.pool.stats().in_use, 1, "{done:?}");
        wire.say(&OK.repeat(undoing.len())).await;
        scene.left().await;
        assert_eq!(scene.connections(), (1, 1), "{done:?}");
        let session = scene.reused().await;
        scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
        assert_eq!(session.release(), Released::Clean, "{done:?}");
    }
}

#[tokio::test]
async fn a_refused_cleaning_costs_the_connection() {
    for (done, undoing) in CASES {
        let mut scene = Scene::new().await;
        let (session, mut wire) = scene.opened().await;
        for (command, reply) in *done {
            scene.exchange(&session, &mut wire, command, reply).await;
        }
        assert_eq!(session.release(), Released::Gone);
        for command in *undoing {
            wire.expect(command).await;
        }
        wire.say(ERROR).await;
        wire.say(&OK.repeat(undoing.len() - 1)).await;
        wire.expect_end().await;
        scene.left().await;
        assert_eq!(scene.connections(), (0, 0), "{done:?}");
    }
}

#[tokio::test]
async fn a_whole_transaction_leaves_nothing() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    for (command, reply) in [("WATCH k", OK), ("MULTI", OK), ("GET k", QUEUED), ("EXEC", "_\r\n")] {
        scene.exchange(&session, &mut wire, command, reply).await;
    }
    assert_eq!(session.release(), Released::Clean);
    // An error of the next caller does not make the transaction before it doubtful.
    scene.exchange(&session, &mut wire, "INCR k", ERROR).await;
    assert_eq!(session.release(), Released::Clean);
}

#[tokio::test]
async fn what_cannot_be_undone_costs_the_connection() {
    for command in ["CLIENT SETNAME x", "SUBSCRIBE a", "AUTH x", "CLIENT TRACKING on", "RESET"] {
        let mut scene = Scene::new().await;
        let (session, mut wire) = scene.opened().await;
        scene.exchange(&session, &mut wire, command, OK).await;
        assert_eq!(session.release(), Released::Gone, "{command}");
        wire.expect_end().await;
        scene.left().await;
        assert_eq!(scene.connections(), (0, 0), "{command}");
    }
}

#[tokio::test]
async fn a_session_with_commands_under_way_is_kept() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let id = scene.send(&session, &["GET k"]);
    assert_eq!(session.release(), Released::Busy);
    wire.expect("GET k").await;
    wire.say("+v\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "v");
    assert_eq!(session.release(), Released::Clean);
}

#[tokio::test]
async fn a_tombstone_is_under_way_as_well() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let id = scene.send(&session, &["WATCH k", "GET k"]);
    wire.expect("WATCH k").await;
    wire.expect("GET k").await;
    assert_eq!(session.cancel(0, id + 1), Some(Applied::Unknown));
    wire.say(OK).await;
    scene.caller.reply(id).await;
    assert_eq!(session.release(), Released::Busy);
    session.give_back();
    wire.expect_end().await;
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn the_end_of_a_transaction_that_was_never_written_ends_nothing() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    scene.exchange(&session, &mut wire, "MULTI", OK).await;
    // It is more than the sockets of both sides take, so what comes behind it is not written.
    let large = format!("SET k {}", "v".repeat(32 << 20));
    let set = scene.send(&session, &[&large]);
    let exec = scene.send_within(0, &session, &["EXEC"]).unwrap();
    assert_eq!(session.cancel(0, exec), Some(Applied::No));
    wire.expect(&large).await;
    wire.say(QUEUED).await;
    scene.caller.reply(set).await;
    assert_eq!(session.release(), Released::Gone);
    wire.expect("MULTI").await;
    wire.expect("DISCARD").await;
    wire.say("-ERR MULTI calls can not be nested\r\n+OK\r\n").await;
    wire.expect_end().await;
}

#[tokio::test]
async fn a_connection_that_has_become_old_is_not_handed_on() {
    let lifetime = ms(60_000);
    let mut scene = Scene::with(|options| options.pool.max_lifetime = Some(lifetime)).await;
    let (session, mut wire) = scene.opened().await;
    assert!(session.is_fit());
    tokio::time::pause();
    tokio::time::advance(lifetime).await;
    tokio::time::resume();
    assert!(session.is_up() && !session.is_fit());
    assert_eq!(session.release(), Released::Gone);
    wire.expect_end().await;
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn a_session_that_was_idle_for_long_is_not_lent_again_without_a_ping() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
    // The server may have closed the connection meanwhile, and a first command would be lost on it.
    tokio::time::pause();
    tokio::time::advance(ms(10_000)).await;
    tokio::time::resume();
    assert_eq!(session.release(), Released::Clean);
    session.give_back();
    scene.left().await;
    assert_eq!(scene.connections(), (1, 1));
    let answered = async {
        wire.expect("PING").await;
        wire.say("+PONG\r\n").await;
    };
    let (session, ()) = tokio::join!(scene.reused(), answered);
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
}
