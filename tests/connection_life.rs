//! Connecting and its deadline, health checks, and the end of a connection.

mod peer;

use std::future::Future;
use std::net::TcpListener as StdListener;
use std::time::Duration;

use oxidis::connection::{Connection, Credentials};
use oxidis::error::{Error, ErrorClass};
use oxidis::options::{ClientOptions, Endpoint, Family, TlsOptions};
use oxidis::stream;
use peer::{Act, Peer};

const HELLO_OK: &str = "%1\r\n+proto\r\n:3\r\n";
const BUDGET: Duration = Duration::from_secs(5);

async fn open(options: &ClientOptions) -> Result<Connection, Error> {
    Connection::open(options, None, Credentials::from(options)).await
}

/// A peer that does the handshake, then plays `rest`.
async fn connected(rest: Vec<Act>) -> (Connection, Peer) {
    let mut script = vec![Act::Hear("HELLO 3"), Act::Say(HELLO_OK)];
    script.extend(rest);
    let peer = Peer::play(vec![script]).await;
    let connection = open(&peer.options()).await.unwrap();
    (connection, peer)
}

#[tokio::test]
async fn a_closed_port_is_refused_with_its_cause() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let endpoint = Endpoint::tcp("127.0.0.1", port);
    let error = open(&ClientOptions { endpoint, ..Default::default() }).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "CONNECT"));
    assert!(error.is_retryable() && !error.is_fatal());
    assert_eq!(error.cause().map(Error::code), Some("ECONNREFUSED"));
    assert_eq!(error.message(), format!("connect ECONNREFUSED 127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_name_that_cannot_exist_does_not_resolve() {
    // An empty label is refused by the resolver itself, without asking the network.
    let endpoint = Endpoint::tcp("no..such..host", 6379);
    let error = open(&ClientOptions { endpoint, ..Default::default() }).await.unwrap_err();
    assert_eq!(error.code(), "CONNECT");
    let cause = error.cause().unwrap();
    assert!(["ENOTFOUND", "EAI_AGAIN"].contains(&cause.code()), "{cause:?}");
}

#[tokio::test]
async fn an_address_of_the_wrong_family_is_not_used() {
    let mut options =
        ClientOptions { endpoint: Endpoint::tcp("127.0.0.1", 6379), ..Default::default() };
    options.socket.family = Family::V6;
    let error = open(&options).await.unwrap_err();
    assert_eq!(error.cause().map(Error::code), Some("ENOTFOUND"));
}

#[tokio::test]
async fn localhost_reaches_a_server_that_listens_on_one_family_only() {
    let peer = Peer::play(vec![vec![Act::Hear("HELLO 3"), Act::Say(HELLO_OK), Act::Hold]]).await;
    let endpoint = Endpoint::tcp("localhost", peer.address.port());
    let connection = open(&ClientOptions { endpoint, ..peer.options() }).await.unwrap();
    assert_eq!(connection.stream.peer(), peer.address.to_string());
}

#[tokio::test]
async fn a_silent_server_costs_the_budget_and_is_told_as_such() {
    let script = vec![Act::Hear("HELLO 3"), Act::Signal, Act::Hold];
    let mut peer = Peer::play(vec![script]).await;
    let options = peer.options();
    let opening = tokio::spawn(async move { open(&options).await });
    peer.signalled().await;
    // From here on, only the clock moves.
    tokio::time::pause();
    let error = opening.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT"));
    assert!(error.is_retryable() && !error.is_fatal());
    assert!(error.message().contains("5000 ms: stuck at handshake"), "{error}");
    peer.done().await;
}

#[tokio::test]
async fn a_server_that_is_silent_in_tls_is_told_as_such() {
    let script = vec![Act::Signal, Act::Hold];
    let mut peer = Peer::play(vec![script]).await;
    let tls = TlsOptions { verify: false, ..Default::default() };
    let config = stream::tls_config(&tls).unwrap();
    let options = ClientOptions { tls: Some(tls), ..peer.options() };
    let opening = tokio::spawn(async move {
        Connection::open(&options, Some(&config), Credentials::default()).await
    });
    peer.signalled().await;
    // The client may not have noticed yet that it is connected. It gets turns to do so before the
    // clock moves.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let error = opening.await.unwrap().unwrap_err();
    assert_eq!(error.code(), "CONNECT_TIMEOUT");
    assert!(error.message().contains("stuck at tls"), "{error}");
}

/// A listener whose backlog is full drops every further SYN.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_network_that_swallows_packets_costs_the_budget() {
    use socket2::{Domain, SockAddr, Socket, Type};

    let address: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::from(address)).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let fillers: Vec<_> = (0..8)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            let _ = socket.connect(&address);
            socket
        })
        .collect();
    let port = address.as_socket().unwrap().port();
    let endpoint = Endpoint::tcp("127.0.0.1", port);
    let error = open(&ClientOptions { endpoint, ..Default::default() }).await.unwrap_err();
    assert_eq!(error.code(), "CONNECT_TIMEOUT");
    assert!(error.message().contains("stuck at tcp"), "{error}");
    drop(fillers);
}

