//! One look: which sentinels are asked, and whether the node that they name is a primary.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at, Instant};

use super::election::{self, Nominee, Vote};
use super::opinion::{self, Opinion, INFO, ROLE};
use super::panel::Panel;
use super::{silent, CONNECT_TRIES};
use crate::backoff;
use crate::error::{Error, Result};
use crate::options::{ClientOptions, Endpoint};
use crate::pool::Pool;
use crate::topology::{unavailable, Candidates, Member, View};

impl Panel {
    /// Finds out who the primary and its replicas are. `candidates` are the pools of the nodes that
    /// the router knows; `budget` is how long all of it may take.
    ///
    /// # Errors
    ///
    /// `ROOT_NODES_UNAVAILABLE` if no sentinel has answered; `NO_PRIMARY` if no node that they name
    /// says of itself that it is a primary.
    pub(super) async fn look(
        self: &Arc<Self>,
        candidates: &Candidates,
        budget: Duration,
    ) -> Result<View> {
        let until = Instant::now() + budget;
        let (votes, quorum) = self.gather(until, false).await?;
        let mut failed = Vec::new();
        let known = self.known();
        for primary in election::candidates(&votes, quorum, &known) {
            let mut confirmed = std::pin::pin!(self.confirm(&primary, candidates, until));
            let answer = loop {
                if let Ok(answer) = timeout(HEAD_START, &mut confirmed).await {
                    break answer;
                }
                // The node may be slow, or it may be the one that is being replaced.
                if let Some(view) = self.succeed(&primary.node, candidates, until).await {
                    return Ok(view);
                }
            };
            match answer {
                Ok(()) => return self.settle(&votes, &primary.node),
                Err(error) => {
                    if let Some(view) = self.succeed(&primary.node, candidates, until).await {
                        return Ok(view);
                    }
                    failed.push((primary.node.endpoint.clone(), error));
                }
            }
        }
        Err(unconfirmed(&failed))
    }

    /// Asks all sentinels whether `primary`, which does not answer as a primary, was replaced. The
    /// sentinel that leads a failover knows of its end before the others, so a majority is not
    /// needed; but the new primary has to say itself that it is one.
    async fn succeed(
        self: &Arc<Self>,
        primary: &Member,
        candidates: &Candidates,
        until: Instant,
    ) -> Option<View> {
        let (votes, _) = self.gather(until, true).await.ok()?;
        for successor in election::successors(&votes, primary, &self.known()) {
            if self.confirm(&successor, candidates, until).await.is_ok() {
                return self.settle(&votes, &successor.node).ok();
            }
        }
        None
    }

