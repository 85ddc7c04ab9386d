//! Exclusive leases: their order, their limit, the check of idle ones, and giving them back.

use std::sync::{Arc, Mutex};

use oxidis::error::{Applied, Error, ErrorClass};
use tokio::time::Instant;

use crate::support::ms;
use crate::Scene;

#[tokio::test]
async fn waiters_are_served_in_the_order_of_asking() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiters = Vec::new();
    for n in 0..5 {
        let (pool, order) = (Arc::clone(&scene.pool), Arc::clone(&order));
        waiters.push(tokio::spawn(async move {
            let _lease = pool.acquire().await.unwrap();
            order.lock().unwrap().push(n);
            tokio::task::yield_now().await;
        }));
        scene.waiting(n + 1).await;
    }
    let stats = scene.pool.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.max), (1, 5, 1));
    drop(lease);
    for waiter in waiters {
        waiter.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    let stats = scene.pool.stats();
    assert_eq!((stats.total, stats.idle, stats.in_use, stats.waiting), (1, 1, 0, 0));
    assert_eq!(scene.metrics.connects.get(), 1);
}

/// A newcomer must not take the connection that a waiter was woken for.
#[tokio::test]
async fn nobody_jumps_the_queue() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    let (pool, order) = (Arc::clone(&scene.pool), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&order);
    let waiter = tokio::spawn(async move {
        let _lease = pool.acquire().await.unwrap();
        log.lock().unwrap().push("waiter");
    });
    scene.waiting(1).await;
    drop(lease);
    // This task does not yield in between, so the waiter has not run yet.
    let _lease = scene.pool.acquire().await.unwrap();
    order.lock().unwrap().push("newcomer");
    waiter.await.unwrap();
    assert_eq!(*order.lock().unwrap(), ["waiter", "newcomer"]);
}

/// The message of a timeout tells whether the pool is too small.
#[tokio::test]
async fn a_timeout_names_the_pools_numbers() {
    let scene = Scene::new(1, |options| options.pool.acquire_timeout = ms(30)).await;
    scene.serve();
    let _lease = scene.pool.acquire().await.unwrap();
    let error = scene.pool.acquire().await.err().unwrap();
    assert_eq!((error.kind(), error.code()), (ErrorClass::Timeout, "POOL_TIMEOUT"));
    assert_eq!(error.applied(), Some(Applied::No));
    assert!(error.is_retryable());
    assert!(error.message().ends_with("(total=1 idle=0 inUse=1 waiting=0 max=1)"), "{error}");
    assert!(error.cause().is_none(), "no attempt has failed");
    assert_eq!(scene.pool.stats().waiting, 0);
}

/// The cause of a timeout tells whether no connection can be made.
#[tokio::test]
async fn a_timeout_has_the_last_connect_error_as_its_cause() {
    let scene = Scene::new(2, |options| options.pool.acquire_timeout = ms(100)).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.err() });
    // Twice, since some proxies close at HELLO and take less of a handshake.
    drop(scene.server.accept_raw().await);
    drop(scene.server.accept_raw().await);
    let error = asking.await.unwrap().unwrap();
    assert_eq!(error.code(), "POOL_TIMEOUT");
    assert_eq!(error.cause().map(Error::code), Some("HANDSHAKE"));
    assert!(error.message().contains("total=0 idle=0 inUse=0 waiting=0 max=2"), "{error}");
}

#[tokio::test]
async fn a_caller_who_leaves_the_queue_leaves_nothing_behind() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    for _ in 0..3 {
        let pool = Arc::clone(&scene.pool);
        let waiter = tokio::spawn(async move { pool.acquire().await.map(drop) });
        scene.waiting(1).await;
        waiter.abort();
        assert!(waiter.await.unwrap_err().is_cancelled());
        assert_eq!(scene.pool.stats().waiting, 0);
    }
    drop(lease);
    let lease = scene.pool.acquire().await.unwrap();
    assert_eq!(scene.pool.stats().in_use, 1);
    drop(lease);
    assert_eq!((scene.pool.stats().in_use, scene.pool.stats().total), (0, 1));
}

