//! Attempts at connecting: how many are made, how often, and who gets their errors.

use std::sync::Arc;

use oxidis::error::{Applied, Error};
use oxidis::options::{Reconnect, Secret};
use oxidis::outbox::Event;
use tokio::time::Instant;

use crate::support::{ms, Server, Wire};
use crate::Scene;

const WRONGPASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

/// Waiting cannot correct a password, so all callers fail without waiting for their deadlines.
#[tokio::test]
async fn a_wrong_password_reaches_all_waiters_at_once() {
    let scene = Scene::new(1, |options| options.password = Some(Secret::new("hush"))).await;
    let started = Instant::now();
    let waiters: Vec<_> = (0..5)
        .map(|_| {
            let pool = Arc::clone(&scene.pool);
            tokio::spawn(async move { pool.acquire().await.err().unwrap() })
        })
        .collect();
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3 AUTH default hush").await;
    wire.say(WRONGPASS).await;
    for waiter in waiters {
        let error = waiter.await.unwrap();
        assert_eq!(error.code(), "AUTH");
        assert_eq!(error.cause().map(Error::code), Some("WRONGPASS"));
        assert!(!format!("{error:?}").contains("hush"));
    }
    assert!(started.elapsed() < ms(4_000), "they did not wait for acquireTimeout");
    assert_eq!(scene.metrics.connect_failures.get(), 1, "one attempt was enough");
    // Callers of the next second get the error too, without another attempt.
    assert_eq!(scene.pool.lane_lease().await.err().unwrap().code(), "AUTH");
    assert_eq!(scene.metrics.connect_failures.get(), 1);
}

/// A password that was corrected on the server is used within a second.
#[tokio::test]
async fn after_a_second_a_wrong_password_is_tried_again() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.err().unwrap() });
    let mut wire = scene.server.accept_raw().await;
    wire.say("-NOAUTH HELLO must be called with the client already authenticated\r\n").await;
    assert_eq!(asking.await.unwrap().code(), "AUTH");
    let verdict = Instant::now();
    // From here on, the server accepts the user.
    let server = Arc::clone(&scene.server);
    let accepted = tokio::spawn(async move { server.accept().await });
    let _lease = loop {
        match scene.pool.acquire().await {
            Ok(lease) => break lease,
            Err(error) => assert_eq!(error.code(), "AUTH"),
        }
        tokio::time::sleep(ms(20)).await;
    };
    assert!(verdict.elapsed() > ms(900), "{:?}", verdict.elapsed());
    assert_eq!((scene.metrics.connects.get(), scene.metrics.connect_failures.get()), (1, 1));
    assert!(scene.pool.last_error().is_none(), "a success forgets the failures");
    drop(accepted.await.unwrap());
}

/// A server that starts later than its clients is found as soon as it listens.
#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_until_it_has() {
    let mut scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    for failures in 1..=3 {
        // The second time with less of a handshake, because some proxies close at HELLO.
        for handshake in ["HELLO 3", "PING"] {
            scene.server.accept_raw().await.expect(handshake).await;
        }
        assert_eq!(scene.caller.error().await, "HANDSHAKE");
        let again = |event: &Event| match event {
            Event::Reconnecting(failures) => Some(*failures),
            _ => None,
        };
        assert_eq!(scene.caller.event(again).await, failures);
    }
    let _wire = scene.server.accept().await;
    asking.await.unwrap().unwrap();
    assert_eq!((scene.metrics.connects.get(), scene.metrics.connect_failures.get()), (1, 3));
}

/// At most eight attempts at one node are under way, so that a recovering server is not hit harder.
#[tokio::test]
async fn at_most_eight_attempts_are_under_way() {
    let scene = Scene::new(20, |_| ()).await;
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let pool = Arc::clone(&scene.pool);
            tokio::spawn(async move { pool.acquire().await })
        })
        .collect();
    let mut wires: Vec<Wire> = Vec::new();
    for _ in 0..8 {
        wires.push(scene.server.accept_raw().await);
    }
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert!(scene.server.has_no_other().await, "a ninth attempt");
    // When an attempt ends, the next one begins.
    for mut wire in wires {
        wire.expect("HELLO 3").await;
        wire.say("%1\r\n+proto\r\n:3\r\n").await;
        tokio::spawn(wire.echo());
    }
    scene.serve();
    let mut leases = Vec::new();
    for waiter in waiters {
        leases.push(waiter.await.unwrap().unwrap());
    }
    assert_eq!((scene.pool.stats().total, scene.pool.stats().in_use), (20, 20));
}

