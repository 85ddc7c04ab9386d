//! Several nodes behind one client: which node gets which command, and what happens when a slot
//! moves, a primary is replaced or a node refuses.

#[path = "support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use oxidis::cluster::Cluster;
use oxidis::error::{Applied, ErrorClass};
use oxidis::lane::{Batch, Command};
use oxidis::metrics::Metrics;
use oxidis::options::{Endpoint, TopologyOptions};
use oxidis::pool::Questions;
use oxidis::resp::encode;
use oxidis::topology::{Commons, Router};
use support::{ms, patiently, Caller, Server, Wire};
use tokio::sync::mpsc;
use tokio::time::{sleep, Instant};

/// A key of the first, the second and the third of three nodes (slots 1649, 7365 and 15495).
const KEYS: [&str; 3] = ["user:1000", "c", "a"];

/// One server of the cluster. It answers `CLUSTER SLOTS` by itself; every other connection is
/// served by the test.
struct FakeNode {
    port: u16,
    lanes: mpsc::UnboundedReceiver<Talk>,
    /// How often it was asked for the slots.
    looks: Arc<Mutex<u32>>,
    /// Accepts connections.
    task: tokio::task::JoinHandle<()>,
}

/// A connection that was not made for `CLUSTER SLOTS`.
struct Talk {
    first: Option<String>,
    wire: Wire,
}

/// Which node has which slots: first slot, last slot, index of the node.
type Layout = Arc<Mutex<Vec<(u16, u16, usize)>>>;

struct Scene {
    nodes: Vec<FakeNode>,
    layout: Layout,
    caller: Caller,
    router: Router,
    sent: u32,
}

impl Scene {
    async fn new() -> Self {
        Self::with(3, |_| ()).await
    }

    async fn with(count: usize, change: impl FnOnce(&mut TopologyOptions)) -> Self {
        let layout: Layout =
            Arc::new(Mutex::new(vec![(0, 5460, 0), (5461, 10922, 1), (10923, 16383, 2)]));
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(Server::start().await);
        }
        let options = servers[0].options();
        let ports: Arc<Vec<u16>> = Arc::new(servers.iter().map(port).collect());
        let nodes = servers.into_iter().zip(ports.iter()).map(|(server, port)| {
            let (lane, lanes) = mpsc::unbounded_channel();
            let looks = Arc::new(Mutex::new(0));
            let serving = (Arc::clone(&layout), Arc::clone(&ports), Arc::clone(&looks));
            let task = tokio::spawn(accept_all(server, serving, lane));
            FakeNode { port: *port, lanes, looks, task }
        });
        let nodes = nodes.collect();
        let caller = Caller::new();
        let mut topology = TopologyOptions {
            seeds: vec![options.endpoint.clone()],
            max_redirects: 5,
            ..TopologyOptions::default()
        };
        change(&mut topology);
        let commons = Commons {
            runtime: tokio::runtime::Handle::current(),
            is_served_by_caller: false,
            questions: Arc::new(Questions::new(caller.outboxes())),
            outboxes: caller.outboxes(),
            metrics: Arc::new(Metrics::default()),
            tls: Arc::default(),
        };
        let router = Router::start(options, topology, commons, Box::new(Cluster));
        Self { nodes, layout, caller, router, sent: 0 }
    }

    /// Sends commands as one batch, with five seconds each; their ids are consecutive.
    fn send(&mut self, commands: &[&str]) {
        self.send_for(commands, 5000);
    }

    fn send_for(&mut self, commands: &[&str], timeout: u32) {
        let (mut bytes, mut rows) = (Vec::new(), Vec::new());
        for words in commands {
            let start = bytes.len();
            self.sent += 1;
            let parts: Vec<&str> = words.split(" | ").collect();
            for command in &parts {
                let args: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
                encode::command(&mut bytes, &args);
            }
            let mode = if parts.len() > 1 { Command::BLOCK } else { 0 };
            rows.push(Command { id: self.sent, len: (bytes.len() - start) as u32, mode, timeout });
        }
        self.router.submit(Batch::new(Bytes::from(bytes), rows, Instant::now()));
    }

    /// The next connection to the node at `index`.
    async fn lane(&mut self, index: usize) -> Talk {
        patiently("a lane", self.nodes[index].lanes.recv()).await.unwrap()
    }

    /// Gives the slots from `first` to `last` to the node at `index`.
    fn give(&self, first: u16, last: u16, index: usize) {
        let mut layout = self.layout.lock().unwrap();
        let mut next = Vec::new();
        for (from, to, node) in layout.drain(..) {
            if from < first {
                next.push((from, to.min(first - 1), node));
            }
            if to > last {
                next.push((from.max(last + 1), to, node));
            }
        }
        next.push((first, last, index));
        next.sort_unstable();
        *layout = next;
    }

    fn moved(&self, slot: u16, index: usize) -> String {
        format!("-MOVED {slot} 127.0.0.1:{}\r\n", self.nodes[index].port)
    }
}