#[tokio::test]
async fn a_caller_who_leaves_while_connecting_leaves_the_connection_to_the_next() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let waiter = tokio::spawn(async move { pool.acquire().await.map(drop) });
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3").await;
    waiter.abort();
    assert!(waiter.await.unwrap_err().is_cancelled());
    let stats = scene.pool.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    wire.say("%1\r\n+proto\r\n:3\r\n").await;
    let _lease = scene.pool.acquire().await.unwrap();
    assert_eq!(scene.metrics.connects.get(), 1);
}

#[tokio::test]
async fn a_connection_that_was_used_just_now_is_lent_without_a_question() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await });
    let mut wire = scene.server.accept().await;
    let mut lease = asking.await.unwrap().unwrap();
    // The connection grows older than the time for which an idle one is trusted, but is not idle.
    let opened = lease.created_at();
    while opened.elapsed() <= ms(510) {
        tokio::time::sleep(ms(20)).await;
    }
    let asking =
        tokio::spawn(async move { lease.request(b"*1\r\n$4\r\nECHO\r\n").await.map(drop) });
    wire.expect("ECHO").await;
    wire.say("+used\r\n").await;
    asking.await.unwrap().unwrap();
    let mut lease = scene.pool.acquire().await.unwrap();
    let asking =
        tokio::spawn(async move { lease.request(b"*1\r\n$4\r\nTIME\r\n").await.map(drop) });
    wire.expect("TIME").await;
    wire.say("+now\r\n").await;
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_was_idle_is_asked_first() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    let mut wire = scene.server.accept().await;
    asking.await.unwrap().unwrap();
    idle().await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    wire.expect("PING").await;
    // The server is not ready, but it is alive.
    wire.say("-LOADING Redis is loading the dataset in memory\r\n").await;
    asking.await.unwrap().unwrap();
    assert_eq!(scene.metrics.connects.get(), 1);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_in_silence() {
    let mut scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    let wire = scene.server.accept().await;
    asking.await.unwrap().unwrap();
    drop(wire);
    idle().await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    assert_eq!((scene.metrics.connects.get(), scene.pool.stats().total), (2, 1));
    drop(lease);
    assert!(scene.caller.events().is_empty(), "nobody has to know");
}

#[tokio::test]
async fn a_caller_who_leaves_during_the_question_leaves_no_answer_behind() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    let mut wire = scene.server.accept().await;
    asking.await.unwrap().unwrap();
    idle().await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    wire.expect("PING").await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    wire.expect_end().await;
    scene.serve();
    let _lease = scene.pool.acquire().await.unwrap();
    let stats = scene.pool.stats();
    assert_eq!((stats.total, stats.in_use, stats.waiting), (1, 1, 0));
}

#[tokio::test]
async fn a_broken_connection_does_not_come_back() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    lease.mark_broken();
    drop(lease);
    assert_eq!((scene.pool.stats().total, scene.pool.stats().idle), (0, 0));
    let _lease = scene.pool.acquire().await.unwrap();
    assert_eq!(scene.metrics.connects.get(), 2);
}

/// Lifetimes have a random part, so that connections opened together are not replaced together.
#[tokio::test]
async fn connections_opened_together_grow_old_apart() {
    const LIFETIME: u64 = 100_000;
    let scene = Scene::new(8, |options| options.pool.max_lifetime = Some(ms(LIFETIME))).await;
    scene.serve();
    let started = Instant::now();
    let mut leases = Vec::new();
    for _ in 0..8 {
        leases.push(scene.pool.acquire().await.unwrap());
    }
    let ends: Vec<_> = leases.iter().map(|lease| lease.expires().unwrap()).collect();
    for end in &ends {
        assert!(*end >= started + ms(LIFETIME / 10 * 9));
        assert!(*end <= Instant::now() + ms(LIFETIME));
    }
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    // All eight numbers, each random within 10 s, are this close only once in a hundred million runs.
    assert!(*last - *first > ms(250), "{:?}", *last - *first);
}

#[tokio::test]
async fn a_connection_past_its_lifetime_is_not_lent_again() {
    let scene = Scene::new(1, |options| options.pool.max_lifetime = Some(ms(20))).await;
    scene.serve();
    let lease = scene.pool.acquire().await.unwrap();
    tokio::time::sleep_until(lease.expires().unwrap() + ms(1)).await;
    drop(lease);
    assert_eq!(scene.pool.stats().total, 0);
}

