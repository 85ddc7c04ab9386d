//! The pool of one node: waiting for a lease, attempts at connecting, and giving leases back.

#[path = "../support/mod.rs"]
mod support;

mod attempts;
mod leases;

use std::sync::Arc;

use oxidis::metrics::Metrics;
use oxidis::options::ClientOptions;
use oxidis::pool::{Pool, Questions};
use support::{Caller, Server};

/// A pool for a server of the test.
struct Scene {
    server: Arc<Server>,
    caller: Caller,
    pool: Arc<Pool>,
    metrics: Arc<Metrics>,
}

impl Scene {
    async fn new(max: u32, change: impl FnOnce(&mut ClientOptions)) -> Self {
        let server = Arc::new(Server::start().await);
        let mut options = server.options();
        (options.pool.min, options.pool.max) = (0, max);
        change(&mut options);
        let (caller, metrics) = (Caller::new(), Arc::new(Metrics::default()));
        let pool = Pool::new(
            Arc::new(options),
            Arc::new(Questions::new(caller.outboxes())),
            caller.outboxes(),
            Arc::clone(&metrics),
        );
        Self { server, caller, pool: Arc::new(pool.unwrap()), metrics }
    }

    /// Accepts every connection, and answers every command.
    fn serve(&self) {
        let server = Arc::clone(&self.server);
        tokio::spawn(async move {
            loop {
                tokio::spawn(server.accept().await.echo());
            }
        });
    }

    /// Waits until this number of callers wait for a lease.
    async fn waiting(&self, callers: usize) {
        while self.pool.stats().waiting != callers {
            tokio::task::yield_now().await;
        }
    }
}
