//! Questions to the application's callbacks: its reconnect strategy, its credentials provider, its
//! map of addresses, its judge of certificates, its resolver.
//!
//! Owns the questions that are open. It never blocks a thread: a question goes out as an event with
//! an id, and the answer comes back with the same id.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::connection::Credentials;
use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::outbox::{Event, Identity, Name, Outboxes};

/// The open questions of one client.
pub struct Questions {
    outboxes: Arc<Outboxes>,
    open: Mutex<OpenQuestions>,
}

/// What a callback of the application has returned.
pub enum CallbackResult {
    /// Try again after this long.
    Delay(Duration),
    /// Try again after the default delay: what the strategy has returned is no answer.
    DefaultDelay,
    /// Do not try again, for the error that the strategy has returned, if it has.
    Stop(Option<Error>),
    /// Log in with these credentials.
    Credentials(Credentials),
    /// The server's certificate is for the host.
    Accepted,
    /// The server's certificate is not for the host, for this reason.
    Refused(String),
    /// The host name has these addresses.
    Addresses(Vec<IpAddr>),
    /// The host name has no address: the code, and a text.
    Unresolved(String, String),
    /// The server is reached there; `None` means at the address that servers name.
    Address(Option<Endpoint>),
    /// The callback has failed with this error.
    Failed(Error),
}

/// What the reconnect strategy wants.
#[derive(Debug)]
pub enum Strategy {
    /// Another attempt after this long.
    Delay(Duration),
    /// Another attempt after the default delay.
    DefaultDelay,
    /// No other attempt, for this error, if there is one.
    Stop(Option<Error>),
}

impl Questions {
    /// No question is open yet. Questions go out through `outboxes`.
    pub fn new(outboxes: Arc<Outboxes>) -> Self {
        Self { outboxes, open: Mutex::default() }
    }

    /// Asks the reconnect strategy. One that can no longer answer wants no other attempt.
    pub async fn delay(&self, retries: u32, cause: &Error) -> Strategy {
        match self.ask(|id| Event::AskDelay(id, retries, cause.clone())).await {
            Some(CallbackResult::Delay(delay)) => Strategy::Delay(delay),
            Some(CallbackResult::DefaultDelay) => Strategy::DefaultDelay,
            Some(CallbackResult::Stop(error)) => Strategy::Stop(error),
            _ => Strategy::Stop(None),
        }
    }

    /// Asks where the server that servers call `endpoint` is reached, and waits for `budget` at
    /// most. `None` means at that address.
    ///
    /// # Errors
    ///
    /// `ADDRESS`, which may pass, if the application's function fails or takes too long.
    pub async fn address(&self, endpoint: &Endpoint, budget: Duration) -> Result<Option<Endpoint>> {
        let question = self.ask(|id| Event::AskAddress(id, endpoint.to_string()));
        let (text, cause) = match tokio::time::timeout(budget, question).await {
            Ok(Some(CallbackResult::Address(reached))) => return Ok(reached),
            Ok(Some(CallbackResult::Failed(cause))) => ("failed", Some(cause)),
            _ => ("did not answer within connectTimeout", None),
        };
        let error = Error::connection("ADDRESS", format!("nodeAddressMap {text}")).retryable();
        Err(match cause {
            Some(cause) => error.with_cause(cause),
            None => error,
        })
    }

    /// Asks the credentials provider, and waits for `budget` at most.
    ///
    /// # Errors
    ///
    /// `CREDENTIALS`, which may pass, if the provider fails, returns nothing or takes too long.
    pub async fn credentials(&self, budget: Duration) -> Result<Credentials> {
        let answer = tokio::time::timeout(budget, self.ask(Event::AskCredentials)).await;
        let (text, cause) = match answer {
            Ok(Some(CallbackResult::Credentials(credentials))) => return Ok(credentials),
            Ok(Some(CallbackResult::Failed(cause))) => ("failed", Some(cause)),
            Ok(_) => ("gave no credentials", None),
            Err(_) => ("did not answer within connectTimeout", None),
        };
        let text = format!("the credentials provider {text}");
        let error = Error::connection("CREDENTIALS", text).retryable();
        Err(match cause {
            Some(cause) => error.with_cause(cause),
            None => error,
        })
    }