#[tokio::test]
async fn a_lane_has_its_own_budget() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let _session = scene.pool.acquire().await.unwrap();
    let _lane = scene.pool.lane_lease().await.unwrap();
    let stats = scene.pool.stats();
    assert_eq!((stats.total, stats.in_use, stats.max), (2, 1, 1));
}

/// No connection and no waiting caller is left after `close`.
#[tokio::test]
async fn close_ends_the_waits_and_every_connection() {
    let scene = Scene::new(1, |_| ()).await;
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await });
    let mut wire = scene.server.accept().await;
    let lease = asking.await.unwrap().unwrap();
    let pool = Arc::clone(&scene.pool);
    let waiter = tokio::spawn(async move { pool.acquire().await.map(drop) });
    scene.waiting(1).await;
    scene.pool.close().await;
    let error = waiter.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.applied()), (ErrorClass::Closed, Some(Applied::No)));
    drop(lease);
    wire.expect_end().await;
    assert_eq!(scene.pool.stats().total, 0);
    assert_eq!(scene.pool.acquire().await.err().unwrap().kind(), ErrorClass::Closed);
    assert_eq!(scene.pool.lane_lease().await.err().unwrap().kind(), ErrorClass::Closed);
    scene.pool.close().await;
}

#[tokio::test]
async fn close_ends_idle_connections_and_attempts() {
    let scene = Scene::new(3, |_| ()).await;
    let mut wires = Vec::new();
    let mut leases = Vec::new();
    for _ in 0..2 {
        let pool = Arc::clone(&scene.pool);
        let asking = tokio::spawn(async move { pool.acquire().await });
        wires.push(scene.server.accept().await);
        leases.push(asking.await.unwrap().unwrap());
    }
    let pool = Arc::clone(&scene.pool);
    let asking = tokio::spawn(async move { pool.acquire().await.map(drop) });
    wires.push(scene.server.accept_raw().await);
    drop(leases);
    scene.pool.close().await;
    for mut wire in wires {
        while wire.hear().await.is_some() {}
    }
    // The third caller may have got one of the two connections before the end.
    let _ = asking.await.unwrap();
    assert_eq!(scene.pool.stats().total, 0);
}

/// Waits for longer than an idle connection is trusted.
async fn idle() {
    tokio::time::sleep(ms(520)).await;
}

/// The name may lead to another server by now, and an idle connection never finds out.
#[tokio::test]
async fn a_connection_from_before_a_demotion_is_not_lent_again() {
    let scene = Scene::new(3, |_| ()).await;
    scene.serve();
    let (idle, kept) = (scene.pool.acquire().await.unwrap(), scene.pool.acquire().await.unwrap());
    drop(idle);
    while scene.pool.stats().idle == 0 {
        tokio::task::yield_now().await;
    }
    scene.pool.suspect(kept.generation());
    assert!(kept.is_suspect());
    let fresh = scene.pool.acquire().await.unwrap();
    assert!(!fresh.is_suspect());
    assert_eq!((scene.metrics.connects.get(), scene.pool.stats().total), (3, 2));
    drop(kept);
    while scene.pool.stats().total > 1 {
        tokio::task::yield_now().await;
    }
    // A connection that is suspect already tells nothing new.
    scene.pool.suspect(fresh.generation().wrapping_sub(1));
    assert!(!fresh.is_suspect());
}

/// A consumer whose every command fails at once must not become a storm of connections.
#[tokio::test(start_paused = true)]
async fn a_name_that_leads_to_a_replica_is_not_connected_to_in_a_tight_loop() {
    let scene = Scene::new(1, |_| ()).await;
    scene.serve();
    let started = Instant::now();
    for _ in 0..40 {
        let lease = scene.pool.acquire().await.unwrap();
        scene.pool.suspect(lease.generation());
        drop(lease);
    }
    // Each wait is random, up to 2 s from the eighth on: 30 s on average.
    assert!(started.elapsed() > ms(8_000), "{:?}", started.elapsed());
}
