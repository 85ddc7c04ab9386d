//! Every branch of the handshake, against a peer that plays a script.

mod peer;

use oxidis::connection::{Connection, Credentials, Manner};
use oxidis::error::{Error, ErrorClass};
use oxidis::options::{ClientInfo, ClientOptions, Protocol, Secret};
use peer::{Act, Peer};

const HELLO_OK: &str = "%3\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n+id\r\n:12\r\n";
const PASSWORD: &str = "canary-password";

async fn open(options: &ClientOptions) -> Result<Connection, Error> {
    Connection::open(options, None, Credentials::from(options)).await
}

/// Plays `script` and expects the connection to fail.
async fn failure(change: impl FnOnce(&mut ClientOptions), script: Vec<Act>) -> Error {
    let peer = Peer::play(vec![script]).await;
    let mut options = peer.options();
    change(&mut options);
    let error = open(&options).await.expect_err("the connection is refused");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(PASSWORD), "the password shows in {shown}");
    error
}

fn with_password(options: &mut ClientOptions) {
    options.password = Some(Secret::new(PASSWORD));
}

#[tokio::test]
async fn the_whole_handshake_is_one_write() {
    // The peer answers once it has heard all commands.
    let said = "HELLO 3 AUTH joe canary-password SETNAME me | SELECT 2 | \
                CLIENT SETINFO LIB-NAME lib | CLIENT SETINFO LIB-VER 9 | READONLY";
    let peer = Peer::play(vec![vec![
        Act::Hear(said),
        Act::Say(HELLO_OK),
        Act::Say("+OK\r\n-ERR unknown subcommand\r\n-NOPERM no\r\n+OK\r\n"),
        Act::Hold,
    ]])
    .await;
    let mut options = peer.options();
    with_password(&mut options);
    options.username = Some("joe".into());
    options.name = Some("me".into());
    options.database = 2;
    options.client_info = Some(ClientInfo { lib_name: "lib".into(), lib_ver: "9".into() });
    options.readonly = true;
    let connection = open(&options).await.unwrap();
    assert_eq!(connection.info.proto, 3);
    assert_eq!(connection.info.id, Some(12));
    assert_eq!(connection.info.server.as_deref(), Some("redis"));
    assert!(!connection.is_broken());
    assert!(!format!("{connection:?} {options:?}").contains(PASSWORD));
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn answers_may_come_in_any_pieces_with_pushes_between() {
    let peer = Peer::play(vec![vec![
        Act::Hear("HELLO 3 | SELECT 1"),
        Act::Trickle(">2\r\n+invalidate\r\n_\r\n"),
        Act::Trickle(HELLO_OK),
        Act::Trickle(">1\r\n+x\r\n+OK\r\n"),
        Act::Hold,
    ]])
    .await;
    let options = ClientOptions { database: 1, ..peer.options() };
    let connection = open(&options).await.unwrap();
    assert_eq!(connection.info.id, Some(12));
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn a_refused_password_is_fatal_and_never_shown() {
    let replies = [
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        "-ERR AUTH <password> called without any password configured for the default user\r\n",
        "-ERR AUTH failed for canary-password\r\n",
    ];
    for reply in replies {
        let script = vec![
            Act::Hear("HELLO 3 AUTH default canary-password | SELECT 1"),
            Act::Say(reply),
            Act::Say("-NOAUTH Authentication required.\r\n"),
            Act::Hold,
        ];
        let change = |options: &mut ClientOptions| {
            with_password(options);
            options.database = 1;
        };
        let error = failure(change, script).await;
        assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "AUTH"), "{reply}");
        assert!(error.is_fatal());
        assert_eq!(error.message(), "the server refused the credentials");
        assert_eq!(error.cause().map(Error::kind), Some(ErrorClass::Reply));
    }
}