    /// Asks the application whether a server's certificate is for its host.
    ///
    /// # Errors
    ///
    /// `TLS_HOSTNAME_MISMATCH`, which is fatal, if it says no.
    pub async fn identity(&self, asked: Identity) -> Result<()> {
        let host = asked.host.clone();
        let asked = Arc::new(asked);
        let reason = match self.ask(|id| Event::AskIdentity(id, asked)).await {
            Some(CallbackResult::Accepted) => return Ok(()),
            Some(CallbackResult::Refused(text)) => format!(": {text}"),
            _ => String::new(),
        };
        let text = format!("checkServerIdentity refused the certificate of {host}{reason}");
        Err(Error::connection("TLS_HOSTNAME_MISMATCH", text).fatal())
    }

    /// Asks the application for the addresses of a host name, and waits for `budget` at most.
    ///
    /// # Errors
    ///
    /// The resolver's code, or `ENOTFOUND`; may pass.
    pub async fn lookup(&self, asked: Name, budget: Duration) -> Result<Vec<IpAddr>> {
        let asked = Arc::new(asked);
        let answer = tokio::time::timeout(budget, self.ask(|id| Event::AskLookup(id, asked))).await;
        let error = match answer {
            Ok(Some(CallbackResult::Addresses(found))) if !found.is_empty() => return Ok(found),
            Ok(Some(CallbackResult::Unresolved(code, text))) => Error::connection(code, text),
            Ok(_) => Error::connection("ENOTFOUND", "socket.lookup gave no address"),
            Err(_) => {
                let text = "socket.lookup did not answer within connectTimeout";
                Error::connection("ETIMEDOUT", text)
            }
        };
        Err(error.retryable())
    }

    /// Passes the result of question `id` on. A late one, for which nobody waits, is dropped.
    pub fn answer(&self, id: u32, answer: CallbackResult) {
        if let Some(asker) = self.lock().waiting.remove(&id) {
            let _ = asker.send(answer);
        }
    }

    async fn ask(&self, event: impl FnOnce(u32) -> Event) -> Option<CallbackResult> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut open = self.lock();
            open.last = open.last.wrapping_add(1);
            let id = open.last;
            open.waiting.insert(id, sender);
            id
        };
        let _asker = Asker { questions: self, id };
        self.outboxes.tell(event(id));
        answer.await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, OpenQuestions> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who waits for the answer to question `id`. A caller that stops to wait drops this, and the
/// question is closed: a callback that never answers would cost memory with each connection.
struct Asker<'a> {
    questions: &'a Questions,
    id: u32,
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        self.questions.lock().waiting.remove(&self.id);
    }
}

#[derive(Default)]
struct OpenQuestions {
    /// The id that was given out last.
    last: u32,
    /// Who waits for an answer, by the question's id.
    waiting: HashMap<u32, oneshot::Sender<CallbackResult>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Outbox;

    fn questions() -> Questions {
        Questions::new(Arc::new(Outboxes::from(Arc::new(Outbox::new(|| {})))))
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_that_never_answers_leaves_no_question_open() {
        let questions = questions();
        for _ in 0..3 {
            let error = questions.credentials(Duration::from_millis(100)).await.unwrap_err();
            assert_eq!(error.code(), "CREDENTIALS");
        }
        assert!(questions.lock().waiting.is_empty());
        // The answer that comes too late is for nobody.
        questions.answer(1, CallbackResult::Stop(None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_reaches_the_one_that_has_asked() {
        let questions = questions();
        let cause = Error::connection("CONNECTION_LOST", "");
        let asked = questions.delay(1, &cause);
        let answered = async {
            tokio::task::yield_now().await;
            questions.answer(1, CallbackResult::Delay(Duration::from_millis(7)));
        };
        let (delay, ()) = tokio::join!(asked, answered);
        assert!(matches!(delay, Strategy::Delay(delay) if delay == Duration::from_millis(7)));
        assert!(questions.lock().waiting.is_empty());
    }
}
