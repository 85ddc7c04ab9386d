//! Every way in which an operation of this library can fail.
//!
//! Owns the error classes, their stable codes, and what a caller may conclude from an error
//! (`applied`, `retryable`, `fatal`). It never holds a password, a key or a value: constructors take
//! this library's own texts, replies of the server, or what the application's functions throw.

use std::fmt;
use std::sync::Arc;

/// The result of an operation that fails with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The JavaScript class that an error becomes. The discriminant crosses the native boundary;
/// `lib/errors.js` lists the classes in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorClass {
    /// The server answered with an error reply; the code is the reply's first word.
    Reply = 0,
    /// A connection could not be made, or was lost.
    Connection = 1,
    /// Connecting took longer than `connectTimeout`, with DNS, TCP, TLS and handshake together.
    ConnectionTimeout = 2,
    /// A command's deadline, or the wait for a pooled connection, has passed.
    Timeout = 3,
    /// The client has been closed or destroyed.
    Closed = 4,
    /// The client is not connected, and `disableOfflineQueue` is set.
    Offline = 5,
    /// A queue bound (`commandsQueueMaxLength`, `maxQueuedBytes`) is reached.
    QueueFull = 6,
    /// The peer sent something that is not RESP, or broke one of the reply limits.
    Protocol = 7,
    /// The caller passed something that can never work.
    Usage = 8,
    /// No node of a deployment could say where the data is.
    RootNodes = 9,
    /// The nodes of a cluster have redirected a command too often.
    Redirections = 10,
    /// The client was closed while the command was under way.
    Disconnected = 11,
    /// A watched key has changed, or may have.
    Watch = 12,
    /// The application's reconnect strategy wants no other attempt, for an error of its own.
    Strategy = 13,
    /// A function of the application has thrown, or returned an error.
    Callback = 14,
}

/// Whether a lost command may have taken effect on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// The server has certainly not run the command.
    No,
    /// The command was written and its reply never came, so the server may have run it.
    Unknown,
}

/// An error with a stable code, a text for people, and what may be concluded from it. A clone is
/// cheap, since many commands may fail with one error.
#[derive(Debug, Clone)]
pub struct Error {
    details: Arc<Details>,
}

#[derive(Debug, Clone)]
struct Details {
    kind: ErrorClass,
    code: String,
    message: String,
    applied: Option<Applied>,
    retryable: bool,
    fatal: bool,
    cause: Option<Error>,
}

impl Error {
    /// An error of class `kind` with its stable `code` and a lower-case text without a secret.
    pub fn new(kind: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        let details = Details {
            kind,
            code: code.into(),
            message: message.into(),
            applied: None,
            retryable: false,
            fatal: false,
            cause: None,
        };
        Self { details: Arc::new(details) }
    }

    /// The server's error reply `text`; its first word is the code.
    pub fn reply(text: impl Into<String>) -> Self {
        let text = text.into();
        let code = text.split([' ', '\r', '\n']).next().unwrap_or_default().to_owned();
        Self::new(ErrorClass::Reply, code, text)
    }

    /// An error of a connection that could not be made or was lost (codes `CONNECT`,
    /// `CONNECTION_LOST`, `TLS_...`, `AUTH` ...).
    pub fn connection(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Connection, code, message)
    }

    /// An error about bytes that are not RESP, or beyond a limit (code `PROTOCOL`).
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Protocol, "PROTOCOL", message)
    }

    /// An error about a call that can never work (code `USAGE`).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Usage, "USAGE", message)
    }

    /// Whether the operating system has told of it: the code is then the name of its errno.
    pub fn is_of_system(&self) -> bool {
        let named = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        self.kind() == ErrorClass::Connection && self.code().strip_prefix('E').is_some_and(named)
    }

    /// An error that a function of the application has thrown. JavaScript finds it by `token`;
    /// `text` stands for it on other threads.
    pub fn callback(kind: ErrorClass, token: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(kind, token, text)
    }

    /// Adds the error that led to this one.
    #[must_use]
    pub fn with_cause(mut self, cause: Error) -> Self {
        self.edit().cause = Some(cause);
        self
    }

    /// Adds whether the command that failed may have taken effect.
    #[must_use]
    pub fn with_applied(mut self, applied: Applied) -> Self {
        self.edit().applied = Some(applied);
        self
    }

    /// Adds that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.edit().retryable = true;
        self
    }

    /// Adds that another attempt cannot succeed until a person changes something (a wrong password,
    /// a refused certificate, a database that does not exist). Waiting callers then fail at once.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.edit().fatal = true;
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorClass {
        self.details.kind
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.details.code
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// Whether the command may have taken effect; `None` if no command was lost.
    pub fn applied(&self) -> Option<Applied> {
        self.details.applied
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.details.retryable
    }

    /// Whether another attempt cannot succeed until a person changes something.
    pub fn is_fatal(&self) -> bool {
        self.details.fatal
    }

    /// The error that led to this one.
    pub fn cause(&self) -> Option<&Error> {
        self.details.cause.as_ref()
    }

    fn edit(&mut self) -> &mut Details {
        Arc::make_mut(&mut self.details)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.details.cause.as_ref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl From<std::io::Error> for Error {
    /// An I/O failure. Its code is the name of its errno as Node spells it (`ECONNREFUSED` ...).
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let code = match error.kind() {
            K::ConnectionRefused => "ECONNREFUSED",
            K::ConnectionReset => "ECONNRESET",
            K::ConnectionAborted => "ECONNABORTED",
            K::BrokenPipe => "EPIPE",
            K::TimedOut => "ETIMEDOUT",
            K::NotFound => "ENOENT",
            K::PermissionDenied => "EACCES",
            K::AddrNotAvailable => "EADDRNOTAVAIL",
            K::HostUnreachable => "EHOSTUNREACH",
            K::NetworkUnreachable => "ENETUNREACH",
            K::UnexpectedEof => "UNEXPECTED_EOF",
            _ => "EIO",
        };
        Self::connection(code, error.to_string().to_lowercase()).retryable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_reply_is_its_first_word() {
        assert_eq!(Error::reply("WRONGTYPE Operation against a key").code(), "WRONGTYPE");
        assert_eq!(Error::reply("").code(), "");
    }

    #[test]
    fn a_shared_error_is_copied_before_it_changes() {
        let plain = Error::connection("CONNECT", "no route");
        let marked = plain.clone().with_applied(Applied::Unknown);
        assert_eq!(plain.applied(), None);
        assert_eq!(marked.applied(), Some(Applied::Unknown));
    }
}