impl Talk {
    async fn expect(&mut self, command: &str) {
        let heard = match self.first.take() {
            Some(first) => Some(first),
            None => self.wire.hear().await,
        };
        assert_eq!(heard.as_deref(), Some(command));
    }

    async fn say(&mut self, bytes: &str) {
        self.wire.say(bytes).await;
    }
}

async fn accept_all(
    server: Server,
    (layout, ports, looks): (Layout, Arc<Vec<u16>>, Arc<Mutex<u32>>),
    lanes: mpsc::UnboundedSender<Talk>,
) {
    let own = port(&server);
    loop {
        let Some(mut wire) = server.accept_when().await else { continue };
        let (layout, ports) = (Arc::clone(&layout), Arc::clone(&ports));
        let (looks, lanes) = (Arc::clone(&looks), lanes.clone());
        tokio::spawn(async move {
            let mut command = wire.hear().await;
            loop {
                let reply = match command.as_deref() {
                    Some("CLUSTER SLOTS") => {
                        *looks.lock().unwrap() += 1;
                        slots(&layout.lock().unwrap(), &ports)
                    }
                    // After a loss each node is asked which one it is.
                    Some("CLUSTER MYID") => {
                        let index = ports.iter().position(|port| *port == own).unwrap();
                        format!("$2\r\nn{index}\r\n")
                    }
                    // The pool asks whether a connection still stands before it lends it.
                    Some("PING") => "+PONG\r\n".to_owned(),
                    _ => break,
                };
                wire.say(&reply).await;
                command = wire.hear().await;
            }
            if command.is_some() {
                let _ = lanes.send(Talk { first: command, wire });
            }
        });
    }
}

fn slots(layout: &[(u16, u16, usize)], ports: &[u16]) -> String {
    let mut reply = format!("*{}\r\n", layout.len());
    for (first, last, index) in layout {
        let port = ports[*index];
        reply += &format!("*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n");
        reply += &format!("$2\r\nn{index}\r\n");
    }
    reply
}

fn port(server: &Server) -> u16 {
    match server.options().endpoint {
        Endpoint::Tcp { port, .. } => port,
        Endpoint::Unix { .. } => unreachable!(),
    }
}

#[tokio::test]
async fn each_command_goes_to_the_node_of_its_key() {
    let mut scene = Scene::new().await;
    let [a, b, c] = KEYS;
    scene.send(&[&format!("GET {a}"), &format!("GET {b}"), &format!("GET {c}"), "GET {c}2"]);
    let mut wires = Vec::new();
    for index in 0..3 {
        wires.push(scene.lane(index).await);
    }
    wires[0].expect(&format!("GET {a}")).await;
    wires[1].expect(&format!("GET {b}")).await;
    wires[1].expect("GET {c}2").await;
    wires[2].expect(&format!("GET {c}")).await;
    // The replies of the other nodes do not wait for the first one.
    wires[1].say("+2\r\n+4\r\n").await;
    assert_eq!(scene.caller.reply(4).await, "4");
    wires[2].say("+3\r\n").await;
    wires[0].say("+1\r\n").await;
    assert_eq!(scene.caller.reply(1).await, "1");
    assert_eq!(scene.caller.reply(3).await, "3");
}

