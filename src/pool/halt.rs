//! Why no attempt at connecting can succeed, and how waiting callers hear of it.
//!
//! Owns the current reason. Each caller that waits for a connection watches it, so that all of them
//! fail at once.

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{Applied, Error, ErrorClass};

/// Whether attempts have halted, and why.
pub(super) struct Halt {
    reason: watch::Sender<Option<HaltReason>>,
}

impl Halt {
    pub(super) fn new() -> Self {
        Self { reason: watch::Sender::new(None) }
    }

    /// What a waiting caller watches.
    pub(super) fn watch(&self) -> HaltWatch {
        HaltWatch { reason: self.reason.subscribe() }
    }

    /// Ends all attempts and waits for good.
    pub(super) fn close(&self) {
        self.reason.send_replace(Some(HaltReason::Closed(closed_error())));
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.reason.borrow(), Some(HaltReason::Closed(_)))
    }

    /// Tells all waiting callers that no attempt can succeed for `error`, and makes attempts fail
    /// with it until `until`.
    pub(super) fn give_up(&self, error: Error, until: Instant) {
        self.reason.send_if_modified(|reason| {
            let open = !matches!(reason, Some(HaltReason::Closed(_)));
            if open {
                *reason = Some(HaltReason::Hopeless(error, until));
            }
            open
        });
    }

    /// The reason for which an attempt must not be made now.
    pub(super) fn hopeless(&self) -> Option<Error> {
        match &*self.reason.borrow() {
            Some(HaltReason::Hopeless(error, until)) if Instant::now() < *until => {
                Some(error.clone())
            }
            _ => None,
        }
    }

    /// An attempt has succeeded: attempts are possible again.
    pub(super) fn lift(&self) {
        self.reason.send_if_modified(|reason| {
            let lifted = matches!(reason, Some(HaltReason::Hopeless(..)));
            if lifted {
                *reason = None;
            }
            lifted
        });
    }
}

/// One caller's view of the reason.
pub(super) struct HaltWatch {
    reason: watch::Receiver<Option<HaltReason>>,
}

impl HaltWatch {
    /// Waits until no attempt can succeed, or the pool is closed.
    pub(super) async fn hopeless(&mut self) -> Error {
        // A reason that comes up during the wait counts, however late this task notices it.
        let mut is_news = false;
        loop {
            let reason = self.reason.borrow_and_update().clone();
            match reason {
                Some(HaltReason::Closed(error)) => return error,
                Some(HaltReason::Hopeless(error, until)) if is_news || Instant::now() < until => {
                    return error;
                }
                _ => {}
            }
            is_news = true;
            if self.reason.changed().await.is_err() {
                return closed_error();
            }
        }
    }

    /// Waits until the pool is closed.
    pub(super) async fn closed(&mut self) -> Error {
        loop {
            if let Some(HaltReason::Closed(error)) = self.reason.borrow_and_update().clone() {
                return error;
            }
            if self.reason.changed().await.is_err() {
                return closed_error();
            }
        }
    }
}

/// Why no attempt can succeed.
#[derive(Debug, Clone)]
enum HaltReason {
    /// Another attempt is useless until a person changes something. After the instant, one is made
    /// all the same.
    Hopeless(Error, Instant),
    /// The pool is closed.
    Closed(Error),
}

/// The error of callers of a pool that is closed.
pub(super) fn closed_error() -> Error {
    Error::new(ErrorClass::Closed, "CLOSED", "The client is closed").with_applied(Applied::No)
}
