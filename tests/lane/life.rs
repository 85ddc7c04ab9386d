//! The life of a lane: handshakes, health checks, old connections, closing, and bugs of our own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use oxidis::error::{Applied, Error, ErrorClass};
use oxidis::options::{ClientInfo, Secret};
use oxidis::outbox::Event;

use crate::scene::Scene;
use crate::support::ms;

fn over() -> Error {
    Error::new(ErrorClass::Closed, "CLOSED", "the client was closed")
}

#[tokio::test]
async fn nothing_is_opened_before_the_first_command() {
    let mut scene = Scene::new().await;
    tokio::task::yield_now().await;
    assert_eq!(scene.pool.stats().total, 0);
    let id = scene.send(&["GET a"]);
    tokio::spawn(scene.server.accept().await.echo());
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.metrics.connects.get(), 1);
}

#[tokio::test]
async fn a_peer_that_speaks_http_is_told_by_its_first_bytes() {
    let mut scene = Scene::new().await;
    let id = scene.send_within(150, &["GET a"]);
    let mut wire = scene.server.accept_raw().await;
    wire.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(scene.caller.error().await, "PROTOCOL");
    wire.expect("HELLO 3").await;
    wire.expect_end().await;
    let error = scene.caller.failure(id).await;
    assert_eq!((error.code(), error.applied()), ("TIMEOUT", Some(Applied::No)));
    let cause = error.cause().unwrap();
    assert_eq!(cause.kind(), ErrorClass::Protocol);
    assert!(cause.message().contains("HTTP/1.1 400"), "{cause}");
}

#[tokio::test]
async fn a_server_that_forbids_the_optional_steps_is_served_all_the_same() {
    let info = ClientInfo { lib_name: "x".into(), lib_ver: "1".into() };
    let mut scene = Scene::with(|options| options.client_info = Some(info)).await;
    let id = scene.send(&["GET a"]);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3").await;
    wire.expect("CLIENT SETINFO LIB-NAME x").await;
    wire.expect("CLIENT SETINFO LIB-VER 1").await;
    wire.say("%1\r\n+proto\r\n:3\r\n-NOPERM no\r\n-NOPERM no\r\n").await;
    tokio::spawn(wire.echo());
    assert_eq!(scene.caller.reply(id).await, "a");
}

#[tokio::test]
async fn a_server_without_hello_is_spoken_to_in_resp2() {
    let mut scene = Scene::new().await;
    let id = scene.send(&["GET a"]);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3").await;
    wire.say("-ERR unknown command 'HELLO'\r\n").await;
    wire.expect("PING").await;
    wire.say("+PONG\r\n").await;
    tokio::spawn(wire.echo());
    assert_eq!(scene.caller.reply(id).await, "a");
}

#[tokio::test]
async fn a_server_without_hello_is_not_asked_for_it_again() {
    let mut scene = Scene::new().await;
    let id = scene.send(&["GET a"]);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3").await;
    wire.say("-ERR unknown command 'HELLO'\r\n").await;
    wire.expect("PING").await;
    wire.say("+PONG\r\n").await;
    wire.expect("GET a").await;
    wire.say("$1\r\na\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    drop(wire);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("PING").await;
}

#[tokio::test]
async fn a_wrong_password_ends_what_waits_at_once() {
    let mut scene = Scene::with(|options| options.password = Some(Secret::new("hush"))).await;
    let id = scene.send(&["GET a", "GET b"]);
    let mut wire = scene.server.accept_raw().await;
    wire.expect("HELLO 3 AUTH default hush").await;
    wire.say("-WRONGPASS invalid username-password pair or user is disabled.\r\n").await;
    scene.fail([id, id + 1], "AUTH", Applied::No).await;
    // For a second after a fatal error commands fail at once, and nothing is attempted.
    let id = scene.send(&["GET c"]);
    scene.fail([id], "AUTH", Applied::No).await;
    assert_eq!(scene.metrics.connect_failures.get(), 1);
}

#[tokio::test]
async fn without_an_offline_queue_commands_fail_until_there_is_a_connection() {
    let mut scene = Scene::with(|options| options.offline_queue = false).await;
    let error = scene.try_send(0, &["GET a"]).unwrap_err();
    assert_eq!((error.code(), error.applied()), ("OFFLINE", Some(Applied::No)));
    tokio::spawn(scene.server.accept().await.echo());
    scene.caller.ready().await;
    let id = scene.send(&["GET b"]);
    assert_eq!(scene.caller.reply(id).await, "b");
}

#[tokio::test]
async fn an_idle_connection_is_pinged_and_nobody_hears_the_answer() {
    let mut scene = Scene::with(|options| options.ping_interval = ms(20)).await;
    let mut wire = scene.connect().await;
    for _ in 0..3 {
        wire.expect("PING").await;
        wire.say("+PONG\r\n").await;
    }
    let id = scene.send(&["GET a"]);
    loop {
        match wire.hear().await.as_deref() {
            Some("PING") => wire.say("+PONG\r\n").await,
            heard => break assert_eq!(heard, Some("GET a")),
        }
    }
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a");
    assert_eq!(scene.caller.order, [id]);
    assert_eq!((scene.metrics.tombstones.get(), scene.metrics.lost.get()), (0, 0));
}

/// Within a transaction that the caller has opened, the PING would only be queued, and EXEC would
/// answer with one reply too many.
#[tokio::test]
async fn no_ping_becomes_a_part_of_an_open_transaction() {
    let mut scene = Scene::with(|options| options.ping_interval = ms(20)).await;
    let mut wire = scene.connect().await;
    scene.lane.hold_pings(true);
    let opened = scene.send(&["MULTI a"]);
    // One that was under way before is answered before.
    while wire.hear().await.as_deref() == Some("PING") {
        wire.say("+PONG\r\n").await;
    }
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(opened).await, "a");
    tokio::time::sleep(ms(300)).await;
    let ended = scene.send(&["EXEC b"]);
    assert_eq!(wire.hear().await.as_deref(), Some("EXEC b"));
    wire.say("+b\r\n").await;
    assert_eq!(scene.caller.reply(ended).await, "b");
    scene.lane.hold_pings(false);
    wire.expect("PING").await;
}

