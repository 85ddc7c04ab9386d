//! What happens when a connection ends.

use oxidis::error::ErrorClass;
use oxidis::options::{Reconnect, Secret};
use oxidis::outbox::{Event, Resubscribed};
use oxidis::pubsub::{Budget, Topic};

use crate::scene::{confirmed, message, Scene};

async fn resubscribed(scene: &mut Scene) -> Resubscribed {
    let gap = |event: &Event| match event {
        Event::Resubscribed(gap) => Some(*gap),
        _ => None,
    };
    scene.caller.event(gap).await
}

#[tokio::test]
async fn everything_wanted_is_asked_for_again_in_few_commands() {
    let (mut scene, wire) = Scene::subscribed().await;
    wire.reset();
    scene.subscribe(Topic::Pattern, &[("p*", 2), ("q*", 3)]);
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    wire.say(&confirmed("subscribe", "a")).await;
    let mut names = wire.hear().await.unwrap().split(' ').map(str::to_owned).collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["PSUBSCRIBE", "p*", "q*"]);
    wire.say(&message("a", "after")).await;
    assert_eq!(scene.caller.message().await.2, "after");
    let gap = resubscribed(&mut scene).await;
    assert_eq!((gap.channels, gap.patterns, gap.shard_channels), (1, 0, 0));
}

#[tokio::test]
async fn messages_in_front_of_the_end_are_delivered() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    wire.say(&message("a", "1")).await;
    wire.say(&message("a", "2")).await;
    wire.say(">3\r\n$7\r\nmess").await;
    drop(wire);
    assert_eq!(scene.caller.message().await.2, "1");
    assert_eq!(scene.caller.message().await.2, "2");
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
}

#[tokio::test]
async fn a_protocol_error_costs_the_connection_only() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    wire.say("?what\r\n").await;
    wire.expect_end().await;
    assert_eq!(scene.caller.error().await, "PROTOCOL");
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_at_once_is_not_stormed() {
    let (scene, mut wire) = Scene::subscribed().await;
    let since = tokio::time::Instant::now();
    for _ in 0..20 {
        drop(wire);
        wire = scene.server.accept().await;
        wire.expect("SUBSCRIBE a").await;
    }
    assert!(since.elapsed().as_secs() >= 2, "{:?}", since.elapsed());
}

#[tokio::test]
async fn unsubscribing_from_everything_while_there_is_no_connection_ends_the_attempts() {
    let (mut scene, wire) = Scene::subscribed().await;
    drop(wire);
    let wire = scene.server.accept_raw().await;
    let ticket = scene.unsubscribe(Topic::Channel, &["a"]);
    assert!(scene.caller.settled(ticket).await.is_none());
    drop(wire);
    assert_eq!(scene.subscriber.stats().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_error_fails_requests_at_once_and_subscriptions_go_on_being_wanted() {
    let mut scene = Scene::with(Budget::Subscribers, |options| {
        options.password = Some(Secret::from("secret".to_owned()));
    })
    .await;
    let first = scene.subscribe(Topic::Channel, &[("a", 1)]);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3 AUTH default secret").await;
    wire.say("-WRONGPASS invalid username-password pair\r\n").await;
    let error = scene.caller.settled(first).await.unwrap();
    assert!(error.is_fatal(), "{error:?}");
    // The subscription stays wanted, so it is asked for again.
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3 AUTH default secret").await;
    wire.say("%1\r\n+proto\r\n:3\r\n").await;
    wire.expect("SUBSCRIBE a").await;
}

#[tokio::test]
async fn a_strategy_that_wants_no_reconnect_ends_the_subscriber() {
    let mut scene =
        Scene::with(Budget::Subscribers, |options| options.reconnect = Reconnect::Never).await;
    scene.subscribe(Topic::Channel, &[("a", 1)]);
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    drop(wire);
    let stopped = |event: &Event| matches!(event, Event::Stopped(_)).then_some(());
    scene.caller.event(stopped).await;
    let later = scene.subscribe(Topic::Channel, &[("b", 2)]);
    assert_eq!(scene.caller.settled(later).await.unwrap().kind(), ErrorClass::Connection);
    assert!(scene.server.has_no_other().await);
}
