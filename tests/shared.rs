//! A client that several event loops share: each gets the replies to its own commands only, and may
//! leave at any moment without harm to the others.

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Bytes;
use oxidis::client::{Client, SharedClient};
use oxidis::error::{Applied, ErrorClass};
use oxidis::lane::{Batch, Command};
use oxidis::options::{ClientOptions, Reconnect};
use oxidis::outbox::Event;
use oxidis::resp::encode;
use support::{patiently, Caller, Server, Wire};
use tokio::time::Instant;

/// One event loop's part of a shared client.
struct Part {
    caller: Caller,
    client: Client,
}

impl Part {
    fn join(shared: &Arc<SharedClient>) -> Self {
        let caller = Caller::new();
        let client = Client::join(shared, Arc::clone(&caller.outbox)).unwrap();
        Self { caller, client }
    }

    /// `ECHO` of `word` as command `id`.
    fn send(&self, id: u32, word: &str) -> usize {
        self.client.submit(echo(id, word))
    }
}

fn echo(id: u32, word: &str) -> Batch {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, &[b"ECHO", word.as_bytes()]);
    let command = Command { id, len: bytes.len() as u32, mode: 0, timeout: 0 };
    Batch::new(Bytes::from(bytes), vec![command], Instant::now())
}

/// A server and the shared client `name` of it. Each test has a name of its own, because all tests
/// of this file may share a process.
async fn scene(name: &str) -> (Server, Arc<SharedClient>) {
    let server = Server::start().await;
    let shared = SharedClient::named(name, server.options()).unwrap();
    (server, shared)
}

async fn expect(wire: &mut Wire, words: &[&str]) {
    for word in words {
        wire.expect(&format!("ECHO {word}")).await;
    }
}

/// No caller gets the reply to another's command.
#[tokio::test]
async fn replies_go_to_whoever_asked_although_ids_are_the_same() {
    let (server, shared) = scene("interleaved").await;
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    for round in 1..=3 {
        one.send(round, &format!("one{round}"));
        two.send(round, &format!("two{round}"));
    }
    let mut wire = server.accept().await;
    expect(&mut wire, &["one1", "two1", "one2", "two2", "one3", "two3"]).await;
    wire.say("+one1\r\n+two1\r\n+one2\r\n+two2\r\n+one3\r\n+two3\r\n").await;
    for round in 1..=3 {
        assert_eq!(one.caller.reply(round).await, format!("one{round}"));
        assert_eq!(two.caller.reply(round).await, format!("two{round}"));
    }
    assert!(server.has_no_other().await, "there is one connection");
}

