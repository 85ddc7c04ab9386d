//! What happens when a connection ends.

use std::time::Duration;

use oxidis::error::ErrorClass;
use oxidis::options::{Reconnect, Secret};
use oxidis::outbox::{Event, Resubscribed};
use oxidis::pubsub::{Allotment, Topic};
use tokio::time::{sleep, Instant};

use crate::scene::{confirmed, message, Scene};
use crate::support::ms;

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
    let mut scene = Scene::with(Allotment::Subscribers, |options| {
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
        Scene::with(Allotment::Subscribers, |options| options.reconnect = Reconnect::Never).await;
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

#[tokio::test(start_paused = true)]
async fn a_gap_begins_where_the_network_fell_silent_and_not_where_that_was_noticed() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    sleep(ms(2_000)).await;
    wire.say(&message("a", "1")).await;
    scene.caller.message().await;
    wire.expect("PING").await;
    let silent = Instant::now();
    wire.say("+PONG\r\n").await;
    sleep(ms(6_000)).await;
    wire.reset();
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    let lost = silent.elapsed();
    wire.say(&confirmed("subscribe", "a")).await;
    let gap = resubscribed(&mut scene).await;
    assert!(gap.lost >= lost, "{:?} of {lost:?}", gap.lost);
    assert!(gap.lost <= lost + ms(100), "messages were known to be complete until {lost:?} ago");
}

#[tokio::test(start_paused = true)]
async fn a_gap_covers_what_a_server_had_not_sent_yet_when_it_closed_the_connection() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    sleep(ms(2_000)).await;
    wire.say(&message("a", "0")).await;
    wire.expect("PING").await;
    let asked = Instant::now();
    // The server is cut off from here on; what it had sent before goes on to come.
    for n in 1..=30 {
        wire.say(&message("a", &n.to_string())).await;
        sleep(ms(100)).await;
    }
    drop(wire);
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    wire.say(&confirmed("subscribe", "a")).await;
    let gap = resubscribed(&mut scene).await;
    assert!(gap.lost >= asked.elapsed(), "{:?} of {:?}", gap.lost, asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn without_pings_a_gap_begins_with_the_last_message() {
    let mut scene = Scene::with(Allotment::Subscribers, |options| {
        options.ping_interval = Duration::ZERO;
    })
    .await;
    scene.subscribe(Topic::Channel, &[("a", 1)]);
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    wire.say(&confirmed("subscribe", "a")).await;
    sleep(ms(60_000)).await;
    let since = Instant::now();
    wire.say(&message("a", "1")).await;
    scene.caller.message().await;
    sleep(ms(3_000)).await;
    drop(wire);
    let mut wire = scene.server.accept().await;
    wire.expect("SUBSCRIBE a").await;
    let lost = since.elapsed();
    wire.say(&confirmed("subscribe", "a")).await;
    let gap = resubscribed(&mut scene).await;
    assert!(gap.lost >= ms(3_000) && gap.lost <= lost + ms(100), "{:?}", gap.lost);
}