#[tokio::test]
async fn keys_of_several_slots_are_refused_and_nothing_else_is() {
    let mut scene = Scene::new().await;
    scene.send(&["MGET c a", "GET c", "MULTI | GET c | GET a | EXEC"]);
    let mut wire = scene.lane(1).await;
    wire.expect("GET c").await;
    wire.say("+x\r\n").await;
    assert_eq!(scene.caller.reply(2).await, "x");
    for id in [1, 3] {
        let error = scene.caller.failure(id).await;
        assert_eq!((error.code(), error.applied()), ("CROSSSLOT", Some(Applied::No)));
    }
}

#[tokio::test]
async fn a_moved_command_is_sent_on_once() {
    let mut scene = Scene::new().await;
    scene.send(&["SET c 1", "SET c 2"]);
    let mut before = scene.lane(1).await;
    before.expect("SET c 1").await;
    before.expect("SET c 2").await;
    scene.give(7365, 7365, 2);
    let moved = scene.moved(7365, 2);
    before.say(&(moved.clone() + &moved)).await;
    let mut after = scene.lane(2).await;
    after.expect("SET c 1").await;
    after.expect("SET c 2").await;
    after.say("+1\r\n+2\r\n").await;
    assert_eq!(scene.caller.reply(1).await, "1");
    assert_eq!(scene.caller.reply(2).await, "2");
    assert_eq!(scene.caller.order, [1, 2]);
}

/// The commands of one slot keep their order, also while the slot moves.
#[tokio::test]
async fn a_new_primary_gets_nothing_before_the_former_one_has_answered() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1", "SET a 2"]);
    let mut before = scene.lane(2).await;
    before.expect("SET a 1").await;
    before.expect("SET a 2").await;
    // All nodes know of the move, but the former primary has not answered what it was sent.
    scene.give(15495, 15495, 0);
    scene.router.look();
    let known = scene.nodes[0].looks.clone();
    scene.send(&["SET user:1000 x"]);
    let mut after = scene.lane(0).await;
    after.expect("SET user:1000 x").await;
    while scene.router.primary(Some(15495)) != scene.router.primary(Some(0)) {
        sleep(ms(5)).await;
    }
    assert!(*known.lock().unwrap() > 0);
    scene.send(&["SET a 3"]);
    before.expect("PING").await;
    // The first was run before the slot moved, the second was not.
    before.say("+1\r\n").await;
    before.say(&scene.moved(15495, 0)).await;
    before.say("+PONG\r\n").await;
    after.expect("SET a 2").await;
    after.expect("SET a 3").await;
    after.say("+x\r\n+2\r\n+3\r\n").await;
    for (id, reply) in [(1, "1"), (2, "2"), (4, "3")] {
        assert_eq!(scene.caller.reply(id).await, reply);
    }
}

/// A promotion is followed within a second, whatever the former primary does.
#[tokio::test]
async fn a_former_primary_that_does_not_answer_holds_up_no_command() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1", "GET a"]);
    let mut before = scene.lane(2).await;
    before.expect("SET a 1").await;
    scene.give(10923, 16383, 1);
    scene.router.look();
    while scene.router.primary(Some(15495)) != scene.router.primary(Some(5461)) {
        sleep(ms(5)).await;
    }
    scene.send(&["SET a 2"]);
    let started = Instant::now();
    let mut after = scene.lane(1).await;
    // The write may have been run, so it fails. The read is sent again, before what was sent later.
    after.expect("GET a").await;
    after.expect("SET a 2").await;
    assert!(started.elapsed() < ms(5000), "{:?}", started.elapsed());
    let error = scene.caller.failure(1).await;
    assert_eq!(error.applied(), Some(Applied::Unknown));
    after.say("+1\r\n+2\r\n").await;
    assert_eq!(scene.caller.reply(2).await, "1");
    assert_eq!(scene.caller.reply(3).await, "2");
}