#[tokio::test]
async fn a_command_is_cancelled_for_its_owner_only() {
    let (server, shared) = scene("cancelled").await;
    let (one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.send(1, "one");
    two.send(1, "two");
    assert_eq!(one.client.cancel(1), Some(Applied::No));
    let mut wire = server.accept().await;
    expect(&mut wire, &["two"]).await;
    wire.say("+two\r\n").await;
    assert_eq!(two.caller.reply(1).await, "two");
}

#[tokio::test]
async fn who_leaves_in_mid_flight_takes_nothing_from_the_others() {
    let (server, shared) = scene("mid-flight").await;
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.send(1, "one");
    two.send(1, "two");
    let mut wire = server.accept().await;
    expect(&mut wire, &["one", "two"]).await;
    one.client.close();
    let error = one.caller.failure(1).await;
    assert_eq!((error.kind(), error.applied()), (ErrorClass::Disconnected, Some(Applied::Unknown)));
    two.send(2, "again");
    expect(&mut wire, &["again"]).await;
    // The first reply meets a tombstone.
    wire.say("+one\r\n+two\r\n+again\r\n").await;
    assert_eq!(two.caller.reply(1).await, "two");
    assert_eq!(two.caller.reply(2).await, "again");
    assert_eq!(two.client.metrics().tombstones.get(), 1);
    assert!(two.client.stats().lanes[0].connected);
    assert_eq!(two.client.queued_bytes(), 0);
}

/// Each call after `close` is refused.
#[tokio::test]
async fn who_has_left_is_refused_while_others_go_on() {
    let (server, shared) = scene("left").await;
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.client.close();
    assert_eq!(one.send(1, "late"), 0);
    let error = one.caller.failure(1).await;
    assert_eq!((error.kind(), error.applied()), (ErrorClass::Disconnected, Some(Applied::No)));
    one.client.open_session(7, None);
    assert_eq!(
        one.caller.settled(7).await.map(|error| error.kind()),
        Some(ErrorClass::Disconnected)
    );
    one.client.close();
    two.send(1, "two");
    let mut wire = server.accept().await;
    expect(&mut wire, &["two"]).await;
    wire.say("+two\r\n").await;
    assert_eq!(two.caller.reply(1).await, "two");
}

#[tokio::test]
async fn the_last_one_closes_the_connections_and_the_next_one_begins_anew() {
    let (server, shared) = scene("last").await;
    let (one, two) = (Part::join(&shared), Part::join(&shared));
    one.send(1, "one");
    let mut wire = server.accept().await;
    expect(&mut wire, &["one"]).await;
    drop(one);
    two.send(1, "two");
    expect(&mut wire, &["two"]).await;
    drop(two);
    wire.expect_end().await;

    let mut three = Part::join(&shared);
    three.send(1, "three");
    let mut wire = server.accept().await;
    expect(&mut wire, &["three"]).await;
    wire.say("+three\r\n").await;
    assert_eq!(three.caller.reply(1).await, "three");
    assert_eq!(three.client.metrics().commands.get(), 1, "it shares nothing with the one before");
}

/// An event loop that joins gets an engine that serves, also while the last one before it leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_and_leaving_at_once_loses_no_command() {
    let (server, shared) = scene("race").await;
    let serving = tokio::spawn(async move {
        loop {
            tokio::spawn(server.accept().await.echo());
        }
    });
    let comers = (0..4).map(|comer| {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            for round in 1..=50 {
                let mut part = Part::join(&shared);
                let word = format!("{comer}-{round}");
                part.send(1, &word);
                assert_eq!(part.caller.reply(1).await, word);
            }
        })
    });
    for comer in comers.collect::<Vec<_>>() {
        comer.await.unwrap();
    }
    serving.abort();
}

#[tokio::test]
async fn who_joins_a_connection_that_stands_hears_that_it_is_ready() {
    let (server, shared) = scene("ready").await;
    let mut one = Part::join(&shared);
    one.client.connect();
    let _wire = server.accept().await;
    one.caller.ready().await;
    let mut two = Part::join(&shared);
    two.caller.ready().await;
    let ready = |event: &Event| matches!(event, Event::Ready(_));
    assert!(!one.caller.events().iter().any(ready), "who was there has heard it once");
}

#[tokio::test]
async fn a_lost_connection_is_told_to_all() {
    let (server, shared) = scene("lost").await;
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.client.connect();
    let wire = server.accept().await;
    one.caller.ready().await;
    two.caller.ready().await;
    wire.reset();
    for part in [&mut one, &mut two] {
        part.caller.error().await;
        part.caller.event(|event| matches!(event, Event::Reconnecting(_)).then_some(())).await;
    }
    let _wire = server.accept().await;
    one.caller.ready().await;
    two.caller.ready().await;
}

#[tokio::test]
async fn sessions_are_found_by_their_owners_and_end_with_them() {
    const PLACE: u32 = 1 << 31;
    let (server, shared) = scene("sessions").await;
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.client.open_session(PLACE, None);
    let mut first = server.accept().await;
    assert!(one.caller.settled(PLACE).await.is_none());
    two.client.open_session(PLACE, None);
    let mut second = server.accept().await;
    assert!(two.caller.settled(PLACE).await.is_none());
    one.client.submit_to(PLACE, echo(PLACE + 1, "one"));
    expect(&mut first, &["one"]).await;
    two.client.submit_to(PLACE, echo(PLACE + 1, "two"));
    expect(&mut second, &["two"]).await;
    drop(one);
    first.expect_end().await;
    second.say("+two\r\n").await;
    assert_eq!(two.caller.reply(PLACE + 1).await, "two");
    assert!(two.client.is_session_fit(PLACE));
}