/// A fatal error also ends the attempts that wait for a permit.
#[tokio::test]
async fn attempts_in_the_queue_end_with_the_fatal_error_of_those_before_them() {
    let scene = Scene::new(20, |options| options.password = Some(Secret::new("hush"))).await;
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let pool = Arc::clone(&scene.pool);
            tokio::spawn(async move { pool.acquire().await.err().unwrap() })
        })
        .collect();
    let mut wires: Vec<Wire> = Vec::new();
    for _ in 0..8 {
        wires.push(scene.server.accept_raw().await);
    }
    for wire in &mut wires {
        wire.say(WRONGPASS).await;
    }
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().code(), "AUTH");
    }
    for mut wire in wires {
        while wire.hear().await.is_some() {}
    }
    assert!(scene.server.has_no_other().await, "a ninth attempt");
    assert_eq!(scene.metrics.connect_failures.get(), 8);
}

#[tokio::test]
async fn a_strategy_that_gives_up_says_so_to_everybody() {
    let mut scene = Scene::new(2, |options| options.reconnect = Reconnect::Never).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.err().unwrap() });
    for handshake in ["HELLO 3", "PING"] {
        scene.server.accept_raw().await.expect(handshake).await;
    }
    let error = asking.await.unwrap();
    assert_eq!((error.code(), error.applied()), ("HANDSHAKE", None::<Applied>));
    assert!(error.is_fatal());
    let stopped = |event: &Event| match event {
        Event::Stopped(error) => Some(error.code().to_owned()),
        _ => None,
    };
    assert_eq!(scene.caller.event(stopped).await, "HANDSHAKE");
}

/// Asking for more would cost every connection two others.
#[tokio::test]
async fn what_a_node_takes_of_the_handshake_is_remembered_until_an_attempt_fails() {
    let scene = Scene::new(3, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.unwrap() });
    scene.server.accept_raw().await.expect("HELLO 3").await;
    let mut bare = scene.server.accept_raw().await;
    bare.expect("PING").await;
    bare.say("+PONG\r\n").await;
    scene.server.accept_raw().await.expect("HELLO 3").await;
    let _first = asking.await.unwrap();
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.unwrap() });
    let mut bare = scene.server.accept_raw().await;
    bare.expect("PING").await;
    bare.say("+PONG\r\n").await;
    let _second = asking.await.unwrap();
    assert!(scene.server.has_no_other().await);
    assert_eq!((scene.metrics.connects.get(), scene.metrics.connect_failures.get()), (2, 0));
    // One that closes all the same is another server, maybe.
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.unwrap() });
    scene.server.accept_raw().await.expect("PING").await;
    let _wire = scene.server.accept().await;
    let third = asking.await.unwrap();
    assert_eq!(third.info.proto, 3);
}

/// A name with two addresses: the first server is a replica for good.
#[tokio::test]
async fn after_a_demotion_the_other_address_of_the_name_is_tried_first() {
    let scene = Scene::new(2, |_| ()).await;
    let other = Arc::new(Server::start().await);
    let addresses = vec![scene.server.address(), other.address()];
    scene.pool.set_lookup(move || addresses.clone());
    scene.serve();
    let server = Arc::clone(&other);
    tokio::spawn(async move {
        loop {
            tokio::spawn(server.accept().await.echo());
        }
    });
    let lease = scene.pool.acquire().await.unwrap();
    assert_eq!(lease.stream.peer(), scene.server.address().to_string());
    scene.pool.suspect(lease.generation());
    scene.pool.shun(&lease.stream.peer());
    drop(lease);
    let lease = scene.pool.acquire().await.unwrap();
    assert_eq!(lease.stream.peer(), other.address().to_string());
}