/// A promotion is followed also if the former primary hangs, so that no reply tells of it: after a
/// while without an answer other nodes are asked.
#[tokio::test]
async fn a_promotion_is_heard_of_while_the_former_primary_is_silent() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1"]);
    let mut before = scene.lane(2).await;
    before.expect("SET a 1").await;
    scene.give(10923, 16383, 0);
    let error = scene.caller.failure(1).await;
    assert_eq!((error.code(), error.applied()), ("CONNECTION_LOST", Some(Applied::Unknown)));
    scene.send(&["SET a 2"]);
    let mut after = scene.lane(0).await;
    after.expect("SET a 2").await;
}

#[tokio::test]
async fn what_waits_for_a_lost_primary_goes_to_its_successor() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1"]);
    let mut before = scene.lane(2).await;
    before.expect("SET a 1").await;
    before.say("+1\r\n").await;
    assert_eq!(scene.caller.reply(1).await, "1");
    scene.give(10923, 16383, 0);
    scene.nodes[2].task.abort();
    before.wire.reset();
    scene.send(&["SET a 2", "SET user:1000 x", "SET a 3"]);
    let mut after = scene.lane(0).await;
    let mut heard = HashMap::new();
    for place in 0..3 {
        let command = match after.first.take() {
            Some(first) => first,
            None => after.wire.hear().await.unwrap(),
        };
        heard.insert(command, place);
    }
    assert!(heard["SET a 2"] < heard["SET a 3"], "{heard:?}");
    after.say("+x\r\n+x\r\n+x\r\n").await;
    for id in 2..=4 {
        assert_eq!(scene.caller.reply(id).await, "x");
    }
}

#[tokio::test]
async fn asking_goes_right_before_its_command() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1", "MULTI | SET a 2 | EXEC"]);
    let mut from = scene.lane(2).await;
    for command in ["SET a 1", "MULTI", "SET a 2", "EXEC"] {
        from.expect(command).await;
    }
    let ask = format!("-ASK 15495 127.0.0.1:{}\r\n", scene.nodes[0].port);
    from.say(&format!("{ask}+OK\r\n{ask}-EXECABORT Transaction discarded\r\n")).await;
    let mut to = scene.lane(0).await;
    for command in ["ASKING", "SET a 1", "ASKING", "MULTI", "SET a 2", "EXEC"] {
        to.expect(command).await;
    }
    to.say("+OK\r\n+one\r\n+OK\r\n+OK\r\n+QUEUED\r\n+two\r\n").await;
    assert_eq!(scene.caller.reply(1).await, "one");
    assert_eq!(scene.caller.reply(2).await, "two");
    assert!(scene.caller.parts.is_empty(), "{:?}", scene.caller.parts);
    // The slot is still where it was.
    scene.send(&["GET a"]);
    from.expect("GET a").await;
}

#[tokio::test]
async fn a_command_is_not_sent_on_for_ever() {
    let mut scene = Scene::with(3, |topology| topology.max_redirects = 3).await;
    scene.send(&["GET a"]);
    let mut wires: HashMap<usize, Talk> = HashMap::new();
    let mut at = 2;
    for _ in 0..4 {
        if let std::collections::hash_map::Entry::Vacant(entry) = wires.entry(at) {
            entry.insert(patiently("a lane", scene.nodes[at].lanes.recv()).await.unwrap());
        }
        let next = if at == 2 { 0 } else { 2 };
        let moved = scene.moved(15495, next);
        let wire = wires.get_mut(&at).unwrap();
        loop {
            let heard = match wire.first.take() {
                Some(first) => first,
                None => wire.wire.hear().await.unwrap(),
            };
            match heard.as_str() {
                "GET a" => break wire.say(&moved).await,
                // A mark, since the slot goes to and fro.
                "PING" => wire.say("+PONG\r\n").await,
                other => panic!("{other}"),
            }
        }
        at = next;
    }
    let error = scene.caller.failure(1).await;
    assert_eq!((error.code(), error.kind()), ("MAX_REDIRECTIONS", ErrorClass::Redirections));
    let last = format!("127.0.0.1:{}", scene.nodes[2].port);
    assert!(error.message().contains(&last), "{}", error.message());
}

