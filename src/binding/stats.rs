//! The shape of `client.stats()`.

use napi_derive::napi;

use crate::client::Client;

/// What a client is doing and has done. Times in milliseconds.
#[napi(object)]
pub struct Stats {
    /// The pool.
    pub pool: PoolNumbers,
    /// Each lane.
    pub lanes: Vec<LaneNumbers>,
    /// The subscriber.
    #[napi(js_name = "pubsub")]
    pub pubsub: PubSubNumbers,
    /// Commands submitted.
    pub commands: f64,
    /// Error replies.
    pub errors: f64,
    /// Commands whose deadline passed.
    pub timeouts: f64,
    /// Commands written again.
    pub retries: f64,
    /// Commands that a node has redirected to another one.
    pub redirects: f64,
    /// Connections opened.
    pub connects: f64,
    /// Attempts that failed.
    pub connect_failures: f64,
    /// Established connections that were lost, each followed by a reconnect.
    pub reconnects: f64,
    /// Replies thrown away because their caller had gone.
    pub late_replies: f64,
    /// RESP3 pushes that belong to no subscription.
    pub pushes_ignored: f64,
    /// Bytes read.
    pub bytes_in: f64,
    /// Bytes written.
    pub bytes_out: f64,
    /// Time from submission to the arrival of the reply.
    pub latency: Percentiles,
}

/// The pool's numbers.
#[napi(object)]
pub struct PoolNumbers {
    /// Connections that exist, lanes included.
    pub total: u32,
    /// Connections that are not on loan.
    pub idle: u32,
    /// Exclusive leases that are out.
    pub in_use: u32,
    /// Callers that wait for an exclusive lease.
    pub waiting: u32,
    /// Exclusive leases that may be out at the same time.
    pub max: u32,
    /// Time that callers have waited for a lease.
    pub acquire: Percentiles,
}

/// A lane's numbers.
#[napi(object)]
pub struct LaneNumbers {
    /// Whether it has a connection that has finished its handshake.
    pub connected: bool,
    /// Commands written and not answered.
    pub in_flight: u32,
    /// Commands not written yet.
    pub queued: u32,
    /// Bytes of commands not answered.
    pub bytes: f64,
}

/// The subscriber's numbers; MONITOR is not counted.
#[napi(object)]
pub struct PubSubNumbers {
    /// Channels and patterns that are subscribed to.
    pub subscriptions: u32,
    /// Messages received.
    pub received: f64,
    /// Messages received and dropped, because too many waited for the event loop.
    pub dropped: f64,
    /// Bytes of messages that wait.
    pub queued_bytes: f64,
}

/// Upper bounds of durations in ms, at most an eighth too high.
#[napi(object)]
pub struct Percentiles {
    /// Half of all durations are below this one.
    pub p50: f64,
    /// 99 % are below this one.
    pub p99: f64,
    /// 99.9 % are below this one.
    pub p999: f64,
}

impl Stats {
    /// The numbers of `client` now.
    pub fn of(client: &Client) -> Self {
        let now = client.stats();
        let metrics = client.metrics();
        let pool = now.pool;
        let lanes = now.lanes.iter().map(|lane| LaneNumbers {
            connected: lane.connected,
            in_flight: lane.in_flight as u32,
            queued: lane.queued.saturating_sub(lane.in_flight) as u32,
            bytes: lane.bytes as f64,
        });
        Self {
            pool: PoolNumbers {
                total: pool.total as u32,
                idle: pool.idle as u32,
                in_use: pool.in_use as u32,
                waiting: pool.waiting as u32,
                max: pool.max as u32,
                acquire: percentiles(&metrics.acquire),
            },
            lanes: lanes.collect(),
            pubsub: PubSubNumbers {
                subscriptions: now.pubsub.subscriptions as u32,
                received: now.pubsub.received as f64,
                dropped: now.pubsub.dropped as f64,
                queued_bytes: now.pubsub.queued_bytes as f64,
            },
            commands: metrics.commands.get() as f64,
            errors: metrics.errors.get() as f64,
            timeouts: metrics.timeouts.get() as f64,
            retries: metrics.retries.get() as f64,
            redirects: metrics.redirects.get() as f64,
            connects: metrics.connects.get() as f64,
            connect_failures: metrics.connect_failures.get() as f64,
            reconnects: metrics.lost.get() as f64,
            late_replies: metrics.tombstones.get() as f64,
            pushes_ignored: metrics.pushes_ignored.get() as f64,
            bytes_in: metrics.bytes_in.get() as f64,
            bytes_out: metrics.bytes_out.get() as f64,
            latency: percentiles(&metrics.latency),
        }
    }
}

fn percentiles(histogram: &crate::metrics::Histogram) -> Percentiles {
    let [p50, p99, p999] = histogram.quantiles([0.5, 0.99, 0.999]).map(|us| us as f64 / 1000.0);
    Percentiles { p50, p99, p999 }
}
