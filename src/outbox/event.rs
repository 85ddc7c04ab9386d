//! Changes of a client's state, and questions to the application.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// A change of state, or a question.
#[derive(Debug, Clone)]
pub enum Event {
    /// The lane with this id has a connection that has finished its handshake, and what it took to
    /// make it; None for a lane that had one before this event loop joined the client.
    Ready(u32, Option<Duration>),
    /// The lane with this id has lost its connection.
    Lost(u32),
    /// The exclusive lane of the session with this id can be watched.
    Opened(u32),
    /// The exclusive lane of the session with this id has ended.
    Left(u32),
    /// The watcher of the lane or session with this id has to ask again what to wait for: the
    /// driver has taken the connection over, has handed it back, or found its socket full.
    Look(u32),
    /// The last usable connection is gone, or a connection attempt has failed. The address is that
    /// of the node concerned, if there is one.
    Error(Error, Option<String>),
    /// The nodes of a deployment may have changed; true if they are known for the first time.
    Topology(bool),
    /// Another attempt will be made, after this many failures in a row.
    Reconnecting(u32),
    /// The reconnect strategy has given up: no further attempt will be made.
    Stopped(Error),
    /// A question to the JavaScript reconnect strategy: the question's id, the number of retries
    /// before this one, and the last error.
    AskDelay(u32, u32, Error),
    /// A question to the JavaScript credentials provider: the question's id.
    AskCredentials(u32),
    /// The server has answered the PING of a lane that was idle.
    Pinged,
    /// A question to a JavaScript function that judges servers' certificates: the question's id, and
    /// what is to be judged.
    AskIdentity(u32, Arc<Identity>),
    /// A question to a JavaScript function that resolves host names: the question's id, and the
    /// name.
    AskLookup(u32, Arc<Name>),
    /// A question to the JavaScript map of addresses: the question's id, and the address that
    /// servers name.
    AskAddress(u32, String),
    /// Subscriptions that were lost are confirmed again.
    Resubscribed(Resubscribed),
}

/// The certificate of a server, which has been verified, and the host that it has to be for.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    /// The number of the application's function.
    pub function: u32,
    /// The host.
    pub host: String,
    /// The server's certificate and those that came with it, DER.
    pub chain: Vec<Vec<u8>>,
}

/// A host name whose addresses are wanted.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    /// The number of the application's function.
    pub function: u32,
    /// The host name.
    pub host: String,
    /// 4, 6, or 0 for either.
    pub family: u8,
}

/// Which subscriptions were lost and are confirmed again, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resubscribed {
    /// Channels that are subscribed to again.
    pub channels: u32,
    /// Patterns that are subscribed to again.
    pub patterns: u32,
    /// Shard channels that are subscribed to again.
    pub shard_channels: u32,
    /// The longest time in which messages may have been missed. It begins with the loss, or with
    /// the last bytes from a peer that has died, and ends when the last of these subscriptions was
    /// confirmed.
    pub lost: Duration,
}
