//! From options to a connection that may serve commands.
//!
//! Owns the one deadline of DNS, TCP, TLS and handshake, the fallback to RESP2, and the error when
//! the deadline has passed. It makes one attempt; the pool decides whether there is another one.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio::time::timeout;

use super::handshake::{HandshakeOutcome, Plan};
use super::{Connection, Credentials};
use crate::error::{Error, ErrorClass, Result};
use crate::options::{ClientOptions, Protocol};
use crate::stream::{ConnectPhase, Progress, Stream};

impl Connection {
    /// Connects and does the handshake, all within `socket.connect_timeout`. `tls` is the
    /// configuration made of `options.tls`; `credentials` are those of the options or of the
    /// application's provider.
    ///
    /// # Errors
    ///
    /// Class `ConnectionTimeout` (code `CONNECT_TIMEOUT`), `Protocol`, or `Connection` with code
    /// `CONNECT`, `TLS_...`, `AUTH`, `SELECT`, `DENIED`, `HANDSHAKE` or `MAX_CLIENTS`.
    /// [`Error::is_fatal`] tells whether another attempt can succeed.
    pub async fn open(
        options: &ClientOptions,
        tls: Option<&Arc<ClientConfig>>,
        credentials: Credentials,
    ) -> Result<Connection> {
        let progress = Progress::default();
        let attempt = attempt(options, tls, &credentials, &progress);
        match timeout(options.socket.connect_timeout, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(out_of_time(options, &progress)),
        }
    }
}

async fn attempt(
    options: &ClientOptions,
    tls: Option<&Arc<ClientConfig>>,
    credentials: &Credentials,
    progress: &Progress,
) -> Result<Connection> {
    let mut connection = connect(options, tls, progress).await?;
    if options.protocol == Protocol::Resp3 {
        let plan = Plan::new(options, credentials, Protocol::Resp3);
        match greet(&mut connection, plan).await? {
            Greeting::Ready => return Ok(connection),
            Greeting::Fallback { is_clean: true } => {}
            Greeting::Fallback { is_clean: false } => {
                connection = connect(options, tls, progress).await?;
            }
        }
    }
    match greet(&mut connection, Plan::new(options, credentials, Protocol::Resp2)).await? {
        Greeting::Ready => Ok(connection),
        Greeting::Fallback { .. } => Err(closed_early()),
    }
}

async fn connect(
    options: &ClientOptions,
    tls: Option<&Arc<ClientConfig>>,
    progress: &Progress,
) -> Result<Connection> {
    let stream = Stream::connect_tracked(options, tls, progress).await?;
    progress.enter(ConnectPhase::Handshake);
    let mut connection = Connection::new(stream, options.limits);
    // The handshake selects this database, or fails.
    connection.database = options.database;
    Ok(connection)
}

/// How a handshake has ended.
enum Greeting {
    Ready,
    /// The server does not speak RESP3. A clean connection, on which every answer has come, may go on
    /// in RESP2.
    Fallback {
        is_clean: bool,
    },
}

/// Does one handshake.
async fn greet(connection: &mut Connection, plan: Plan) -> Result<Greeting> {
    let mut answers = Vec::new();
    let talk = connection.converse(plan.bytes(), plan.replies(), &mut answers).await;
    // A server that refuses a client says why, and closes. So its answers are looked at before the
    // error of the lost socket.
    match (plan.judge(&answers)?, talk) {
        (HandshakeOutcome::Ready(info), Ok(())) => {
            connection.info = info;
            Ok(Greeting::Ready)
        }
        (HandshakeOutcome::Fallback, talk) => Ok(Greeting::Fallback { is_clean: talk.is_ok() }),
        (_, Ok(())) => Err(closed_early()),
        (_, Err(error)) if error.kind() == ErrorClass::Protocol || error.is_fatal() => Err(error),
        (_, Err(error)) => Err(closed_early().with_cause(error)),
    }
}

fn closed_early() -> Error {
    let message = "the server closed the connection during the handshake";
    Error::connection("HANDSHAKE", message).retryable()
}

fn out_of_time(options: &ClientOptions, progress: &Progress) -> Error {
    let phase = match progress.phase() {
        ConnectPhase::Dns => "dns (the resolver did not answer)",
        ConnectPhase::Tcp => "tcp (the network or the server did not answer)",
        ConnectPhase::Tls => "tls (the server did not finish the tls handshake)",
        ConnectPhase::Handshake => "handshake (the server accepted, but did not answer)",
    };
    let budget = options.socket.connect_timeout.as_millis();
    let message = format!("could not connect to {} within {budget} ms: stuck at {phase}", {
        &options.endpoint
    });
    let error = Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", message).retryable();
    match progress.failure() {
        // An address that has failed explains a missing socket, but no later phase.
        Some(failure) if progress.phase() == ConnectPhase::Tcp => error.with_cause(failure),
        _ => error,
    }
}