#[tokio::test]
async fn a_ping_that_the_server_refuses_is_an_answer() {
    let mut scene = Scene::with(|options| options.ping_interval = ms(20)).await;
    let mut wire = scene.connect().await;
    for _ in 0..3 {
        wire.expect("PING").await;
        wire.say("-LOADING Redis is loading the dataset in memory\r\n").await;
    }
    wire.expect("PING").await;
    assert_eq!(scene.metrics.lost.get(), 0);
}

/// A PING must not put the retry of a refused command off, and only one PING is under way.
#[tokio::test]
async fn pings_more_frequent_than_retries_do_not_stop_them() {
    let mut scene = Scene::with(|options| options.ping_interval = ms(5)).await;
    let mut wire = scene.connect().await;
    let id = scene.send(&["SET a 1"]);
    let (mut asked, mut pings) = (0, 0);
    while asked < 3 {
        match wire.hear().await.as_deref() {
            Some("PING") => {
                pings += 1;
                wire.say("+PONG\r\n").await;
            }
            _ => {
                asked += 1;
                let reply = if asked < 3 { "-LOADING wait\r\n" } else { "+a\r\n" };
                wire.say(reply).await;
            }
        }
    }
    assert_eq!(scene.caller.reply(id).await, "a");
    assert!(pings < 1000, "{pings} pings");
}

/// Such a connection is closed within 10 s, even if some of its commands have no deadline.
#[tokio::test]
async fn a_peer_that_answers_nothing_is_given_up_before_ten_seconds() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send_within(5_000, &["INCR a"]);
    let patient = scene.send(&["INCR b"]);
    wire.expect("INCR a").await;
    wire.expect("INCR b").await;
    // From here on only the clock moves.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    scene.fail([id], "TIMEOUT", Applied::Unknown).await;
    assert!(started.elapsed() < ms(5_100), "{:?}", started.elapsed());
    assert_eq!(scene.caller.error().await, "DEAD_PEER");
    assert!(started.elapsed() < ms(10_000), "{:?}", started.elapsed());
    scene.fail([patient], "CONNECTION_LOST", Applied::Unknown).await;
    wire.expect_end().await;
}

/// The answer to the PING of an idle connection may take 5 s.
#[tokio::test]
async fn a_ping_without_an_answer_ends_the_connection() {
    let mut scene = Scene::with(|options| options.ping_interval = ms(20)).await;
    let mut wire = scene.connect().await;
    wire.expect("PING").await;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    assert_eq!(scene.caller.error().await, "DEAD_PEER");
    assert!(started.elapsed() < ms(5_100), "{:?}", started.elapsed());
    wire.expect_end().await;
}

#[tokio::test]
async fn a_socket_timeout_counts_from_the_last_byte() {
    let mut scene = Scene::with(|options| options.socket.socket_timeout = Some(ms(50))).await;
    let mut wire = scene.connect().await;
    let id = scene.send(&["INCR a"]);
    wire.expect("INCR a").await;
    scene.fail([id], "CONNECTION_LOST", Applied::Unknown).await;
    wire.expect_end().await;
}