#[tokio::test]
async fn a_session_is_closed_if_its_event_loop_has_gone_when_it_opens() {
    let (server, shared) = scene("nobody").await;
    let (mut one, _two) = (Part::join(&shared), Part::join(&shared));
    one.client.open_session(7, None);
    let mut wire = server.accept_raw().await;
    one.client.close();
    wire.expect("HELLO 3").await;
    wire.say("%1\r\n+proto\r\n:3\r\n").await;
    assert_eq!(
        one.caller.settled(7).await.map(|error| error.kind()),
        Some(ErrorClass::Disconnected)
    );
    wire.expect_end().await;
}

#[tokio::test]
async fn who_waits_for_a_session_elsewhere_is_seen() {
    let server = Server::start().await;
    let mut options = server.options();
    (options.pool.min, options.pool.max) = (0, 1);
    let shared = SharedClient::named("wanted", options).unwrap();
    let (mut one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.client.open_session(100, None);
    let _wire = server.accept().await;
    assert!(one.caller.settled(100).await.is_none());
    assert!(!one.client.is_session_wanted_elsewhere(0));
    two.client.open_session(100, None);
    patiently("the wait of the other", async {
        while !one.client.is_session_wanted_elsewhere(0) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!two.client.is_session_wanted_elsewhere(1), "it waits itself");
    one.client.give_back(100);
    assert!(two.caller.settled(100).await.is_none());
}

/// Memory is bounded for each event loop by itself.
#[tokio::test]
async fn bytes_are_counted_for_each_owner() {
    let (_server, shared) = scene("bytes").await;
    let (one, two) = (Part::join(&shared), Part::join(&shared));
    let together = one.send(1, &"x".repeat(1000)) + two.send(1, "y");
    assert!(one.client.queued_bytes() > 1000);
    assert!(two.client.queued_bytes() < 100);
    assert!(together > one.client.queued_bytes() + two.client.queued_bytes());
}

/// Memory is bounded: an event loop that does not take its replies stops the reading, until it
/// takes them or ends.
#[tokio::test]
async fn an_event_loop_that_stands_still_holds_up_others_only_until_it_ends() {
    let (server, shared) = scene("still").await;
    let (one, mut two) = (Part::join(&shared), Part::join(&shared));
    one.send(1, "large");
    two.send(1, "two");
    let mut wire = server.accept().await;
    expect(&mut wire, &["large", "two"]).await;
    let large = 65 << 20;
    wire.say(&format!("${large}\r\n{}\r\n", "x".repeat(large))).await;
    patiently("the large reply", async {
        while !one.caller.outbox.is_full() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    wire.say("+two\r\n").await;
    drop(one);
    assert_eq!(two.caller.reply(1).await, "two");
}

#[tokio::test]
async fn a_name_stands_for_one_set_of_options_for_as_long_as_it_is_in_use() {
    let server = Server::start().await;
    let other = || ClientOptions { database: 3, ..server.options() };
    let shared = SharedClient::named("options", server.options()).unwrap();
    let again = SharedClient::named("options", server.options()).unwrap();
    assert!(Arc::ptr_eq(&shared, &again));
    let error = SharedClient::named("options", other()).err().unwrap();
    assert_eq!(error.kind(), ErrorClass::Usage);
    assert!(error.message().contains("shared") && error.message().contains("database"));
    assert!(SharedClient::named("another", other()).is_ok());

    let part = Part::join(&shared);
    drop((shared, again));
    assert!(SharedClient::named("options", other()).is_err());
    part.client.close();
    assert!(SharedClient::named("options", other()).is_ok());
}

#[tokio::test]
async fn functions_of_one_thread_are_refused() {
    let server = Server::start().await;
    let asking = ClientOptions { ask_credentials: true, ..server.options() };
    let reconnecting = ClientOptions { reconnect: Reconnect::Ask, ..server.options() };
    for (options, option) in [(asking, "credentialsProvider"), (reconnecting, "reconnectStrategy")]
    {
        let error = SharedClient::named("functions", options).err().unwrap();
        assert_eq!(error.kind(), ErrorClass::Usage);
        assert!(error.message().contains(option), "{error}");
    }
}
