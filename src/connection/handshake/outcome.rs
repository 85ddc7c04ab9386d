//! What a server's answers to the handshake mean.
//!
//! Owns which refusal is fatal, which may pass, and which does not matter. Invariants: no outcome
//! carries the password, even where the server echoes it; a step that only helps people (names in
//! `CLIENT LIST`) never fails a connection.

use super::{HandshakeStep, Plan};
use crate::connection::ServerInfo;
use crate::error::{Error, Result};
use crate::error_replies::{ErrorReply, Reason};
use crate::options::Secret;
use crate::resp::{Frames, ValueKind};

/// What the server's answers mean for the connection.
#[derive(Debug)]
pub(in crate::connection) enum HandshakeOutcome {
    /// The connection may be used.
    Ready(ServerInfo),
    /// The server does not know `HELLO`, or does not allow it. The handshake goes on in RESP2.
    Fallback,
    /// Answers are missing, and those that came say neither of the two.
    Unfinished,
}

impl Plan {
    /// What the answers mean. There are fewer than commands if the server has closed the connection.
    ///
    /// # Errors
    ///
    /// Class `Connection` with code `AUTH`, `SELECT`, `DENIED`, `MAX_CLIENTS` or `HANDSHAKE`, or class
    /// `Protocol`.
    pub(in crate::connection) fn judge(&self, answers: &[Frames]) -> Result<HandshakeOutcome> {
        let roots = answers
            .iter()
            .flat_map(|frames| frames.replies.iter().map(move |root| (frames, *root)));
        let mut info = ServerInfo { proto: 2, ..Default::default() };
        let mut answered = 0;
        for (step, (frames, root)) in self.steps.iter().zip(roots) {
            answered += 1;
            match (error_text(frames, root), step) {
                (Some(text), _) => {
                    if let Some(outcome) = self.refused(*step, &text)? {
                        return Ok(outcome);
                    }
                }
                (None, HandshakeStep::Hello) => info = ServerInfo::read(frames, root)?,
                (None, _) => {}
            }
        }
        if answered < self.steps.len() {
            return Ok(HandshakeOutcome::Unfinished);
        }
        Ok(HandshakeOutcome::Ready(info))
    }

    /// What an error reply to `step` means; `None` if it does not matter.
    fn refused(&self, step: HandshakeStep, text: &str) -> Result<Option<HandshakeOutcome>> {
        let text = self.redacted(text);
        let cause = Error::reply(text.as_str());
        let word = cause.code().to_owned();
        if text.starts_with("ERR max number of clients") {
            let message = "the server has no room for another client (maxclients)";
            return Err(Error::connection("MAX_CLIENTS", message).retryable().with_cause(cause));
        }
        let reason = ErrorReply::of(word.as_bytes()).map(|reply| reply.reason);
        match (word.as_str(), reason) {
            (_, Some(Reason::NotLoggedIn)) if self.password.is_none() => {
                let message = "the server asks for a password, and none was given";
                return Err(Error::connection("AUTH", message).fatal().with_cause(cause));
            }
            // A server that knows HELLO has looked at the password in it. A proxy that does not
            // know it asks for AUTH first, which may still succeed.
            (_, Some(Reason::NotLoggedIn)) if step == HandshakeStep::Hello => {
                return Ok(Some(HandshakeOutcome::Fallback))
            }
            (_, Some(Reason::NotLoggedIn)) | ("WRONGPASS", _) => {
                return Err(refused_credentials(cause))
            }
            ("DENIED", _) => {
                let message = "the server refuses clients from this address (protected mode)";
                return Err(Error::connection("DENIED", message).fatal().with_cause(cause));
            }
            (_, Some(Reason::NotReady | Reason::ScriptRunning)) if step.is_needed() => {
                let message = "the server is not ready to serve yet";
                return Err(Error::connection("HANDSHAKE", message).retryable().with_cause(cause));
            }
            _ => {}
        }
        match step {
            HandshakeStep::Hello if is_unknown_command(&text) => {
                Ok(Some(HandshakeOutcome::Fallback))
            }
            // `ERR AUTH <password> called without any password configured ...`
            HandshakeStep::Hello if word == "ERR" && text.contains("AUTH") => {
                Err(refused_credentials(cause))
            }
            // A connection works without HELLO. If something else is wrong, AUTH or SELECT tells it.
            HandshakeStep::Hello => Ok(Some(HandshakeOutcome::Fallback)),
            // A server without a password takes any in `HELLO`, and says this to `AUTH <password>`.
            // Sentinels often have none beside nodes that have one.
            HandshakeStep::Auth if has_no_password(&text) => Ok(None),
            HandshakeStep::Auth => Err(refused_credentials(cause)),
            HandshakeStep::Select => {
                let message = "the server refused to select the database";
                Err(Error::connection("SELECT", message).fatal().with_cause(cause))
            }
            // A replica outside of a cluster serves reads without READONLY.
            HandshakeStep::Readonly if text.contains("cluster support disabled") => Ok(None),
            HandshakeStep::Readonly => {
                let message = "the server refused READONLY";
                Err(Error::connection("HANDSHAKE", message).fatal().with_cause(cause))
            }
            HandshakeStep::SetName
            | HandshakeStep::LibName
            | HandshakeStep::LibVer
            | HandshakeStep::Repeated
            | HandshakeStep::Ping => Ok(None),
        }
    }

    /// The text of an error reply without the password. Servers before 7.0 echo the arguments of a
    /// command that they do not know.
    fn redacted(&self, text: &str) -> String {
        let kept = text.split(", with args beginning with").next().unwrap_or_default();
        match self.password.as_ref().map(Secret::expose) {
            Some(password) if !password.is_empty() => kept.replace(password, "***"),
            _ => kept.to_owned(),
        }
    }
}

/// Whether the refusal of a password says that the server asks for none: since 6.0, and before.
fn has_no_password(text: &str) -> bool {
    text.starts_with("ERR AUTH <password> called without any password configured")
        || text.starts_with("ERR Client sent AUTH, but no password is set")
}

/// The error of refused credentials.
fn refused_credentials(cause: Error) -> Error {
    Error::connection("AUTH", "the server refused the credentials").fatal().with_cause(cause)
}

/// Whether the server does not know HELLO, or not this version of the protocol.
fn is_unknown_command(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with("noproto")
        || text.contains("unknown command")
        || text.contains("unsupported command")
}

/// The text of an error reply; `None` if the reply is no error.
fn error_text(frames: &Frames, root: u32) -> Option<String> {
    let node = frames.tape.get(root as usize)?;
    match node.kind {
        ValueKind::Error | ValueKind::BulkError => {
            Some(String::from_utf8_lossy(frames.text(node)).into_owned())
        }
        _ => None,
    }
}