    /// Asks sentinels, and returns their votes with the size of a majority.
    ///
    /// With `everybody`, all of them are asked at once; those that have not answered for
    /// [`HEAD_START`] are not waited for if another has. Otherwise as many are asked as make a
    /// majority, and one more whenever one has failed, has taken longer than [`HEAD_START`], or
    /// does not agree with the others; it ends when a majority agrees or no sentinel is left.
    ///
    /// # Errors
    ///
    /// `ROOT_NODES_UNAVAILABLE` if none has answered.
    async fn gather(
        self: &Arc<Self>,
        until: Instant,
        everybody: bool,
    ) -> Result<(Vec<Vote>, usize)> {
        let (order, quorum) = {
            let roster = self.lock();
            (roster.circle.order(backoff::random), roster.circle.quorum())
        };
        let mut waiting = order.into_iter();
        let mut asked = JoinSet::new();
        let mut votes: Vec<Vote> = Vec::new();
        let mut failed: Vec<(Endpoint, Error)> = Vec::new();
        let mut ask = |asked: &mut JoinSet<_>| {
            let next = waiting.next();
            if let Some(from) = next.clone() {
                let panel = Arc::clone(self);
                asked.spawn(async move {
                    let answer = panel.ask(&from, until).await;
                    (from, answer)
                });
            }
            next.is_some()
        };
        for _ in 0..quorum {
            ask(&mut asked);
        }
        while everybody && ask(&mut asked) {}
        loop {
            let answer = timeout(HEAD_START, asked.join_next()).await;
            let is_silence = answer.is_err();
            match answer {
                Ok(Some(Ok((from, Ok(opinion))))) => {
                    election::cast(&mut votes, Vote { from, opinion });
                }
                Ok(Some(Ok((from, Err(error))))) => {
                    self.lock().circle.failed(&from);
                    failed.push((from, error));
                }
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
            if !everybody && election::is_settled(&votes, quorum) {
                break;
            }
            // Another sentinel is not needed yet if those that are asked can make a majority.
            let is_open = !is_silence && votes.len() + asked.len() >= quorum && agree(&votes);
            if !is_open && ask(&mut asked) {
                continue;
            }
            if asked.is_empty() || (is_silence && !votes.is_empty()) {
                break;
            }
        }
        match votes.is_empty() {
            true => Err(unavailable(&failed)),
            false => Ok((votes, quorum)),
        }
    }

    /// What the sentinel at `from` says.
    async fn ask(self: &Arc<Self>, from: &Endpoint, until: Instant) -> Result<Opinion> {
        self.addresses.learn(vec![from.clone()]).await?;
        let mut trial = Trial { panel: Arc::clone(self), of: from, is_good: false };
        let pool = self.pool(from)?;
        let (questions, count) = opinion::questions(&self.name);
        let asking = async {
            let mut lease = pool.impatient_lease(CONNECT_TRIES).await?;
            Opinion::read(&lease.exchange(&questions, count).await?)
        };
        let answer = match timeout_at(until, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(pool.last_error().unwrap_or_else(silent)),
        };
        trial.is_good = answer.is_ok();
        answer
    }

    /// Asks a node that sentinels name whether it is a primary.
    async fn confirm(
        &self,
        nominee: &Nominee,
        candidates: &Candidates,
        until: Instant,
    ) -> Result<()> {
        match timeout_at(until, self.ask_node(nominee, candidates)).await {
            Ok(answer) => answer,
            Err(_) => Err(silent()),
        }
    }

    async fn ask_node(&self, nominee: &Nominee, candidates: &Candidates) -> Result<()> {
        self.addresses.learn(vec![nominee.node.endpoint.clone()]).await?;
        let endpoint = self.addresses.of(nominee.node.endpoint.clone());
        let id = nominee.is_by_id.then_some(nominee.node.id.as_str());
        let known = candidates.iter().find(|(known, _)| *known == endpoint);
        if let Some((_, pool)) = known {
            return ask_role(pool, id).await;
        }
        let options = ClientOptions { endpoint, ..self.node_options.clone() };
        let pool = self.open(options, &self.commons.metrics)?;
        let guard = Borrowed { panel: self, pool };
        ask_role(&guard.pool, id).await
    }
}

/// One question to a sentinel. When it is dropped without a good answer, also because the look was
/// given up, the connections to that sentinel are closed.
struct Trial<'a> {
    panel: Arc<Panel>,
    of: &'a Endpoint,
    is_good: bool,
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.is_good {
            self.panel.discard(self.of);
        }
    }
}

/// The pool of a node that the router does not know yet: it is closed at the end of the question.
struct Borrowed<'a> {
    panel: &'a Panel,
    pool: Arc<Pool>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.panel.close(Arc::clone(&self.pool));
    }
}

/// Asks whether the server is a primary, and if `id` is given, whether that is its run id.
async fn ask_role(pool: &Pool, id: Option<&str>) -> Result<()> {
    let mut lease = pool.impatient_lease(CONNECT_TRIES).await?;
    let is_primary = opinion::is_primary(&lease.request(ROLE).await?)?;
    let text = match id {
        _ if !is_primary => {
            "the node that the sentinels name does not say of itself that it is a primary"
        }
        None => return Ok(()),
        // A login that may not ask for it has to believe the sentinels.
        Some(id) => match opinion::run_id(&lease.request(INFO).await?) {
            Some(other) if other != id => {
                "the server there has another run id than the primary that the sentinels mean"
            }
            _ => return Ok(()),
        },
    };
    // The node's name may lead to another server by now, which a new connection would find.
    lease.mark_broken();
    Err(Error::connection("NOT_A_PRIMARY", text).retryable())
}

/// Whether all votes name the same address of a primary.
fn agree(votes: &[Vote]) -> bool {
    let mut named = votes.iter().map(|vote| &vote.opinion.primary.endpoint);
    let first = named.next();
    named.all(|name| Some(name) == first)
}

fn unconfirmed(failed: &[(Endpoint, Error)]) -> Error {
    let causes: Vec<String> =
        failed.iter().map(|(endpoint, error)| format!("{endpoint}: {error}")).collect();
    let text = match causes.is_empty() {
        true => "the sentinels do not agree on a primary".to_owned(),
        false => format!("the sentinels name a primary that cannot serve ({})", causes.join("; ")),
    };
    let error = Error::connection("NO_PRIMARY", text).retryable();
    let is_hopeless = !failed.is_empty() && failed.iter().all(|(_, error)| error.is_fatal());
    let error = if is_hopeless { error.fatal() } else { error };
    match failed.first() {
        Some((_, cause)) => error.with_cause(cause.clone()),
        None => error,
    }
}

/// How long the servers that were asked are waited for before another one is asked as well, and the
/// last sentinel before the votes that have come decide. As in `topology::source`: longer than a
/// round trip, and short against the deadlines of commands.
const HEAD_START: Duration = Duration::from_millis(200);
