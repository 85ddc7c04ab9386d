//! Names with several addresses, some of which lead to servers that are of no use.

mod peer;

use std::time::Duration;

use oxidis::connection::{Connection, Credentials, Opening};
use oxidis::error::Error;
use oxidis::options::{ClientOptions, Secret};
use oxidis::stream::{AddressBook, ServerAddress};
use peer::{Act, Peer};
use tokio::time::Instant;

const HELLO_OK: &str = "%1\r\n+proto\r\n:3\r\n";

/// Opens a connection to the name that all of `peers` are behind, in this order.
async fn open(
    peers: &[&Peer],
    book: &AddressBook,
    change: impl FnOnce(&mut ClientOptions),
) -> Result<Connection, Error> {
    let mut options = peers[0].options();
    change(&mut options);
    let addresses = peers.iter().map(|peer| ServerAddress::Tcp(peer.address)).collect();
    let credentials = Credentials::from(&options);
    let opening =
        Opening { options: &options, tls: None, credentials, manner: None, book, judge: None };
    opening.run(Some(addresses)).await
}

fn good() -> Vec<Act> {
    vec![Act::Hear("HELLO 3"), Act::Say(HELLO_OK), Act::Hold]
}

#[tokio::test]
async fn a_server_that_accepts_and_stays_silent_is_overtaken_and_remembered() {
    let silent = Peer::play(vec![vec![Act::Hear("HELLO 3"), Act::Hold]]).await;
    let ready = Peer::play(vec![good(), good()]).await;
    let book = AddressBook::default();
    let started = Instant::now();
    let first = open(&[&silent, &ready], &book, |_| ()).await.unwrap();
    assert_eq!(first.stream.peer(), ready.address.to_string());
    assert!(started.elapsed() > Duration::from_millis(900), "it got its share of the budget");
    let named = vec![ServerAddress::Tcp(silent.address), ServerAddress::Tcp(ready.address)];
    assert_eq!(book.ordered(named).first(), Some(&ServerAddress::Tcp(ready.address)));
    // It has played its only script, so a second connection to it would fail the test.
    let second = open(&[&silent, &ready], &book, |_| ()).await.unwrap();
    assert_eq!(second.stream.peer(), ready.address.to_string());
    silent.done().await;
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_followed_at_once() {
    for refusal in ["-LOADING Redis is loading\r\n", "-ERR max number of clients reached\r\n"] {
        let loading = Peer::play(vec![vec![Act::Hear("HELLO 3"), Act::Say(refusal), Act::Hold]]);
        let (loading, ready) = (loading.await, Peer::play(vec![good()]).await);
        let connection = open(&[&loading, &ready], &AddressBook::default(), |_| ()).await.unwrap();
        assert_eq!(connection.stream.peer(), ready.address.to_string());
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_at_one_address_only() {
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    let first = Peer::play(vec![vec![Act::Hear("HELLO 3 AUTH default pw"), Act::Say(wrong)]]).await;
    let second = Peer::play(vec![vec![Act::Signal]]).await;
    let with_password = |options: &mut ClientOptions| options.password = Some(Secret::new("pw"));
    let opened = open(&[&first, &second], &AddressBook::default(), with_password).await;
    assert_eq!(opened.unwrap_err().code(), "AUTH");
    first.done().await;
    let mut second = second;
    let heard = tokio::time::timeout(Duration::from_millis(50), second.signalled()).await;
    assert!(heard.is_err(), "the second server was connected to");
}

#[tokio::test]
async fn the_budget_ends_the_attempts_at_all_addresses() {
    let silent = [Peer::play(vec![vec![Act::Hold]]).await, Peer::play(vec![vec![Act::Hold]]).await];
    let budget = Duration::from_millis(500);
    let hurried = |options: &mut ClientOptions| options.socket.connect_timeout = budget;
    let opened = open(&[&silent[0], &silent[1]], &AddressBook::default(), hurried).await;
    let error = opened.unwrap_err();
    assert_eq!(error.code(), "CONNECT_TIMEOUT");
    assert!(error.message().contains("stuck at handshake"), "{error}");
}
