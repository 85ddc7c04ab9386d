//! Questions to the application's callbacks: its reconnect strategy, its credentials provider.
//!
//! Owns the questions that are open. It never blocks a thread: a question goes out as an event with
//! an id, and the answer comes back with the same id.

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
    open: Mutex<OpenQuestions>,
}

/// What a callback of the application has returned.
pub enum CallbackResult {
    /// Try again after this long.
    Delay(Duration),
    /// Do not try again.
    Stop,
    /// Log in with these credentials.
    Credentials(Credentials),
    /// The callback has failed, with this text.
    Failed(String),
}

impl Questions {
    /// No question is open yet. Questions go out through `outboxes`.
    pub fn new(outboxes: Arc<Outboxes>) -> Self {
        Self { outboxes, open: Mutex::default() }
    }

    /// Asks the reconnect strategy. `None` if it says to stop, or can no longer answer.
    pub async fn delay(&self, retries: u32, cause: &Error) -> Option<Duration> {
        match self.ask(|id| Event::AskDelay(id, retries, cause.clone())).await {
            Some(CallbackResult::Delay(delay)) => Some(delay),
            _ => None,
        }
    }

    /// Asks the credentials provider, and waits for `budget` at most.
    ///
    /// # Errors
    ///
    /// `CREDENTIALS`, which may pass, if the provider fails, returns nothing or takes too long.
    pub async fn credentials(&self, budget: Duration) -> Result<Credentials> {
        let answer = tokio::time::timeout(budget, self.ask(Event::AskCredentials)).await;
        let text = match answer {
            Ok(Some(CallbackResult::Credentials(credentials))) => return Ok(credentials),
            Ok(Some(CallbackResult::Failed(text))) => {
                format!("the credentials provider failed: {text}")
            }
            Ok(_) => "the credentials provider gave no credentials".to_owned(),
            Err(_) => "the credentials provider did not answer within connectTimeout".to_owned(),
        };
        Err(Error::connection("CREDENTIALS", text).retryable())
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
        questions.answer(1, CallbackResult::Stop);
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
        assert_eq!(delay, Some(Duration::from_millis(7)));
        assert!(questions.lock().waiting.is_empty());
    }
}