/// A redirect chooses the host that gets the password next, so it is followed only to nodes that a
/// server has named.
#[tokio::test]
async fn a_node_that_no_server_has_named_is_not_connected_to() {
    let mut scene = Scene::with(4, |_| ()).await;
    scene.send_for(&["GET a"], 1500);
    let mut wire = scene.lane(2).await;
    wire.expect("GET a").await;
    let stranger = scene.moved(15495, 3);
    wire.say(&stranger).await;
    let talk = async {
        loop {
            // The slot's primary is asked again after each look around.
            wire.expect("GET a").await;
            wire.say(&stranger).await;
        }
    };
    tokio::select! {
        () = talk => {}
        error = scene.caller.failure(1) => {
            assert!(["MAX_REDIRECTIONS", "MOVED"].contains(&error.code()), "{error:?}");
        }
    }
    assert!(scene.nodes[3].lanes.try_recv().is_err(), "no connection was made");
    assert_eq!(*scene.nodes[3].looks.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_cluster_that_is_down_is_asked_again_until_the_deadline() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1"]);
    scene.send_for(&["SET a 2"], 400);
    let mut wire = scene.lane(2).await;
    wire.expect("SET a 1").await;
    wire.expect("SET a 2").await;
    let down = "-CLUSTERDOWN The cluster is down\r\n";
    wire.say(&down.repeat(2)).await;
    wire.expect("SET a 1").await;
    wire.expect("SET a 2").await;
    wire.say(&down.repeat(2)).await;
    let mut again = 0;
    // The second command ends at its deadline, with the server's last reply.
    while !scene.caller.has_ended(2) {
        again += 1;
        assert!(again < 50, "it is not asked all the time");
        wire.expect("SET a 1").await;
        let mut said = down.to_owned();
        if !scene.caller.has_ended(2) {
            match wire.wire.hear().await.unwrap().as_str() {
                "SET a 2" => said += down,
                "SET a 1" => said += down,
                other => panic!("{other}"),
            }
        }
        wire.say(&said).await;
        sleep(ms(20)).await;
    }
    assert_eq!(scene.caller.failure(2).await.code(), "CLUSTERDOWN");
}

#[tokio::test]
async fn commands_wait_for_the_first_answer() {
    // Nobody listens there.
    let nowhere = |topology: &mut TopologyOptions| {
        topology.seeds = vec![Endpoint::tcp("127.0.0.1", 1)];
    };
    let mut scene = Scene::with(3, nowhere).await;
    scene.send_for(&["GET a"], 300);
    let error = scene.caller.failure(1).await;
    assert_eq!((error.code(), error.applied()), ("TIMEOUT", Some(Applied::No)));
    assert_eq!(error.cause().unwrap().code(), "ROOT_NODES_UNAVAILABLE");
}

#[tokio::test]
async fn without_a_seed_commands_fail_before_their_deadline() {
    let mut scene = Scene::with(3, |topology| topology.seeds.clear()).await;
    scene.send_for(&["GET a"], 0);
    let error = scene.caller.failure(1).await;
    assert_eq!((error.code(), error.applied()), ("ROOT_NODES_UNAVAILABLE", Some(Applied::No)));
}

#[tokio::test]
async fn a_node_that_no_server_names_is_closed_once_it_has_answered() {
    let mut scene = Scene::new().await;
    scene.send(&["SET a 1"]);
    let mut gone = scene.lane(2).await;
    gone.expect("SET a 1").await;
    scene.give(10923, 16383, 0);
    scene.router.look();
    while scene.router.primary(Some(15495)) != scene.router.primary(Some(0)) {
        sleep(ms(5)).await;
    }
    gone.expect("PING").await;
    gone.say("+1\r\n+PONG\r\n").await;
    assert_eq!(scene.caller.reply(1).await, "1");
    gone.wire.expect_end().await;
    assert_eq!(scene.router.shards().len(), 2);
}
