//! A client as the binding uses it: it reads and writes on the I/O thread of the process, and its
//! caller is another thread.

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Bytes;
use oxidis::client::Client;
use oxidis::error::{Applied, ErrorClass};
use oxidis::lane::{Batch, Command};
use oxidis::options::ClientOptions;
use oxidis::resp::encode;
use support::{Caller, Server};
use tokio::time::Instant;

struct Scene {
    server: Arc<Server>,
    caller: Caller,
    client: Client,
    sent: u32,
}

impl Scene {
    async fn new(change: impl FnOnce(&mut ClientOptions)) -> Self {
        let server = Arc::new(Server::start().await);
        let mut options = server.options();
        change(&mut options);
        let caller = Caller::new();
        let client = Client::start(options, Arc::clone(&caller.outbox), false).unwrap();
        Self { server, caller, client, sent: 0 }
    }

    fn serve(&self) {
        let server = Arc::clone(&self.server);
        tokio::spawn(async move {
            loop {
                tokio::spawn(server.accept().await.echo());
            }
        });
    }

    /// `ECHO` of each command's id behind `padding` bytes, as one batch; returns the bytes queued.
    fn send(&mut self, commands: u32, padding: usize) -> usize {
        let (mut bytes, mut rows) = (Vec::new(), Vec::new());
        for _ in 0..commands {
            let start = bytes.len();
            self.sent += 1;
            let id = self.sent.to_string();
            encode::command(&mut bytes, &[b"ECHO", &vec![b'x'; padding], id.as_bytes()]);
            let len = (bytes.len() - start) as u32;
            rows.push(Command { id: self.sent, len, mode: 0, timeout: 0 });
        }
        self.client.submit(Batch::new(Bytes::from(bytes), rows, Instant::now()))
    }
}

/// Small batches are written by the caller's thread, large ones by the I/O thread. No wake-up
/// between the two may be lost, and the order stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_any_size_are_answered_in_order_across_threads() {
    let mut scene = Scene::new(|_| ()).await;
    scene.serve();
    for round in 0..300 {
        match round % 30 {
            29 => scene.send(2, 400_000),
            14 => scene.send(200, 2_000),
            _ => scene.send(1 + round % 7, 10),
        };
        if round % 5 == 0 {
            let last = scene.sent;
            assert_eq!(scene.caller.reply(last).await, last.to_string());
        }
    }
    let last = scene.sent;
    assert_eq!(scene.caller.reply(last).await, last.to_string());
    assert_eq!(scene.caller.order, (1..=last).collect::<Vec<_>>());
    assert_eq!(scene.client.queued_bytes(), 0);
    assert_eq!(scene.client.metrics().commands.get(), u64::from(last));
}

#[tokio::test]
async fn several_lanes_share_the_load() {
    let mut scene = Scene::new(|options| options.lanes = 3).await;
    for _ in 0..3 {
        scene.send(1, 100);
    }
    let stats = scene.client.stats();
    assert!(stats.lanes.iter().all(|lane| lane.queued == 1), "{stats:?}");
    scene.serve();
    for id in 1..=3 {
        assert_eq!(scene.caller.reply(id).await, id.to_string());
    }
    assert_eq!(scene.client.stats().pool.total, 3);
    assert_eq!(scene.client.stats().pool.in_use, 0, "lanes are not counted as leases");
}

#[tokio::test]
async fn a_command_is_cancelled_in_whichever_lane_it_is() {
    let mut scene = Scene::new(|options| options.lanes = 2).await;
    scene.send(1, 10);
    scene.send(1, 10);
    assert_eq!(scene.client.cancel(2), Some(Applied::No));
    assert_eq!(scene.client.cancel(1), Some(Applied::No));
    assert_eq!(scene.client.cancel(1), None);
    assert!(!scene.caller.has_ended(1));
}

/// `close` settles every command, and so does each call after it. The class tells which commands
/// were under way.
#[tokio::test]
async fn close_ends_everything_and_what_comes_later() {
    let mut scene = Scene::new(|_| ()).await;
    scene.send(2, 10);
    let mut wire = scene.server.accept().await;
    assert!(wire.hear().await.is_some());
    scene.client.close();
    for id in 1..=2 {
        let error = scene.caller.failure(id).await;
        assert_eq!(
            (error.kind(), error.applied()),
            (ErrorClass::Disconnected, Some(Applied::Unknown))
        );
    }
    assert_eq!(scene.send(1, 10), 0);
    let error = scene.caller.failure(3).await;
    assert_eq!((error.kind(), error.applied()), (ErrorClass::Disconnected, Some(Applied::No)));
    scene.client.close();
    while wire.hear().await.is_some() {}
}

#[tokio::test]
async fn a_client_that_is_dropped_closes() {
    let mut scene = Scene::new(|_| ()).await;
    scene.send(1, 10);
    let mut wire = scene.server.accept().await;
    assert!(wire.hear().await.is_some());
    let Scene { client, mut caller, .. } = scene;
    drop(client);
    assert_eq!(caller.failure(1).await.kind(), ErrorClass::Disconnected);
    wire.expect_end().await;
}

#[tokio::test]
async fn options_that_can_never_work_are_refused() {
    let server = Server::start().await;
    let options = ClientOptions { lanes: 0, ..server.options() };
    let error = Client::start(options, Caller::new().outbox, false).err().unwrap();
    assert_eq!(error.kind(), ErrorClass::Usage);
}