#[tokio::test]
async fn a_missing_password_is_fatal_in_either_protocol() {
    let noauth = "-NOAUTH Authentication required.\r\n";
    for (protocol, said) in [(Protocol::Resp3, "HELLO 3"), (Protocol::Resp2, "PING")] {
        let script = vec![Act::Hear(said), Act::Say(noauth), Act::Hold];
        let error = failure(|options| options.protocol = protocol, script).await;
        assert_eq!(error.code(), "AUTH");
        assert!(error.is_fatal());
        assert!(error.message().contains("none was given"), "{error}");
        assert_eq!(error.cause().map(Error::code), Some("NOAUTH"));
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_fatal() {
    let script = vec![
        Act::Hear("HELLO 3 | SELECT 99"),
        Act::Say(HELLO_OK),
        Act::Say("-ERR DB index is out of range\r\n"),
        Act::Hold,
    ];
    let error = failure(|options| options.database = 99, script).await;
    assert_eq!(error.code(), "SELECT");
    assert!(error.is_fatal() && !error.is_retryable());
    assert_eq!(error.cause().map(Error::message), Some("ERR DB index is out of range"));
}

#[tokio::test]
async fn a_server_that_is_not_ready_may_be_asked_again() {
    for (protocol, said) in [(Protocol::Resp3, "HELLO 3 | SELECT 1"), (Protocol::Resp2, "SELECT 1")]
    {
        for reply in ["-LOADING loading\r\n", "-MASTERDOWN link\r\n", "-BUSY script\r\n"] {
            let hello = if protocol == Protocol::Resp3 { HELLO_OK } else { "" };
            let script = vec![Act::Hear(said), Act::Say(hello), Act::Say(reply), Act::Hold];
            let change = |options: &mut ClientOptions| {
                options.protocol = protocol;
                options.database = 1;
            };
            let error = failure(change, script).await;
            assert_eq!(error.kind(), ErrorClass::Connection);
            assert!(error.is_retryable() && !error.is_fatal(), "{reply}");
            assert!(error.cause().is_some_and(|cause| reply[1..].starts_with(cause.code())));
        }
    }
}

#[tokio::test]
async fn without_hello_the_same_connection_goes_on_in_resp2() {
    let replies = [
        "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `joe`, \r\n",
        "-ERR unknown command 'HELLO'\r\n",
        "-NOPROTO sorry this protocol version is not supported\r\n",
        "-NOPERM this user has no permissions to run the 'hello' command\r\n",
        "-ERR unsupported command\r\n",
    ];
    for reply in replies {
        let peer = Peer::play(vec![vec![
            Act::Hear("HELLO 3 AUTH joe canary-password SETNAME me | SELECT 1"),
            Act::Say(reply),
            Act::Say("-NOAUTH Authentication required.\r\n"),
            Act::Hear("AUTH joe canary-password | CLIENT SETNAME me | SELECT 1"),
            Act::Say("+OK\r\n-ERR names are not supported\r\n+OK\r\n"),
            Act::Hold,
        ]])
        .await;
        let mut options = peer.options();
        with_password(&mut options);
        options.username = Some("joe".into());
        options.name = Some("me".into());
        options.database = 1;
        let connection = open(&options).await.unwrap_or_else(|error| panic!("{reply} {error:?}"));
        assert_eq!(connection.info.proto, 2);
        drop(connection);
        peer.done().await;
    }
}

#[tokio::test]
async fn without_hello_and_closed_a_new_connection_speaks_resp2() {
    let peer = Peer::play(vec![
        vec![Act::Hear("HELLO 3 | SELECT 1"), Act::Say("-ERR unknown command 'HELLO'\r\n")],
        vec![Act::Hear("SELECT 1"), Act::Say("+OK\r\n"), Act::Hold],
    ])
    .await;
    let options = ClientOptions { database: 1, ..peer.options() };
    let connection = open(&options).await.unwrap();
    assert_eq!(connection.info.proto, 2);
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn resp2_on_request_says_no_hello() {
    let peer = Peer::play(vec![vec![
        Act::Hear("AUTH canary-password | CLIENT SETNAME me"),
        Act::Say("+OK\r\n+OK\r\n"),
        Act::Hold,
    ]])
    .await;
    let mut options = peer.options();
    with_password(&mut options);
    options.protocol = Protocol::Resp2;
    options.name = Some("me".into());
    assert_eq!(open(&options).await.unwrap().info.proto, 2);
    peer.done().await;
}

#[tokio::test]
async fn resp2_with_a_wrong_password_is_fatal() {
    for reply in ["-WRONGPASS no\r\n", "-ERR invalid password\r\n", "-NOPERM no\r\n"] {
        let script = vec![Act::Hear("AUTH canary-password"), Act::Say(reply), Act::Hold];
        let change = |options: &mut ClientOptions| {
            with_password(options);
            options.protocol = Protocol::Resp2;
        };
        let error = failure(change, script).await;
        assert_eq!(error.code(), "AUTH");
        assert!(error.is_fatal());
    }
}

#[tokio::test]
async fn a_replica_outside_of_a_cluster_needs_no_readonly() {
    let peer = Peer::play(vec![vec![
        Act::Hear("HELLO 3 | READONLY"),
        Act::Say(HELLO_OK),
        Act::Say("-ERR This instance has cluster support disabled\r\n"),
        Act::Hold,
    ]])
    .await;
    open(&ClientOptions { readonly: true, ..peer.options() }).await.unwrap();
    peer.done().await;

    let script = vec![
        Act::Hear("HELLO 3 | READONLY"),
        Act::Say(HELLO_OK),
        Act::Say("-NOPERM no permission\r\n"),
        Act::Hold,
    ];
    let error = failure(|options| options.readonly = true, script).await;
    assert_eq!((error.code(), error.is_fatal()), ("HANDSHAKE", true));
}

#[tokio::test]
async fn a_full_server_may_be_asked_again() {
    // The server says so without waiting for a command, and closes.
    let script = vec![Act::Say("-ERR max number of clients reached\r\n")];
    let error = failure(|options| options.database = 3, script).await;
    assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "MAX_CLIENTS"));
    assert!(error.is_retryable() && !error.is_fatal());
}

#[tokio::test]
async fn protected_mode_is_fatal() {
    let script = vec![Act::Say("-DENIED Redis is running in protected mode because ...\r\n")];
    let error = failure(|_| {}, script).await;
    assert_eq!((error.code(), error.is_fatal()), ("DENIED", true));
}

#[tokio::test]
async fn a_close_in_the_handshake_keeps_its_cause() {
    for script in
        [vec![], vec![Act::Hear("HELLO 3")], vec![Act::Hear("HELLO 3"), Act::Say("%3\r\n")]]
    {
        let error = failure(|_| {}, script).await;
        assert_eq!((error.kind(), error.code()), (ErrorClass::Connection, "HANDSHAKE"));
        assert!(error.is_retryable() && !error.is_fatal());
        let cause = error.cause().expect("the cause is told");
        assert_eq!(cause.code(), "CONNECTION_LOST");
        assert!(cause.cause().is_some());
    }
}

#[tokio::test]
async fn a_peer_that_is_no_redis_is_a_protocol_error_with_its_words() {
    let cases = [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400"),
        ("\u{15}\u{3}\u{1}\0\u{2}\u{2}\n", "\\x15\\x03\\x01"),
    ];
    for (bytes, shown) in cases {
        let script = vec![Act::Hear("HELLO 3"), Act::Say(bytes), Act::Hold];
        let error = failure(|_| {}, script).await;
        assert_eq!(error.kind(), ErrorClass::Protocol);
        assert!(error.message().contains(shown), "{error}");
    }
}

#[tokio::test]
async fn one_answer_too_many_is_a_protocol_error() {
    let script = vec![Act::Hear("HELLO 3"), Act::Say("%1\r\n+proto\r\n:3\r\n+OK\r\n"), Act::Hold];
    assert_eq!(failure(|_| {}, script).await.kind(), ErrorClass::Protocol);
}

/// A proxy that knows AUTH but not HELLO asks for a login before it looks at the command.
#[tokio::test]
async fn a_proxy_that_asks_for_auth_in_place_of_hello_gets_it_once() {
    let noauth = "-NOAUTH Authentication required.\r\n";
    for (reply, outcome) in [("+OK\r\n", None), ("-ERR invalid password\r\n", Some("AUTH"))] {
        let peer = Peer::play(vec![vec![
            Act::Hear("HELLO 3 AUTH default canary-password | SELECT 1"),
            Act::Say(noauth),
            Act::Say(noauth),
            Act::Hear("AUTH canary-password | SELECT 1"),
            Act::Say(reply),
            Act::Say("+OK\r\n"),
            Act::Hold,
        ]])
        .await;
        let mut options = ClientOptions { database: 1, ..peer.options() };
        with_password(&mut options);
        let opened = open(&options).await;
        assert_eq!(opened.as_ref().err().map(Error::code), outcome);
        assert!(opened.as_ref().err().is_none_or(Error::is_fatal));
        let manner = opened.as_ref().ok().map(|connection| connection.manner);
        assert_eq!(manner, outcome.is_none().then_some(Manner::Resp2));
        drop(opened);
        // Nobody has connected a second time.
        peer.done().await;
    }
}

/// It closes at a command that it does not know, without a word.
#[tokio::test]
async fn a_proxy_that_closes_at_hello_is_asked_for_no_more_than_it_knows() {
    let full = "HELLO 3 AUTH default canary-password SETNAME me | CLIENT SETINFO LIB-NAME lib | \
                CLIENT SETINFO LIB-VER 9";
    let peer = Peer::play(vec![
        vec![Act::Hear(full)],
        vec![Act::Hear("AUTH canary-password"), Act::Say("+OK\r\n"), Act::Hold],
        vec![Act::Hear(full)],
    ])
    .await;
    let mut options = peer.options();
    with_password(&mut options);
    options.name = Some("me".into());
    options.client_info = Some(ClientInfo { lib_name: "lib".into(), lib_ver: "9".into() });
    let connection = open(&options).await.unwrap();
    assert_eq!((connection.manner, connection.info.proto), (Manner::Bare, 2));
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn a_proxy_that_closes_at_setinfo_is_not_told_who_we_are() {
    let full = "CLIENT SETINFO LIB-NAME lib | CLIENT SETINFO LIB-VER 9 | PING";
    let peer = Peer::play(vec![
        vec![Act::Hear(full)],
        vec![Act::Hear("PING"), Act::Say("+PONG\r\n"), Act::Hold],
        vec![Act::Hear(full)],
    ])
    .await;
    let mut options = peer.options();
    options.protocol = Protocol::Resp2;
    options.client_info = Some(ClientInfo { lib_name: "lib".into(), lib_ver: "9".into() });
    assert_eq!(open(&options).await.unwrap().manner, Manner::Bare);
    peer.done().await;
}

/// A server that was about to stop closes as well. RESP2 gives other replies than RESP3, so one
/// close by chance must not lead there.
#[tokio::test]
async fn a_server_that_closed_by_chance_is_spoken_to_in_full() {
    let peer = Peer::play(vec![
        vec![Act::Hear("HELLO 3")],
        vec![Act::Hear("PING"), Act::Say("+PONG\r\n"), Act::Hold],
        vec![Act::Hear("HELLO 3"), Act::Say(HELLO_OK), Act::Hold],
    ])
    .await;
    let connection = open(&peer.options()).await.unwrap();
    assert_eq!((connection.manner, connection.info.proto), (Manner::Full, 3));
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn a_wrong_password_is_fatal_also_where_hello_closes_the_connection() {
    let peer = Peer::play(vec![
        vec![Act::Hear("HELLO 3 AUTH default canary-password")],
        vec![Act::Hear("AUTH canary-password"), Act::Say("-ERR invalid password\r\n"), Act::Hold],
    ])
    .await;
    let mut options = peer.options();
    with_password(&mut options);
    let error = open(&options).await.unwrap_err();
    assert_eq!((error.code(), error.is_fatal()), ("AUTH", true));
    peer.done().await;
}
