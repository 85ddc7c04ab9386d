//! The servers that can say where everything is, and how they are asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, Instant};

use super::kinship::{foreign, Kinship};
use super::{Prompt, View};
use crate::error::{Error, ErrorClass, Result};
use crate::options::Endpoint;
use crate::pool::{Lease, Pool};

/// Asks servers where everything is: the nodes of a cluster, or sentinels.
pub trait Source: Send + Sync {
    /// Asks which nodes have which slots. `candidates` are the nodes that are known, those first
    /// that are most likely to answer; `kinship` is what is known of them; `budget` is how long all
    /// of it may take.
    ///
    /// # Errors
    ///
    /// `ROOT_NODES_UNAVAILABLE`, with what each server has done.
    fn look<'a>(
        &'a self,
        candidates: Candidates,
        kinship: &'a Kinship,
        budget: Duration,
    ) -> Looking<'a>;

    /// As [`Source::look`], but names nodes without slots as well: as shards without slots.
    fn look_closely<'a>(
        &'a self,
        candidates: Candidates,
        kinship: &'a Kinship,
        budget: Duration,
    ) -> Looking<'a> {
        self.look(candidates, kinship, budget)
    }

    /// Asks a node for its id; None if it does not say, or where nodes have none.
    fn identify(&self, _node: Lease) -> Identifying<'_> {
        Box::pin(async { None })
    }

    /// Called once, before anything else. A source that hears of changes by itself keeps `prompt`
    /// to tell the router.
    fn attach(&self, _prompt: Prompt) {}

    /// Servers that say where everything is without being nodes themselves: all that are known, and
    /// the one that is listened to.
    fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        (Vec::new(), None)
    }

    /// Closes the connections that the source has opened itself, for good.
    fn close(&self) {}
}

/// Whom to ask: addresses, each with the pool of the server there.
pub type Candidates = Vec<(Endpoint, Arc<Pool>)>;

/// What [`Source::look`] returns. The servers are those that belong to another cluster: their
/// views were not used.
pub type Looking<'a> = Pin<Box<dyn Future<Output = (Result<View>, Vec<Endpoint>)> + Send + 'a>>;
/// What [`Source::identify`] returns.
pub type Identifying<'a> = Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

/// The first good answer of `candidates`, and those of them that belong to another cluster. The
/// next one is asked when one before it has failed, or has not answered for [`HEAD_START`]; all go
/// on until one has answered. `budget` is how long all of it may take.
///
/// An answer without any node that `kinship` knows is good only if most known nodes give such
/// answers, or if `kinship` has no hope left for a better one.
///
/// # Errors
///
/// `ROOT_NODES_UNAVAILABLE`, with what each has done; fatal if no candidate can ever be asked.
pub async fn first_of<F, A>(
    candidates: Candidates,
    kinship: &Kinship,
    budget: Duration,
    ask: A,
) -> (Result<View>, Vec<Endpoint>)
where
    A: Fn(Endpoint, Lease) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<View>> + Send + 'static,
{
    let until = Instant::now() + budget;
    let mut failed: Vec<(Endpoint, Error)> = Vec::new();
    let mut strangers: Vec<Endpoint> = Vec::new();
    let mut strange: Option<View> = None;
    let mut asked = JoinSet::new();
    let mut waiting = candidates.into_iter();
    let mut is_more = true;
    if waiting.len() == 0 {
        // Nobody will ever be there to be asked.
        return (Err(unavailable(&failed).fatal()), strangers);
    }
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
            return match strange {
                Some(view) if kinship.is_resigned() => (Ok(view), Vec::new()),
                _ => (Err(unavailable(&failed)), strangers),
            };
        }
        let head_start = sleep(HEAD_START);
        tokio::select! {
            answer = asked.join_next() => match answer {
                Some(Ok((_, Ok(view)))) if kinship.has(&view) => return (Ok(view), strangers),
                Some(Ok((endpoint, Ok(view)))) => {
                    strangers.push(endpoint.clone());
                    if kinship.was_replaced(&strangers) {
                        return (Ok(view), Vec::new());
                    }
                    strange.get_or_insert(view);
                    failed.push((endpoint.clone(), foreign(&endpoint)));
                }
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

fn silent() -> Error {
    Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", "the server did not answer")
        .retryable()
}

/// The error for a look in which no server has answered; `failed` is what each has done. It is
/// fatal if trying again can help with none of them.
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

/// How long one candidate is waited for before the next one is asked beside it. A server without
/// trouble answers within a round trip. One that hangs must not use up the deadlines of all
/// commands (RFC 8305, "happy eyeballs", has the same rule for addresses, with 250 ms).
const HEAD_START: Duration = Duration::from_millis(200);
/// A candidate that has refused so many connections in a row is not waited for any longer: one
/// failure may be chance.
const CONNECT_TRIES: u32 = 2;