/// A connection is replaced at the end of its lifetime; no command fails or changes its order.
#[tokio::test]
async fn connections_that_grow_old_are_replaced_under_load_without_a_failure() {
    const CONNECTIONS: u64 = 4;
    const IN_FLIGHT: u32 = 50;
    let mut scene = Scene::with(|options| options.pool.max_lifetime = Some(ms(60))).await;
    let server = Arc::clone(&scene.server);
    let log = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&log);
    let serving = tokio::spawn(async move {
        loop {
            tokio::spawn(server.accept().await.echo_into(Arc::clone(&heard)));
        }
    });
    let mut sent = 0;
    while scene.metrics.connects.get() < CONNECTIONS {
        let commands: Vec<_> = (sent..sent + 5).map(|n| format!("INCR {n}")).collect();
        sent += 5;
        scene.send(&commands.iter().map(String::as_str).collect::<Vec<_>>());
        if sent > IN_FLIGHT {
            scene.caller.reply(sent - IN_FLIGHT).await;
        }
    }
    for (n, outcome) in scene.all().await.into_iter().enumerate() {
        assert_eq!(outcome.unwrap(), n.to_string());
    }
    assert!(scene.caller.order.is_sorted(), "replies came out of order");
    let expected: Vec<_> = (0..sent).map(|n| format!("INCR {n}")).collect();
    assert_eq!(*log.lock().unwrap(), expected, "commands came out of order");
    assert_eq!(scene.metrics.lost.get(), 0);
    serving.abort();
}

/// A command of which a byte was written may have been run; the others were not.
#[tokio::test]
async fn close_rejects_everything_at_once_and_for_good() {
    let (mut scene, mut wire) = Scene::connected().await;
    let written = scene.send(&["INCR a", "GET b"]);
    wire.expect("INCR a").await;
    let large = format!("SET k {}", "x".repeat(32 << 20));
    let half = scene.send(&[&large]);
    scene.in_flight(3).await;
    let queued = scene.send(&["INCR c"]);
    scene.lane.close(&over());
    scene.fail([written, written + 1, half], "CLOSED", Applied::Unknown).await;
    scene.fail([queued], "CLOSED", Applied::No).await;
    let stats = scene.lane.stats();
    assert_eq!((stats.queued, stats.bytes, stats.connected), (0, 0, false));
    let error = scene.try_send(0, &["GET d"]).unwrap_err();
    assert_eq!((error.code(), error.applied()), ("CLOSED", Some(Applied::No)));
    scene.lane.close(&over());
    while wire.hear().await.is_some() {}
}

#[tokio::test]
async fn close_while_connecting_rejects_what_waits() {
    let mut scene = Scene::new().await;
    let id = scene.send(&["INCR a"]);
    let mut wire = scene.server.accept_raw().await;
    scene.lane.close(&over());
    scene.pool.close().await;
    scene.fail([id], "CLOSED", Applied::No).await;
    while wire.hear().await.is_some() {}
}

#[tokio::test]
async fn a_panic_of_ours_costs_one_connections_commands_and_no_more() {
    let (mut scene, mut wire) = Scene::connected().await;
    let id = scene.send(&["INCR a", "INCR b", "INCR c"]);
    for command in ["INCR a", "INCR b", "INCR c"] {
        wire.expect(command).await;
    }
    scene.caller.bomb.store(true, Ordering::Release);
    wire.say("+a\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "a", "it was on its way already");
    scene.fail([id + 1, id + 2], "INTERNAL", Applied::Unknown).await;
    wire.expect_end().await;
    let id = scene.send(&["INCR d"]);
    let mut wire = scene.server.accept().await;
    wire.expect("INCR d").await;
    wire.say("+d\r\n").await;
    assert_eq!(scene.caller.reply(id).await, "d");
    assert_eq!(scene.pool.stats().idle, 0, "the connection in question is not lent again");
}

#[tokio::test]
async fn events_tell_how_the_connection_fares() {
    let (mut scene, wire) = Scene::connected().await;
    drop(wire);
    scene.caller.event(|event| matches!(event, Event::Lost(0)).then_some(())).await;
    assert_eq!(scene.caller.error().await, "UNEXPECTED_EOF");
    scene.caller.event(|event| matches!(event, Event::Reconnecting(0)).then_some(())).await;
    let _wire = scene.server.accept().await;
    // It took some time to make the connection.
    scene.caller.event(|event| matches!(event, Event::Ready(0, Some(_))).then_some(())).await;
}
