//! A server, a lane of a pool to it, and the lane's caller.

use std::sync::Arc;

use bytes::Bytes;
use oxidis::error::{Applied, Error};
use oxidis::lane::{Batch, Command, Home, Lane};
use oxidis::metrics::Metrics;
use oxidis::options::ClientOptions;
use oxidis::pool::{Pool, Questions};
use oxidis::resp::encode;
use tokio::time::Instant;

use crate::support::{Caller, Server, Wire};

pub struct Scene {
    pub server: Arc<Server>,
    pub caller: Caller,
    pub lane: Lane,
    pub pool: Arc<Pool>,
    pub metrics: Arc<Metrics>,
    home: Home,
    sent: u32,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A scene with options that `change` has changed.
    pub async fn with(change: impl FnOnce(&mut ClientOptions)) -> Self {
        let server = Arc::new(Server::start().await);
        let mut options = server.options();
        change(&mut options);
        let (caller, metrics) = (Caller::new(), Arc::new(Metrics::default()));
        let options = Arc::new(options);
        let pool = Pool::new(
            Arc::clone(&options),
            Arc::new(Questions::new(caller.outboxes())),
            caller.outboxes(),
            Arc::clone(&metrics),
        );
        let pool = Arc::new(pool.unwrap());
        let home = Home {
            lane_id: 0,
            is_served_by_caller: crate::IS_SERVED_BY_CALLER,
            options,
            pool: Arc::clone(&pool),
            outboxes: caller.outboxes(),
            router: None,
            company: Arc::new(std::sync::atomic::AtomicUsize::new(1)),
            metrics: Arc::clone(&metrics),
        };
        let lane = Lane::start(home.clone());
        #[cfg(unix)]
        if crate::IS_SERVED_BY_CALLER {
            tokio::spawn(crate::watch::attend(lane.clone()));
        }
        Self { server, caller, lane, pool, metrics, home, sent: 0 }
    }

    /// A scene whose lane is connected.
    pub async fn connected() -> (Self, Wire) {
        let mut scene = Self::new().await;
        let wire = scene.connect().await;
        (scene, wire)
    }

    /// The lane that the connection is lent to, if there is one to lend.
    pub fn lend(&self) -> Option<Lane> {
        let home = Home { lane_id: 1, ..self.home.clone() };
        self.lane.lend(home).map(|loan| loan.lane)
    }

    pub async fn connect(&mut self) -> Wire {
        self.lane.connect();
        let wire = self.server.accept().await;
        self.caller.ready().await;
        wire
    }

    /// One batch of commands without a deadline; returns the first one's id.
    pub fn send(&mut self, commands: &[&str]) -> u32 {
        self.send_within(0, commands)
    }

    /// One batch of commands with a deadline in milliseconds; returns the first one's id.
    pub fn send_within(&mut self, timeout: u32, commands: &[&str]) -> u32 {
        self.try_send(timeout, commands).unwrap_or_else(|error| panic!("not taken: {error:?}"))
    }

    pub fn try_send(&mut self, timeout: u32, commands: &[&str]) -> Result<u32, Error> {
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
        self.lane.submit(batch).map(|_| first).map_err(|(_, error)| error)
    }

    /// A transaction of `commands` as one block, with a deadline in milliseconds; returns its id.
    pub fn send_block(&mut self, timeout: u32, commands: &[&str]) -> u32 {
        let mut bytes = Vec::new();
        for command in [&["MULTI"], commands, &["EXEC"]].concat() {
            let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            encode::command(&mut bytes, &args);
        }
        self.sent += 1;
        let (id, len) = (self.sent, bytes.len() as u32);
        let row = Command { id, len, mode: Command::BLOCK, timeout };
        let batch = Batch::new(Bytes::from(bytes), vec![row], Instant::now());
        self.lane.submit(batch).unwrap_or_else(|(_, error)| panic!("not taken: {error:?}"));
        id
    }

    /// Waits until this many commands are on the wire, at least in part.
    pub async fn in_flight(&self, commands: usize) {
        while self.lane.stats().in_flight < commands {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until this many error replies have come.
    pub async fn refused(&self, errors: u64) {
        while self.metrics.errors.get() < errors {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until every command that was sent has ended: each with its reply or its error.
    pub async fn all(&mut self) -> Vec<Result<String, Error>> {
        let mut outcomes = Vec::new();
        for id in 1..=self.sent {
            outcomes.push(self.caller.outcome(id).await);
        }
        outcomes
    }

    /// The commands `ids` have to fail with `code` and `applied`.
    pub async fn fail(&mut self, ids: impl IntoIterator<Item = u32>, code: &str, applied: Applied) {
        for id in ids {
            let error = self.caller.failure(id).await;
            assert_eq!((error.code(), error.applied()), (code, Some(applied)), "command {id}");
        }
    }
}
