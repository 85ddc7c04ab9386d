//! A session ends with its connection. Nothing is retried, since later commands may depend on what
//! the earlier ones did to the connection.

use oxidis::error::{Applied, Error, ErrorClass};
use oxidis::session::Released;

use crate::scene::Scene;

#[tokio::test]
async fn a_loss_ends_all_commands_at_once() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    scene.exchange(&session, &mut wire, "WATCH k", "+OK\r\n").await;
    let id = scene.send(&session, &["GET k", "BLPOP q 0"]);
    wire.expect("GET k").await;
    wire.expect("BLPOP q 0").await;
    drop(wire);
    for id in [id, id + 1] {
        let error = scene.caller.failure(id).await;
        assert_eq!(error.code(), "CONNECTION_LOST");
        assert_eq!(error.applied(), Some(Applied::Unknown), "{id}: reads are not retried either");
        assert!(error.is_retryable());
    }
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
    assert!(scene.server.has_no_other().await);
}

#[tokio::test]
async fn what_comes_after_a_loss_was_not_applied() {
    let mut scene = Scene::new().await;
    let (session, wire) = scene.opened().await;
    wire.reset();
    scene.left().await;
    assert!(!session.is_up());
    let error = scene.try_send(&session, &["GET k"]).unwrap_err();
    assert_eq!((error.code(), error.applied()), ("SESSION_LOST", Some(Applied::No)));
    assert!(error.message().contains("acquire another one"));
    assert_eq!(error.cause().map(Error::code), Some("CONNECTION_LOST"));
    assert_eq!(session.release(), Released::Gone);
}

#[tokio::test]
async fn a_refusal_that_a_lane_would_retry_goes_to_the_caller() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let id = scene.send(&session, &["MULTI", "INCR k", "EXEC"]);
    for (command, reply) in [
        ("MULTI", "+OK\r\n"),
        ("INCR k", "-LOADING busy with it\r\n"),
        ("EXEC", "-EXECABORT discarded\r\n"),
    ] {
        wire.expect(command).await;
        wire.say(reply).await;
    }
    assert_eq!(scene.caller.reply(id + 1).await, "LOADING busy with it");
    assert_eq!(scene.caller.reply(id + 2).await, "EXECABORT discarded");
}

#[tokio::test]
async fn closing_ends_all_commands_and_the_connection() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let id = scene.send(&session, &["BLPOP q 0"]);
    wire.expect("BLPOP q 0").await;
    session.close(&Error::new(ErrorClass::Closed, "CLOSED", "over"));
    let error = scene.caller.failure(id).await;
    assert_eq!((error.code(), error.applied()), ("CLOSED", Some(Applied::Unknown)));
    wire.expect_end().await;
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_costs_the_connection() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    wire.say("+surprise\r\n").await;
    wire.expect_end().await;
    scene.left().await;
    assert_eq!(session.release(), Released::Gone);
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn a_connection_lost_while_it_is_cleaned_frees_its_place() {
    let mut scene = Scene::with(|options| options.pool.max = 1).await;
    let (session, mut wire) = scene.opened().await;
    scene.exchange(&session, &mut wire, "WATCH k", "+OK\r\n").await;
    assert_eq!(session.release(), Released::Gone);
    wire.expect("UNWATCH").await;
    drop(wire);
    scene.left().await;
    let (session, _wire) = scene.opened().await;
    assert!(session.is_fit());
}
