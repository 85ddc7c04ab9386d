use std::sync::Arc;

use bytes::Bytes;
use oxidis::error::{Error, ErrorClass};
use oxidis::metrics::Metrics;
use oxidis::options::ClientOptions;
use oxidis::pool::{Pool, Questions};
use oxidis::pubsub::{Allotment, Request, Subscriber, Topic};
use tokio::time::Instant;

use crate::support::{ms, Caller, Server, Wire};

pub struct Scene {
    pub server: Server,
    pub caller: Caller,
    pub subscriber: Subscriber,
    pub pool: Arc<Pool>,
    tickets: u32,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(Allotment::Subscribers, |_| ()).await
    }

    /// A scene with options that `change` has changed.
    pub async fn with(budget: Allotment, change: impl FnOnce(&mut ClientOptions)) -> Self {
        let server = Server::start().await;
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
        let outbox = Arc::clone(&caller.outbox);
        let subscriber = Subscriber::start(budget, options, Arc::clone(&pool), outbox, metrics);
        Self { server, caller, subscriber, pool, tickets: 0 }
    }

    /// A scene with a connection that is subscribed to channel `a` with token 1.
    pub async fn subscribed() -> (Self, Wire) {
        let mut scene = Self::new().await;
        let ticket = scene.subscribe(Topic::Channel, &[("a", 1)]);
        let mut wire = scene.server.accept().await;
        wire.expect("SUBSCRIBE a").await;
        wire.say(&confirmed("subscribe", "a")).await;
        assert!(scene.caller.settled(ticket).await.is_none());
        (scene, wire)
    }

    pub fn subscribe(&mut self, topic: Topic, names: &[(&str, u32)]) -> u32 {
        self.subscribe_within(0, topic, names)
    }

    /// Subscribes with a deadline in milliseconds; returns the ticket.
    pub fn subscribe_within(&mut self, within: u64, topic: Topic, names: &[(&str, u32)]) -> u32 {
        let names = names.iter().map(|(name, token)| (Bytes::from(name.to_string()), *token));
        let request = self.request(within);
        self.subscriber.subscribe(Some(request), topic, names.collect());
        request.ticket
    }

    pub fn unsubscribe(&mut self, topic: Topic, names: &[&str]) -> u32 {
        let names = names.iter().map(|name| Bytes::from(name.to_string())).collect();
        let request = self.request(0);
        self.subscriber.unsubscribe(Some(request), topic, names);
        request.ticket
    }

    pub fn close(&self) {
        self.subscriber.close(&Error::new(ErrorClass::Closed, "CLOSED", "the client was closed"));
    }

    fn request(&mut self, within: u64) -> Request {
        self.tickets += 1;
        let deadline = (within > 0).then(|| Instant::now() + ms(within));
        Request { ticket: self.tickets, deadline }
    }
}

pub fn confirmed(word: &str, name: &str) -> String {
    format!(">3\r\n${}\r\n{word}\r\n${}\r\n{name}\r\n:1\r\n", word.len(), name.len())
}

pub fn message(name: &str, payload: &str) -> String {
    let (length, size) = (name.len(), payload.len());
    format!(">3\r\n$7\r\nmessage\r\n${length}\r\n{name}\r\n${size}\r\n{payload}\r\n")
}
