//! From options to a connection that may serve commands.
//!
//! Owns the one deadline of DNS, TCP, TLS and handshake, what is tried when a server refuses the
//! handshake, and the error when the deadline has passed. It makes one attempt, which tries all
//! addresses of the name; the pool decides whether there is another one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::timeout;

use super::handshake::{HandshakeOutcome, Plan};
use super::{Connection, Credentials, Manner};
use crate::error::{Error, ErrorClass, Result};
use crate::options::{ClientOptions, Endpoint};
use crate::stream::{race, AddressBook, ConnectPhase, Progress, ServerAddress, Stream};

/// What an attempt at a connection needs.
pub struct Opening<'a> {
    /// The client's options.
    pub options: &'a ClientOptions,
    /// The configuration made of `options.tls`.
    pub tls: Option<&'a Arc<ClientConfig>>,
    /// Those of the options, or of the application's provider.
    pub credentials: Credentials,
    /// What the server is known to take; None if nothing is known.
    pub manner: Option<Manner>,
    /// What is known of the name's addresses.
    pub book: &'a AddressBook,
    /// Who says whether a server's certificate is for its host, beside the rules of TLS.
    pub judge: Option<Judge<'a>>,
}

/// Says whether the server that has shown these certificates (DER, its own first) is the wanted
/// one.
pub type Judge<'a> = Box<dyn Fn(Vec<Vec<u8>>) -> Verdict<'a> + Send + Sync + 'a>;

/// The answer of a [`Judge`].
pub type Verdict<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

impl fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("endpoint", &self.options.endpoint).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects and does the handshake, all within `socket.connect_timeout`, to a server of which
    /// nothing is known.
    ///
    /// # Errors
    ///
    /// As [`Opening::run`].
    pub async fn open(
        options: &ClientOptions,
        tls: Option<&Arc<ClientConfig>>,
        credentials: Credentials,
    ) -> Result<Connection> {
        let book = AddressBook::default();
        let opening = Opening { options, tls, credentials, manner: None, book: &book, judge: None };
        opening.run(None).await
    }
}

