//! One client of the application: its pool, its lanes, and who gets which batch.
//!
//! Owns the choice of the lane. Knows nothing of JavaScript: whoever calls it hands over encoded
//! batches and takes replies from the [`Outbox`].

mod runtime;

use std::sync::Arc;

use crate::error::{Applied, Error, Kind, Result};
use crate::lane::{Batch, Lane, LaneStats, Submitted};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Outbox};
use crate::pool::{Pool, PoolStats, Questions};
use crate::pubsub::{Budget, Subscriber, SubscriberStats, Topic};

/// A running client. Dropping it closes it.
pub struct Client {
    runtime: tokio::runtime::Handle,
    lanes: Vec<Lane>,
    subscriber: Subscriber,
    monitor: Subscriber,
    pool: Arc<Pool>,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
    questions: Arc<Questions>,
}

/// What a client is doing at one moment.
#[derive(Debug, Clone)]
pub struct ClientStats {
    /// The pool.
    pub pool: PoolStats,
    /// Each lane.
    pub lanes: Vec<LaneStats>,
    /// The subscriber, without MONITOR.
    pub pubsub: SubscriberStats,
}

impl Client {
    /// Starts a client; the first one of the process starts the I/O thread. Opens no connection
    /// before the first command or [`Client::connect`].
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    ///
    /// `is_served_by_caller`: see [`Lane::start`].
    pub fn start(
        options: ClientOptions,
        outbox: Arc<Outbox>,
        is_served_by_caller: bool,
    ) -> Result<Self> {
        options.validate()?;
        let runtime = runtime::handle()?;
        let _inside = runtime.enter();
        let options = Arc::new(options);
        let metrics = Arc::new(Metrics::default());
        let questions = Arc::new(Questions::new(Arc::clone(&outbox)));
        let pool = Pool::new(
            Arc::clone(&options),
            Arc::clone(&questions),
            Arc::clone(&outbox),
            Arc::clone(&metrics),
        )?;
        let pool = Arc::new(pool);
        let lane = |place| {
            Lane::start(
                place,
                is_served_by_caller,
                Arc::clone(&options),
                Arc::clone(&pool),
                Arc::clone(&outbox),
                Arc::clone(&metrics),
            )
        };
        let lanes = (0..options.lanes as u32).map(lane).collect();
        let subscriber = |budget| {
            Subscriber::start(
                budget,
                Arc::clone(&options),
                Arc::clone(&pool),
                Arc::clone(&outbox),
                Arc::clone(&metrics),
            )
        };
        let (subscriber, monitor) = (subscriber(Budget::Subscribers), subscriber(Budget::Sessions));
        let runtime = runtime.clone();
        Ok(Self { runtime, lanes, subscriber, monitor, pool, outbox, metrics, questions })
    }

    /// Hands over a batch. Returns the bytes that are queued in its lane now. A batch that cannot
    /// be taken ends with failures in the outbox.
    pub fn submit(&self, batch: Batch) -> usize {
        self.metrics.commands.add(batch.commands().len() as u64);
        let lane = match self.lanes.as_slice() {
            [only] => only,
            lanes => match lanes.iter().min_by_key(|lane| lane.queued_bytes()) {
                Some(lane) => lane,
                None => return 0,
            },
        };
        let (batch, error) = match lane.submit(batch) {
            Ok(Submitted { queued }) => return queued,
            Err(refused) => refused,
        };
        let failures = batch.commands().iter().map(|command| (command.id, error.clone()));
        self.outbox.push(Delivery::Failures(failures.collect()));
        0
    }

    /// The lane of this place.
    pub fn lane(&self, place: u32) -> Option<&Lane> {
        self.lanes.get(place as usize)
    }

    /// The connection that messages of `topic` come over.
    pub fn subscriber(&self, topic: Topic) -> &Subscriber {
        match topic {
            Topic::Monitor => &self.monitor,
            Topic::Channel | Topic::Pattern | Topic::ShardChannel => &self.subscriber,
        }
    }

    /// Ends the command `id`, whose caller has gone; says whether the server may run it still.
    /// None if its reply or failure is on its way.
    pub fn cancel(&self, id: u32) -> Option<Applied> {
        self.lanes.iter().find_map(|lane| lane.cancel(id))
    }

    /// Makes the lanes connect.
    pub fn connect(&self) {
        self.lanes.iter().for_each(Lane::connect);
    }

    /// Ends every command with a `CLOSED` failure and closes all connections.
    pub fn close(&self) {
        let error = Error::new(Kind::Closed, "CLOSED", "the client was closed");
        for lane in &self.lanes {
            lane.close(&error);
        }
        self.subscriber.close(&error);
        self.monitor.close(&error);
        let pool = Arc::clone(&self.pool);
        self.runtime.spawn(async move { pool.close().await });
    }

    /// What the client is doing now.
    pub fn stats(&self) -> ClientStats {
        let lanes = self.lanes.iter().map(Lane::stats).collect();
        ClientStats { pool: self.pool.stats(), lanes, pubsub: self.subscriber.stats() }
    }

    /// The client's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where the application's answers go.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Encoded bytes of the commands that are not answered yet, in the fullest lane.
    pub fn queued_bytes(&self) -> usize {
        self.lanes.iter().map(Lane::queued_bytes).max().unwrap_or(0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}
