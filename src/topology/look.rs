//! One look around: which servers are asked where everything is, and what is done with the answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{timeout, Instant};

use super::deployment::Deployment;
use super::source::Candidates;
use super::view::View;
use crate::backoff;
use crate::error::{Error, ErrorClass, Result};
use crate::options::{ClientOptions, Endpoint, Reads};
use crate::outbox::Event;
use crate::pool::{Lease, Pool};

impl Deployment {
    /// Asks where everything is, and follows the answer.
    pub(super) async fn look_around(self: &Arc<Self>) {
        let (candidates, borrowed) = self.candidates();
        let budget = self.template.options.socket.connect_timeout;
        let began = Instant::now();
        let (is_close, kinship) = {
            let routes = self.lock();
            (routes.has_newcomers, routes.kinship(began))
        };
        let (found, strangers) = match is_close {
            true => self.source.look_closely(candidates, &kinship, budget).await,
            false => self.source.look(candidates, &kinship, budget).await,
        };
        for pool in borrowed {
            self.template.close(pool);
        }
        self.estrange(&strangers, found.is_ok(), began);
        let found = match found {
            Ok(view) => self.reached(view).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(view) => {
                self.follow(view, is_close, began);
                if matches!(self.template.topology.reads, Reads::Nearest | Reads::Zone(_)) {
                    self.measure().await;
                }
            }
            Err(error) => self.note_failure(error),
        }
        self.prove().await;
    }

    /// `view` with the addresses at which this client reaches the nodes.
    async fn reached(&self, view: View) -> Result<View> {
        let addresses = &self.template.addresses;
        let named = view.members().map(|member| member.endpoint.clone()).collect();
        addresses.learn(named).await?;
        Ok(view.map(|endpoint| addresses.of(endpoint)))
    }

    /// Follows the answer of a server; `is_close`: it names nodes without slots as well.
    /// `began`: when it was asked.
    fn follow(&self, view: View, is_close: bool, began: Instant) {
        let (is_first, is_news) = self.change(|routes| {
            routes.last_failure = None;
            if routes.closed.is_some() {
                return (false, false);
            }
            if is_close {
                routes.has_newcomers = view.has_newcomers();
            }
            let is_first = !routes.is_known;
            routes.viewed = Some(began);
            (is_first, routes.apply(&view, Instant::now()))
        });
        if is_news {
            self.template.tell(Event::Topology(is_first));
        }
    }

    /// No server could say where everything is.
    fn note_failure(&self, error: Error) {
        self.template.tell(Event::Error(error.clone(), None));
        self.change(|routes| {
            if error.is_fatal() {
                routes.fail_parked(&error);
            } else {
                if error.kind() == ErrorClass::RootNodes {
                    routes.go_on_alone();
                }
                routes.news.look = routes.parked.commands() > 0;
            }
            routes.last_failure = Some(error);
            routes.version += 1;
        });
    }

    /// The servers to ask: first the nodes whose lanes are connected, in any order, then the other
    /// nodes, then the seeds. The second list has the pools that were made for this look only.
    fn candidates(&self) -> (Candidates, Vec<Arc<Pool>>) {
        let mut known: Vec<(bool, u64, Endpoint, Arc<Pool>)> = {
            let routes = self.lock();
            let nodes = routes.registry.nodes().filter(|node| node.leaves.is_none());
            let known = nodes.map(|node| {
                let chance = (backoff::random() * f64::from(u32::MAX)) as u64;
                (!node.is_up(), chance, node.endpoint.clone(), Arc::clone(node.pool()))
            });
            known.collect()
        };
        known.sort_by_key(|(is_down, chance, ..)| (*is_down, *chance));
        let mut all: Candidates =
            known.into_iter().map(|(_, _, endpoint, pool)| (endpoint, pool)).collect();
        let mut borrowed = Vec::new();
        for seed in &self.template.topology.seeds {
            if all.iter().any(|(endpoint, _)| endpoint == seed) {
                continue;
            }
            let options = ClientOptions { endpoint: seed.clone(), ..self.template.options.clone() };
            if let Ok(pool) = self.template.pool(Arc::new(options)) {
                borrowed.push(Arc::clone(&pool));
                all.push((seed.clone(), pool));
            }
        }
        (all, borrowed)
    }

    /// Finds out how long a round trip to each node takes, and in which zone the node is.
    async fn measure(&self) {
        let nodes: Vec<_> = {
            let routes = self.lock();
            let nodes = routes.registry.nodes();
            nodes.map(|node| (node.endpoint.clone(), Arc::clone(node.pool()))).collect()
        };
        let mut asked = JoinSet::new();
        for (endpoint, pool) in nodes {
            asked.spawn(async move {
                let mut lease = pool.impatient_lease(1).await.ok()?;
                let latency = fastest(&mut lease).await?;
                Some((endpoint, latency, lease.info.zone.clone()))
            });
        }
        let measured = timeout(PROBE, async {
            while let Some(found) = asked.join_next().await {
                if let Ok(Some((endpoint, latency, zone))) = found {
                    self.change(|routes| routes.measured(&endpoint, latency, zone));
                }
            }
        });
        // A node that has not answered by now keeps the latency that it had.
        let _ = measured.await;
    }
}

/// The fastest of a few round trips; None if the server has not answered.
async fn fastest(lease: &mut Lease) -> Option<Duration> {
    let mut best: Option<Duration> = None;
    for _ in 0..PROBES {
        let sent = Instant::now();
        lease.ping(PROBE).await.ok()?;
        let took = sent.elapsed();
        best = Some(best.map_or(took, |best| best.min(took)));
    }
    best
}

/// How many round trips are measured. The fastest counts, because the first one may have to wake up
/// a processor or a radio.
const PROBES: usize = 3;
/// How long measuring all nodes may take: a node that needs longer is not near.
const PROBE: Duration = Duration::from_secs(1);
