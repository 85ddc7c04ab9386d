//! Who says where everything is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, Instant};

use super::{Prompt, View};
use crate::error::{Error, ErrorClass, Result};
use crate::options::Endpoint;
use crate::pool::{Lease, Pool};

/// Asks servers where everything is.
pub trait Source: Send + Sync {
    /// Asks `candidates`, the best first, until one has answered; each has its address.
    ///
    /// # Errors
    ///
    /// `ROOT_NODES_UNAVAILABLE`, with what each has done.
    fn look(&self, candidates: Candidates, budget: Duration) -> Looking<'_>;

    /// Called once, before anything else: `prompt` is for one that hears of changes by itself.
    fn attach(&self, _prompt: Prompt) {}

    /// Servers that say where everything is without being nodes themselves: all that are known, and
    /// the one that is listened to.
    fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        (Vec::new(), None)
    }

    /// The end: no connection of its own stays open.
    fn close(&self) {}
    /// The same, when there may be nodes that have nothing yet: they are named as well, as shards
    /// without slots.
    fn look_closely(&self, candidates: Candidates, budget: Duration) -> Looking<'_> {
        self.look(candidates, budget)
    }
}

/// Whom to ask: an address, and the pool of the server there.
pub type Candidates = Vec<(Endpoint, Arc<Pool>)>;

/// What [`Source::look`] returns.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<View>> + Send + 'a>>;

/// How long one candidate is waited for before the next one is asked as well. A server that is
/// well answers within a round trip; one that is not must not use up everybody's deadlines
/// (as RFC 8305, "happy eyeballs", has it for addresses).
const HEAD_START: Duration = Duration::from_millis(200);

/// The first good answer of `candidates`, which are asked one after the other, each beside those
/// that have not answered yet, for `budget` in all.
///
/// # Errors
///
/// `ROOT_NODES_UNAVAILABLE`, with what each has done; fatal if nobody can ever be asked.
pub async fn first_of<F, A>(candidates: Candidates, budget: Duration, ask: A) -> Result<View>
where
    A: Fn(Endpoint, Lease) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<View>> + Send + 'static,
{
    let until = Instant::now() + budget;
    let mut failed: Vec<(Endpoint, Error)> = Vec::new();
    let mut asked = JoinSet::new();
    let mut waiting = candidates.into_iter();
    let mut is_more = true;
    loop {
        let next = if is_more { waiting.next() } else { None };
        match next {
            Some((endpoint, pool)) => {
                let (ask, left) = (ask.clone(), until.saturating_duration_since(Instant::now()));
                asked.spawn(async move {
                    let answer = ask_one(&endpoint, &pool, left, ask).await;
                    (endpoint, answer)
                });
            }
            None => is_more = false,
        }
        if asked.is_empty() {
            return Err(unavailable(&failed));
        }
        let head_start = sleep(HEAD_START);
        tokio::select! {
            answer = asked.join_next() => match answer {
                Some(Ok((_, Ok(view)))) => return Ok(view),
                Some(Ok((endpoint, Err(error)))) => failed.push((endpoint, error)),
                Some(Err(_)) | None => {}
            },
            () = head_start, if is_more => {}
        }
    }
}

async fn ask_one<F>(
    endpoint: &Endpoint,
    pool: &Pool,
    budget: Duration,
    ask: impl Fn(Endpoint, Lease) -> F,
) -> Result<View>
where
    F: Future<Output = Result<View>>,
{
    let asking = async {
        let lease = pool.impatient_lease(CONNECT_TRIES).await?;
        ask(endpoint.clone(), lease).await?.checked()
    };
    match timeout(budget, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(pool.last_error().unwrap_or_else(silent)),
    }
}

/// A candidate that has refused as many connections in a row is not waited for any longer.
const CONNECT_TRIES: u32 = 2;

fn silent() -> Error {
    Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", "the server did not answer")
        .retryable()
}

/// What a caller is told when nobody has answered: what each has done. Fatal if nobody can ever be
/// asked.
pub fn unavailable(failed: &[(Endpoint, Error)]) -> Error {
    let causes: Vec<String> =
        failed.iter().map(|(endpoint, error)| format!("{endpoint}: {error}")).collect();
    let text = format!("no node could say where the data is ({})", causes.join("; "));
    let error = Error::new(ErrorClass::RootNodes, "ROOT_NODES_UNAVAILABLE", text);
    let is_hopeless = !failed.is_empty() && failed.iter().all(|(_, error)| error.is_fatal());
    let error = if is_hopeless { error.fatal() } else { error.retryable() };
    match failed.first() {
        Some((_, cause)) => error.with_cause(cause.clone()),
        None => error,
    }
}