#[cfg(unix)]
#[tokio::test]
async fn a_missing_unix_socket_is_told_by_its_path() {
    let endpoint = Endpoint::unix("/nonexistent/redis.sock");
    let error = open(&ClientOptions { endpoint, ..Default::default() }).await.unwrap_err();
    assert_eq!(error.code(), "CONNECT");
    assert_eq!(error.cause().map(Error::code), Some("ENOENT"));
    assert!(error.message().contains("/nonexistent/redis.sock"), "{error}");
}

#[tokio::test]
async fn tls_without_its_configuration_is_refused_not_sent_in_the_clear() {
    let peer = Peer::play(vec![vec![Act::Hold]]).await;
    let options = ClientOptions { tls: Some(TlsOptions::default()), ..peer.options() };
    assert_eq!(open(&options).await.unwrap_err().kind(), ErrorClass::Usage);
}

#[tokio::test]
async fn any_reply_to_a_ping_means_alive() {
    let (mut connection, peer) = connected(vec![
        Act::Hear("PING"),
        Act::Say("+PONG\r\n"),
        Act::Hear("PING"),
        Act::Say("-LOADING Redis is loading the dataset in memory\r\n"),
        Act::Hear("PING"),
        Act::Say(">1\r\n+invalidate\r\n-BUSY Redis is busy running a script\r\n"),
        Act::Hold,
    ])
    .await;
    for _ in 0..3 {
        connection.ping(BUDGET).await.unwrap();
        assert!(!connection.is_broken());
    }
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn a_ping_without_answer_leaves_the_connection_broken() {
    let (mut connection, mut peer) =
        connected(vec![Act::Hear("PING"), Act::Signal, Act::Hold]).await;
    let pinging = tokio::spawn(async move {
        let outcome = connection.ping(BUDGET).await;
        (connection, outcome)
    });
    peer.signalled().await;
    tokio::time::pause();
    let (mut connection, outcome) = pinging.await.unwrap();
    assert_eq!(outcome.unwrap_err().code(), "CONNECTION_LOST");
    assert!(connection.is_broken());
    assert!(connection.ping(BUDGET).await.is_err(), "a broken connection is not asked again");
}

#[tokio::test]
async fn a_dropped_request_leaves_the_connection_broken() {
    let (mut connection, _peer) = connected(vec![Act::Hold]).await;
    {
        let request = connection.request(b"*1\r\n$4\r\nPING\r\n");
        tokio::pin!(request);
        // One poll writes the command and finds no reply.
        std::future::poll_fn(|context| {
            assert!(request.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }
    assert!(connection.is_broken());
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_breaks_the_connection() {
    let (mut connection, mut peer) =
        connected(vec![Act::Pause, Act::Say("+late\r\n"), Act::Signal, Act::Hold]).await;
    peer.go_on();
    peer.signalled().await;
    connection.stream.readable().await.unwrap();
    let error = connection.ping(BUDGET).await.unwrap_err();
    assert_eq!(error.kind(), ErrorClass::Protocol);
    assert!(connection.is_broken());
}

#[tokio::test]
async fn a_lost_connection_says_which_and_why() {
    let (mut connection, peer) = connected(vec![Act::Hear("PING"), Act::Say("$5\r\nhal")]).await;
    let address = peer.address;
    let error = connection.ping(BUDGET).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "CONNECTION_LOST"));
    assert_eq!(error.message(), format!("the connection to {address} was lost"));
    assert_eq!(error.cause().map(Error::code), Some("UNEXPECTED_EOF"));
    assert!(connection.is_broken());
}

#[tokio::test]
async fn a_batch_larger_than_the_socket_buffers_gets_all_its_replies() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Echoes everything, so that both directions fill up.
    let echo = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buf = vec![0; 65_536];
        socket.read_exact(&mut buf[..HELLO.len()]).await.unwrap();
        socket.write_all(HELLO_OK.as_bytes()).await.unwrap();
        while let Ok(length @ 1..) = socket.read(&mut buf).await {
            socket.write_all(&buf[..length]).await.unwrap();
        }
    });
    let endpoint = Endpoint::tcp("127.0.0.1", port);
    let options = ClientOptions { endpoint, client_info: None, ..Default::default() };
    let mut connection = open(&options).await.unwrap();
    let one = [b"$100000\r\n".as_slice(), &[b'x'; 100_000], b"\r\n"].concat();
    let batch = one.repeat(200);
    let frames = connection.exchange(&batch, 200).await.unwrap();
    let bytes: usize = frames.iter().map(|frames| frames.bytes.len()).sum();
    assert_eq!(bytes, batch.len());
    drop(connection);
    echo.await.unwrap();
}

#[tokio::test]
async fn dropping_a_connection_closes_it_even_if_its_stream_is_shared() {
    let (connection, peer) = connected(vec![Act::Hold]).await;
    let stream = connection.stream.clone();
    drop(connection);
    peer.done().await;
    stream.close();
    assert!(stream.try_write(b"x").is_err());
}

#[tokio::test(start_paused = true)]
async fn age_and_idleness_are_told_apart() {
    let (mut connection, _peer) = connected(vec![Act::Hold]).await;
    let created = connection.created_at();
    tokio::time::advance(Duration::from_secs(60)).await;
    connection.used_at(tokio::time::Instant::now());
    assert_eq!(connection.created_at(), created);
    assert!(connection.idle_since() >= created + Duration::from_secs(60));
}

const HELLO: &str = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