impl Opening<'_> {
    /// Connects and does the handshake, all within `socket.connect_timeout`. `addresses` stand for
    /// those of the name, which is looked up if there are none.
    ///
    /// # Errors
    ///
    /// Class `ConnectionTimeout` (code `CONNECT_TIMEOUT`), `Protocol`, or `Connection` with code
    /// `CONNECT`, `TLS_...`, `AUTH`, `SELECT`, `DENIED`, `HANDSHAKE` or `MAX_CLIENTS`.
    /// [`Error::is_fatal`] tells whether another attempt can succeed.
    pub async fn run(&self, addresses: Option<Vec<ServerAddress>>) -> Result<Connection> {
        self.run_watched(addresses, &Arc::new(Progress::default())).await
    }

    /// As [`Opening::run`]; `progress` says meanwhile how far it has come.
    pub async fn run_watched(
        &self,
        addresses: Option<Vec<ServerAddress>>,
        progress: &Arc<Progress>,
    ) -> Result<Connection> {
        let budget = self.options.socket.connect_timeout;
        match timeout(budget, self.attempt(addresses, progress)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(out_of_time(&self.options.endpoint, budget, progress)),
        }
    }

    async fn attempt(
        &self,
        addresses: Option<Vec<ServerAddress>>,
        progress: &Arc<Progress>,
    ) -> Result<Connection> {
        let found = match addresses {
            Some(addresses) => addresses,
            None => Stream::addresses(self.options, progress).await?,
        };
        let addresses = self.book.ordered(found);
        let share = share(self.options.socket.connect_timeout, addresses.len());
        let run =
            |address, progress: Arc<Progress>| async move { self.at(address, &progress).await };
        let won = race(addresses, share, progress, run).await?;
        for address in won.overtaken {
            if let ServerAddress::Tcp(address) = address {
                self.book.shun(address);
            }
        }
        Ok(won.prize)
    }

    /// A connection to one address.
    async fn at(&self, address: ServerAddress, progress: &Progress) -> Result<Connection> {
        let mut manner = self.manner.unwrap_or_default();
        let mut connection = self.connect(address, progress).await?;
        let mut greeting = self.greet(&mut connection, manner).await?;
        if let Greeting::Refused { is_clean } = greeting {
            manner = Manner::Resp2;
            if !is_clean {
                connection = self.connect(address, progress).await?;
            }
            greeting = self.greet(&mut connection, manner).await?;
        }
        match greeting {
            Greeting::Ready => Ok(connection),
            Greeting::Refused { .. } => Err(closed_early()),
            Greeting::Closed(error) if self.manner.is_some() => Err(error),
            Greeting::Closed(error) => self.with_less(address, manner, error, progress).await,
        }
    }

    /// A connection to a server that has closed one in the middle of the handshake of `refused`,
    /// without a word, for which `closed` is the error. It may not know a command and close for
    /// that.
    async fn with_less(
        &self,
        address: ServerAddress,
        refused: Manner,
        closed: Error,
        progress: &Progress,
    ) -> Result<Connection> {
        let bare = async {
            let mut bare = self.connect(address, progress).await?;
            Ok((self.greet(&mut bare, Manner::Bare).await?, bare))
        };
        let budget = self.options.socket.connect_timeout / SHARES;
        let bare = match timeout(budget, bare).await {
            Ok(Ok((Greeting::Ready, bare))) => bare,
            Ok(Err(error)) if Error::is_fatal(&error) => return Err(error),
            // It closes for another reason, or does not answer at all.
            Ok(_) | Err(_) => return Err(closed),
        };
        // A server that was about to stop, or a proxy without one, closes as well. If the handshake
        // passes now, it is better to have: RESP2 gives other replies.
        let whole = async {
            let mut whole = self.connect(address, progress).await?;
            Ok::<_, Error>((self.greet(&mut whole, refused).await?, whole))
        };
        match timeout(budget, whole).await {
            Ok(Ok((Greeting::Ready, whole))) => Ok(whole),
            _ => Ok(bare),
        }
    }

    async fn connect(&self, address: ServerAddress, progress: &Progress) -> Result<Connection> {
        let stream = Stream::connect(self.options, self.tls, address, progress).await?;
        if let Some(judge) = &self.judge {
            judge(stream.peer_certificates()).await?;
        }
        progress.enter(ConnectPhase::Handshake);
        let mut connection = Connection::new(stream, self.options.limits);
        // The handshake selects this database, or fails.
        connection.database = self.options.database;
        Ok(connection)
    }

    /// Does one handshake.
    async fn greet(&self, connection: &mut Connection, manner: Manner) -> Result<Greeting> {
        let plan = Plan::new(self.options, &self.credentials, manner);
        let mut answers = Vec::new();
        let talk = connection.converse(plan.bytes(), plan.replies(), &mut answers).await;
        // A server that refuses a client says why, and closes. So its answers are looked at before
        // the error of the lost socket.
        match (plan.judge(&answers)?, talk) {
            (HandshakeOutcome::Ready(info), Ok(())) => {
                (connection.info, connection.manner) = (info, manner);
                Ok(Greeting::Ready)
            }
            (HandshakeOutcome::Fallback, talk) => Ok(Greeting::Refused { is_clean: talk.is_ok() }),
            (_, Ok(())) => Err(closed_early()),
            (_, Err(error)) if error.kind() == ErrorClass::Protocol || error.is_fatal() => {
                Err(error)
            }
            (HandshakeOutcome::Unfinished, Err(error)) => {
                Ok(Greeting::Closed(closed_early().with_cause(error)))
            }
            (HandshakeOutcome::Ready(_), Err(error)) => Err(closed_early().with_cause(error)),
        }
    }
}

/// How a handshake has ended.
enum Greeting {
    Ready,
    /// The server does not take HELLO. A clean connection, on which every answer has come, may go on
    /// in RESP2.
    Refused {
        is_clean: bool,
    },
    /// The server has closed the connection without telling why.
    Closed(Error),
}

/// How long one of `addresses` may take before the next one is tried beside it.
fn share(budget: Duration, addresses: usize) -> Duration {
    budget / u32::try_from(addresses + 1).unwrap_or(u32::MAX).max(SHARES)
}

fn closed_early() -> Error {
    let message = "the server closed the connection during the handshake";
    Error::connection("HANDSHAKE", message).retryable()
}

/// The error of a caller that has waited for `budget` while an attempt has come as far as
/// `progress` says.
pub fn out_of_time(endpoint: &Endpoint, budget: Duration, progress: &Progress) -> Error {
    let phase = match progress.phase() {
        ConnectPhase::Dns => "dns (the resolver did not answer)",
        ConnectPhase::Tcp => "tcp (the network or the server did not answer)",
        ConnectPhase::Tls => "tls (the server did not finish the tls handshake)",
        ConnectPhase::Handshake => "handshake (the server accepted, but did not answer)",
    };
    let budget = budget.as_millis();
    let message = format!("could not connect to {endpoint} within {budget} ms: stuck at {phase}");
    let error = Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", message).retryable();
    match progress.failure() {
        // An address that has failed explains a missing socket, but no later phase.
        Some(failure) if progress.phase() == ConnectPhase::Tcp => error.with_cause(failure),
        _ => error,
    }
}

/// The budget of an attempt has so many parts at least, and each address gets one of them before
/// the next is tried: 1 s of the default 5 s. A healthy server has finished its handshake by then
/// over any network, and four others still get their turn.
const SHARES: u32 = 5;
