//! How far an attempt to connect has come.
//!
//! Owns what an error message needs if the attempt is given up: the phase that was under way, and
//! the last failure before that.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

/// A phase of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ConnectPhase {
    /// Looking up the host name.
    Dns = 0,
    /// Waiting for the socket to connect.
    Tcp = 1,
    /// In the TLS handshake.
    Tls = 2,
    /// In the protocol's own handshake.
    Handshake = 3,
}

/// How far an attempt to connect has come.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    failure: Mutex<Option<Error>>,
    /// How far all the attempts have come that this one is a part of.
    whole: Option<Arc<Progress>>,
}

impl Progress {
    /// How far one of several attempts has come. The whole has come as far as the best of them.
    pub fn child(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { whole: Some(Arc::clone(self)), ..Self::default() })
    }

    /// The phase that is under way.
    pub fn phase(&self) -> ConnectPhase {
        match self.phase.load(Ordering::Relaxed) {
            0 => ConnectPhase::Dns,
            1 => ConnectPhase::Tcp,
            2 => ConnectPhase::Tls,
            _ => ConnectPhase::Handshake,
        }
    }

    /// Enters `phase`.
    pub fn enter(&self, phase: ConnectPhase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.phase.fetch_max(phase as u8, Ordering::Relaxed);
        }
    }

    /// The last failure that did not end the attempt, such as that of one of several addresses.
    pub fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the failure of one of several addresses.
    pub(super) fn note(&self, failure: &Error) {
        // What could not be connected is known; the cause tells why.
        let failure = failure.cause().unwrap_or(failure).clone();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }
}
