//! Sessions are in the client's database, whenever their connections were made.

use bytes::Bytes;
use oxidis::session::Released;

use crate::scene::Scene;

#[tokio::test]
async fn a_session_begins_in_the_database_that_was_selected() {
    let mut scene = Scene::new().await;
    scene.home.pool.remember(&Bytes::from_static(b"*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n"));
    let (lease, mut wire) = tokio::join!(scene.home.pool.acquire(), async {
        let mut wire = scene.server.accept_raw().await;
        wire.expect("HELLO 3").await;
        wire.expect("SELECT 5").await;
        wire.say("%1\r\n+proto\r\n:3\r\n+OK\r\n").await;
        wire
    });
    assert_eq!(lease.unwrap().database, 5);
    let session = scene.reused().await;
    scene.exchange(&session, &mut wire, "SELECT 7", "+OK\r\n").await;
    session.give_back();
    wire.expect("SELECT 5").await;
    wire.say("+OK\r\n").await;
    scene.left().await;
    assert_eq!(scene.connections(), (1, 1));
}

#[tokio::test]
async fn a_session_that_was_held_over_a_select_moves_before_its_next_caller() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    scene.home.pool.remember(&Bytes::from_static(b"*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n"));
    assert!(session.is_up() && !session.is_fit());
    // The session stays in its database for its caller.
    scene.exchange(&session, &mut wire, "GET k", "$-1\r\n").await;
    assert_eq!(session.release(), Released::Gone);
    scene.left().await;
    assert_eq!(scene.connections(), (1, 1));
    let (session, ()) = tokio::join!(scene.reused(), async {
        wire.expect("SELECT 5").await;
        wire.say("+OK\r\n").await;
    });
    assert_eq!(session.release(), Released::Clean);
}

#[tokio::test]
async fn a_connection_that_does_not_follow_is_closed() {
    let mut scene = Scene::new().await;
    let (session, mut wire) = scene.opened().await;
    session.give_back();
    scene.left().await;
    scene.home.pool.remember(&Bytes::from_static(b"*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n"));
    let (lease, _wire) = tokio::join!(scene.home.pool.acquire(), async {
        wire.expect("SELECT 5").await;
        wire.say("-ERR no\r\n").await;
        wire.expect_end().await;
        let mut wire = scene.server.accept_raw().await;
        wire.expect("HELLO 3").await;
        wire.expect("SELECT 5").await;
        wire.say("%1\r\n+proto\r\n:3\r\n+OK\r\n").await;
        wire
    });
    assert_eq!(lease.unwrap().database, 5);
}
