//! The life of a subscriber, from its first subscription to its last.

use oxidis::error::ErrorClass;
use oxidis::pubsub::{Allotment, Topic};
use tokio::time::Instant;

use crate::scene::{confirmed, message, Scene};
use crate::support::ms;

#[tokio::test]
async fn the_first_subscription_opens_a_connection_and_messages_come_in_order() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    let all: String = (0..1000).map(|n| message("a", &n.to_string())).collect();
    wire.say(&all).await;
    for n in 0..1000 {
        assert_eq!(scene.caller.message().await, (1, String::new(), n.to_string()));
    }
    let stats = scene.subscriber.stats();
    assert_eq!((stats.subscriptions, stats.received, stats.dropped), (1, 1000, 0));
    assert_eq!(stats.queued_bytes, 0);
}

#[tokio::test]
async fn without_a_subscription_there_is_no_connection() {
    let mut scene = Scene::new().await;
    let ticket = scene.unsubscribe(Topic::Channel, &["a"]);
    assert!(scene.caller.settled(ticket).await.is_none());
    assert!(scene.server.has_no_other().await);
    assert_eq!(scene.pool.stats().total, 0);
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_closed_some_time_after_the_last_subscription() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    let ticket = scene.unsubscribe(Topic::Channel, &["a"]);
    wire.expect("UNSUBSCRIBE a").await;
    wire.say(&confirmed("unsubscribe", "a")).await;
    assert!(scene.caller.settled(ticket).await.is_none());
    let since = Instant::now();
    // A short pause does not close the connection.
    let ticket = scene.subscribe(Topic::Pattern, &[("p*", 2)]);
    wire.expect("PSUBSCRIBE p*").await;
    wire.say(&confirmed("psubscribe", "p*")).await;
    assert!(scene.caller.settled(ticket).await.is_none());
    scene.unsubscribe(Topic::Pattern, &["p*"]);
    wire.expect("PUNSUBSCRIBE p*").await;
    wire.say(&confirmed("punsubscribe", "p*")).await;
    wire.expect_end().await;
    assert!(since.elapsed() >= ms(1000));
    assert!(scene.caller.events().is_empty(), "an end of our own is no news");
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_asked_for_a_sign_of_life_and_given_up_without_one() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    let since = Instant::now();
    wire.expect("PING").await;
    assert!(since.elapsed() >= ms(27_000) && since.elapsed() <= ms(34_000));
    wire.say("+PONG\r\n").await;
    wire.expect("PING").await;
    wire.expect_end().await;
    assert_eq!(scene.caller.error().await, "DEAD_PEER");
}

#[tokio::test(start_paused = true)]
async fn a_request_fails_at_its_deadline_while_there_is_no_connection() {
    let mut scene = Scene::new().await;
    let since = Instant::now();
    let ticket = scene.subscribe_within(300, Topic::Channel, &[("a", 1)]);
    // The handshake is never answered.
    let _wire = scene.server.accept_raw().await;
    let error = scene.caller.settled(ticket).await.unwrap();
    assert_eq!(error.kind(), ErrorClass::Timeout);
    assert!(since.elapsed() >= ms(300) && since.elapsed() < ms(400), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_close_fails_what_waits_and_what_comes_later() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    let waiting = scene.subscribe(Topic::Channel, &[("b", 2)]);
    wire.expect("SUBSCRIBE b").await;
    scene.close();
    wire.expect_end().await;
    let later = scene.subscribe(Topic::Channel, &[("c", 3)]);
    for ticket in [waiting, later] {
        assert_eq!(scene.caller.settled(ticket).await.unwrap().kind(), ErrorClass::Closed);
    }
}

#[tokio::test]
async fn monitoring_has_an_exclusive_connection_that_ends_with_it() {
    let mut scene = Scene::with(Allotment::Sessions, |_| ()).await;
    let ticket = scene.subscribe(Topic::Monitor, &[("", 4)]);
    let mut wire = scene.server.accept().await;
    wire.expect("MONITOR").await;
    wire.say("+OK\r\n+1.2 [0 x] \"GET\" \"k\"\r\n").await;
    assert!(scene.caller.settled(ticket).await.is_none());
    let line = "1.2 [0 x] \"GET\" \"k\"".to_owned();
    assert_eq!(scene.caller.message().await, (4, String::new(), line));
    assert_eq!(scene.pool.stats().in_use, 1);
    let ticket = scene.unsubscribe(Topic::Monitor, &[""]);
    assert!(scene.caller.settled(ticket).await.is_none());
    wire.expect_end().await;
    assert_eq!(scene.pool.stats().in_use, 0);
}

#[tokio::test]
async fn a_caller_that_takes_nothing_costs_the_oldest_messages_only() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    for part in 0..12 {
        let all: String = (0..1000).map(|n| message("a", &(part * 1000 + n).to_string())).collect();
        wire.say(&all).await;
    }
    while scene.subscriber.stats().received < 12_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.subscriber.stats().dropped, 2_000);
    for n in 2_000..12_000 {
        assert_eq!(scene.caller.message().await.2, n.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_followed_by_one_ping_a_second_at_most() {
    let (mut scene, mut wire) = Scene::subscribed().await;
    let since = Instant::now();
    let mut pings = 0;
    for n in 0..100 {
        wire.say(&message("a", &n.to_string())).await;
        scene.caller.message().await;
        tokio::time::sleep(ms(50)).await;
        while wire.has_said().await {
            wire.expect("PING").await;
            wire.say("+PONG\r\n").await;
            pings += 1;
        }
    }
    let seconds = since.elapsed().as_secs();
    assert!(pings >= 3 && pings <= seconds, "{pings} PINGs in {seconds} s");
}
