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

/// The server that the session is connected to is a replica now, and stays one.
#[tokio::test]
async fn a_session_whose_server_was_demoted_ends_once_all_is_answered() {
    let replies = [
        "-READONLY You can't write against a read only replica.\r\n",
        "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> \
         replica?)\r\n",
        "-EXECABORT Transaction discarded because of: READONLY You can't write\r\n",
    ];
    for reply in replies {
        let mut scene = Scene::new().await;
        let (session, mut wire) = scene.opened().await;
        let id = scene.send(&session, &["BLPOP q 0", "GET k"]);
        wire.expect("BLPOP q 0").await;
        wire.expect("GET k").await;
        wire.say(reply).await;
        assert_eq!(format!("-{}\r\n", scene.caller.reply(id).await), reply);
        assert!(!session.is_fit(), "it must not go on to another caller");
        let late = scene.send(&session, &["GET late"]);
        wire.say("+k\r\n").await;
        assert_eq!(scene.caller.reply(id + 1).await, "k");
        let error = scene.caller.failure(late).await;
        assert_eq!((error.code(), error.applied()), ("CONNECTION_LOST", Some(Applied::No)));
        wire.expect_end().await;
        scene.left().await;
        let error = scene.try_send(&session, &["GET k"]).unwrap_err();
        assert_eq!((error.code(), error.applied()), ("SESSION_LOST", Some(Applied::No)));
        assert_eq!(session.release(), Released::Gone);
        assert_eq!(scene.connections(), (0, 0));
    }
}

/// The caller of the refused command may release the session at once, before the driver has run.
#[tokio::test]
async fn a_session_whose_server_was_demoted_never_goes_on_to_another_caller() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let id = scene.send(&session, &["BLPOP q 0"]);
    wire.expect("BLPOP q 0").await;
    wire.say("-READONLY You can't write against a read only replica.\r\n").await;
    assert!(scene.caller.reply(id).await.starts_with("READONLY"));
    assert_eq!(session.release(), Released::Gone);
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn a_session_from_before_a_demotion_is_closed_when_it_is_given_back() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
    scene.home.pool.suspect(scene.home.pool.generation());
    assert!(session.is_up() && !session.is_fit());
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
    assert_eq!(session.release(), Released::Gone);
    wire.expect_end().await;
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn a_person_who_unblocks_a_command_does_not_end_the_session() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    let text = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
    scene.exchange(&session, &mut wire, "BLPOP q 0", text).await;
    assert!(session.is_fit());
}

/// The process was stopped while the session was idle, and knows nothing of the end yet.
#[tokio::test]
async fn a_session_that_was_closed_during_a_pause_does_not_go_on_to_another_caller() {
    let mut scene = Scene::new().await;
    let (session, wire) = scene.opened().await;
    drop(wire);
    std::thread::sleep(std::time::Duration::from_millis(150));
    assert!(session.is_up(), "nobody has noticed");
    assert!(!session.is_fit());
    scene.left().await;
    assert_eq!(scene.connections(), (0, 0));
}

#[tokio::test]
async fn what_is_written_after_a_pause_to_a_session_that_was_closed_was_not_applied() {
    let mut scene = Scene::new().await;
    let (session, wire) = scene.opened().await;
    drop(wire);
    std::thread::sleep(std::time::Duration::from_millis(150));
    let id = scene.send(&session, &["INCR n"]);
    let error = scene.caller.failure(id).await;
    assert_eq!((error.code(), error.applied()), ("CONNECTION_LOST", Some(Applied::No)));
}
