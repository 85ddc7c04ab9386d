//! A lane that lends its connection to a command which may wait on the server.

use oxidis::error::Applied;
use oxidis::lane::Lane;

use crate::scene::Scene;

#[tokio::test]
async fn an_idle_connection_is_lent_and_the_lane_makes_another_one_when_it_needs_one() {
    let (mut scene, mut wire) = Scene::connected().await;
    let borrower = scene.lend().expect("nothing was lent");
    assert!(scene.lane.stats().connected);
    assert!(scene.lend().is_none(), "it has nothing more to lend");
    assert!(scene.server.has_no_other().await, "it needs no connection yet");
    let waiting = over(&mut scene, &borrower, "BLPOP q 0");
    wire.expect("BLPOP q 0").await;
    let id = scene.send(&["GET a"]);
    tokio::spawn(scene.server.accept().await.echo());
    assert_eq!(scene.caller.reply(id).await, "a");
    wire.say("+x\r\n").await;
    assert_eq!(scene.caller.reply(waiting).await, "x");
    assert_eq!(scene.metrics.lost.get(), 0);
}

#[tokio::test]
async fn a_connection_on_which_a_reply_is_due_is_not_lent() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["GET a"]);
    assert!(scene.lend().is_none());
    wire.expect("GET a").await;
    assert!(scene.lend().is_none());
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert!(scene.lend().is_some());
}

#[tokio::test]
async fn a_lane_that_refuses_commands_without_a_connection_lends_none() {
    let mut scene = Scene::with(|options| options.offline_queue = false).await;
    let _wire = scene.connect().await;
    assert!(scene.lend().is_none());
}

#[tokio::test]
async fn a_lent_connection_that_is_lost_is_a_loss_of_the_lane_which_connects_again() {
    let (mut scene, mut wire) = Scene::connected().await;
    let borrower = scene.lend().expect("nothing was lent");
    let waiting = over(&mut scene, &borrower, "BLPOP q 0");
    wire.expect("BLPOP q 0").await;
    wire.reset();
    scene.fail([waiting], "CONNECTION_LOST", Applied::Unknown).await;
    tokio::spawn(scene.server.accept().await.echo());
    scene.caller.ready().await;
    assert_eq!(scene.metrics.lost.get(), 1);
    let id = scene.send(&["GET a"]);
    assert_eq!(scene.caller.reply(id).await, "a");
}

#[tokio::test]
async fn a_connection_that_the_borrower_closes_is_replaced() {
    let (mut scene, wire) = Scene::connected().await;
    let borrower = scene.lend().expect("nothing was lent");
    let waiting = over(&mut scene, &borrower, "BLPOP q 0");
    borrower.close(&oxidis::error::Error::connection("SESSION_OVER", "it has left"));
    scene.fail([waiting], "SESSION_OVER", Applied::Unknown).await;
    tokio::spawn(scene.server.accept().await.echo());
    let id = scene.send(&["GET a"]);
    assert_eq!(scene.caller.reply(id).await, "a");
    drop(wire);
}

/// Sends a command over `lane`; returns its id.
fn over(scene: &mut Scene, lane: &Lane, command: &str) -> u32 {
    let own = std::mem::replace(&mut scene.lane, lane.clone());
    let id = scene.send(&[command]);
    scene.lane = own;
    id
}
