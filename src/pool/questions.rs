//! Questions that only the application can answer: its reconnect strategy, its credentials.
//!
//! Owns the questions that are open. Never blocks a thread: a question goes out as an event, the
//! answer comes back by its number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::connection::Credentials;
use crate::error::{Error, Result};
use crate::outbox::{Event, Outboxes};

/// The open questions of one client.
pub struct Questions {
    outboxes: Arc<Outboxes>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u32,
    waiting: HashMap<u32, oneshot::Sender<Answer>>,
}

/// What the application said.
pub enum Answer {
    /// Try again after this long.
    Delay(Duration),
    /// Do not try again.
    Stop,
    /// Log in with these.
    Credentials(Credentials),
    /// The application's function failed, with this text.
    Failed(String),
}

impl Questions {
    /// No open questions; they will go out through `outboxes`.
    pub fn new(outboxes: Arc<Outboxes>) -> Self {
        Self { outboxes, open: Mutex::default() }
    }

    /// Asks the reconnect strategy. None if it says to stop, or will never answer.
    pub async fn delay(&self, retries: u32, cause: &Error) -> Option<Duration> {
        match self.ask(|id| Event::AskDelay(id, retries, cause.clone())).await {
            Some(Answer::Delay(delay)) => Some(delay),
            _ => None,
        }
    }

    /// Asks the credentials provider, for `budget` at most.
    pub async fn credentials(&self, budget: Duration) -> Result<Credentials> {
        let answer = tokio::time::timeout(budget, self.ask(Event::AskCredentials)).await;
        let text = match answer {
            Ok(Some(Answer::Credentials(credentials))) => return Ok(credentials),
            Ok(Some(Answer::Failed(text))) => format!("the credentials provider failed: {text}"),
            Ok(_) => "the credentials provider gave no credentials".to_owned(),
            Err(_) => "the credentials provider did not answer within connectTimeout".to_owned(),
        };
        Err(Error::connection("CREDENTIALS", text).retryable())
    }

    /// Passes on what the application said to question `id`; late answers are dropped.
    pub fn answer(&self, id: u32, answer: Answer) {
        if let Some(asker) = self.lock().waiting.remove(&id) {
            let _ = asker.send(answer);
        }
    }

    async fn ask(&self, event: impl FnOnce(u32) -> Event) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut open = self.lock();
            open.last = open.last.wrapping_add(1);
            let id = open.last;
            open.waiting.insert(id, sender);
            id
        };
        self.outboxes.tell(event(id));
        answer.await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
