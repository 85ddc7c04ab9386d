//! The tests of `lane` once more. Here the caller's thread attends to the connection, which must make
//! no difference.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

const IS_SERVED_BY_CALLER: bool = true;

#[path = "../lane/block.rs"]
mod block;
#[path = "../lane/life.rs"]
mod life;
#[path = "../lane/loan.rs"]
mod loan;
#[path = "../lane/loss.rs"]
mod loss;
#[path = "../lane/pressure.rs"]
mod pressure;
#[path = "../lane/refusal.rs"]
mod refusal;
#[path = "../lane/reply.rs"]
mod reply;
#[path = "../lane/scene.rs"]
mod scene;
#[path = "../lane/watch.rs"]
mod watch;

use oxidis::lane::Wait;
use scene::Scene;

#[tokio::test]
async fn a_stream_that_cannot_be_watched_stays_with_the_driver() {
    let (mut scene, mut wire) = Scene::connected().await;
    let stream = scene.lane.detached().expect("a detached stream");
    scene.lane.leave_to_driver(&stream);
    for _ in 0..3 {
        let id = scene.send(&["GET a"]);
        wire.expect("GET a").await;
        wire.say("+a\r\n").await;
        assert_eq!(scene.caller.reply(id).await, "a");
        assert_eq!(scene.lane.wait(&stream), Wait::Paused);
    }
}
