//! A server, a pool to it, and sessions of one caller.

use std::sync::Arc;

use bytes::Bytes;
use oxidis::error::Error;
use oxidis::lane::{Batch, Command, Home};
use oxidis::metrics::Metrics;
use oxidis::options::ClientOptions;
use oxidis::outbox::Event;
use oxidis::pool::{Pool, Questions};
use oxidis::resp::encode;
use oxidis::session::Session;
use tokio::time::Instant;

use crate::support::{patiently, Caller, Server, Wire};

pub struct Scene {
    pub server: Server,
    pub caller: Caller,
    pub home: Home,
    sent: u32,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A scene with options that `change` has changed.
    pub async fn with(change: impl FnOnce(&mut ClientOptions)) -> Self {
        let server = Server::start().await;
        let mut options = server.options();
        change(&mut options);
        let (caller, metrics, options) = (Caller::new(), Arc::default(), Arc::new(options));
        let pool = Pool::new(
            Arc::clone(&options),
            Arc::new(Questions::new(caller.outboxes())),
            caller.outboxes(),
            Arc::<Metrics>::clone(&metrics),
        );
        let home = Home {
            lane_id: SESSION_ID,
            is_served_by_caller: crate::IS_SERVED_BY_CALLER,
            options,
            pool: Arc::new(pool.unwrap()),
            outboxes: caller.outboxes(),
            router: None,
            company: Arc::new(std::sync::atomic::AtomicUsize::new(1)),
            metrics,
        };
        Self { server, caller, home, sent: 0 }
    }

    /// A session over a connection that the pool has to open first.
    pub async fn opened(&mut self) -> (Session, Wire) {
        let (lease, wire) = tokio::join!(self.home.pool.acquire(), self.server.accept());
        (self.start(lease.unwrap()).await, wire)
    }

    /// A session over a connection that the pool has already.
    pub async fn reused(&mut self) -> Session {
        let lease = patiently("an idle connection", self.home.pool.acquire()).await;
        self.start(lease.unwrap()).await
    }

    async fn start(&mut self, lease: oxidis::pool::Lease) -> Session {
        let session = Session::start(self.home.clone(), lease);
        #[cfg(unix)]
        if crate::IS_SERVED_BY_CALLER {
            tokio::spawn(crate::watch::attend(session.lane().clone()));
        }
        self.caller.event(|event| matches!(event, Event::Opened(SESSION_ID)).then_some(())).await;
        session
    }

    /// Waits for the end of a session.
    pub async fn left(&mut self) {
        self.caller.event(|event| matches!(event, Event::Left(SESSION_ID)).then_some(())).await;
        while self.home.pool.stats().in_use > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// One batch of commands; returns the first one's id.
    pub fn send(&mut self, session: &Session, commands: &[&str]) -> u32 {
        self.try_send(session, commands).unwrap_or_else(|error| panic!("not taken: {error:?}"))
    }

    pub fn try_send(&mut self, session: &Session, commands: &[&str]) -> Result<u32, Error> {
        self.send_within(0, session, commands)
    }

    /// One batch of commands with a deadline in milliseconds; returns the first one's id.
    pub fn send_within(
        &mut self,
        timeout: u32,
        session: &Session,
        commands: &[&str],
    ) -> Result<u32, Error> {
        let (mut bytes, mut rows) = (Vec::new(), Vec::new());
        let first = self.sent + 1;
        for command in commands {
            let start = bytes.len();
            let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            encode::command(&mut bytes, &args);
            self.sent += 1;
            let len = (bytes.len() - start) as u32;
            rows.push(Command { id: self.sent, len, mode: 0, timeout });
        }
        let batch = Batch::new(Bytes::from(bytes), rows, Instant::now());
        session.submit(batch).map(|_| first).map_err(|(_, error)| error)
    }

    /// Sends `command`, and lets the server answer with `reply`.
    pub async fn exchange(
        &mut self,
        session: &Session,
        wire: &mut Wire,
        command: &str,
        reply: &str,
    ) {
        let id = self.send(session, &[command]);
        wire.expect(command).await;
        wire.say(reply).await;
        let _ = self.caller.outcome(id).await;
    }

    /// How many connections the pool has, and how many of them are idle.
    pub fn connections(&self) -> (usize, usize) {
        let stats = self.home.pool.stats();
        (stats.total, stats.idle)
    }
}

/// The session id of every session here, since there is one at a time.
const SESSION_ID: u32 = 1 << 31;
