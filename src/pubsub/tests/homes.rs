//! Several nodes: each name is had from the node that has it now, and from no other.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::command::slot;
use Topic::{Channel, Pattern, ShardChannel};

/// A state, its lines 1 to 3, and the node at the other end of each.
struct Nodes {
    state: State,
    now: Instant,
    wires: HashMap<u32, Vec<u8>>,
    nodes: HashMap<u32, Server>,
    connected: BTreeSet<u32>,
    /// By the slot: who has it, and who the caller thinks that has it.
    owners: HashMap<u16, u32>,
    beliefs: HashMap<u16, u32>,
    /// Who has the channels.
    common: u32,
    settled: BTreeMap<u32, Option<Error>>,
    rows: usize,
}

const LINES: [u32; 3] = [1, 2, 3];

impl Nodes {
    fn new() -> Self {
        let mut state = State::scattered();
        LINES.into_iter().for_each(|line| state.add(line));
        let node = || Server {
            mark: '>',
            subscribed: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            heard: Vec::new(),
        };
        Self {
            state,
            now: Instant::now(),
            wires: LINES.into_iter().map(|line| (line, Vec::new())).collect(),
            nodes: LINES.into_iter().map(|line| (line, node())).collect(),
            connected: BTreeSet::new(),
            owners: HashMap::new(),
            beliefs: HashMap::new(),
            common: 1,
            settled: BTreeMap::new(),
            rows: 0,
        }
    }

    fn connected() -> Self {
        let mut nodes = Self::new();
        LINES.into_iter().for_each(|line| nodes.connect(line));
        nodes
    }

    fn connect(&mut self, line: u32) {
        if self.connected.insert(line) {
            self.state.connect(line);
        }
    }

    fn cut(&mut self, line: u32) {
        self.connected.remove(&line);
        self.wires.insert(line, Vec::new());
        self.nodes.get_mut(&line).unwrap().subscribed.clear();
        self.state.disconnect(line, self.now);
        self.arrange();
    }

    fn want(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| (Bytes::from(name.to_string()), name.len() as u32));
        self.state.want(request(ticket, None), topic, names.collect());
        self.arrange();
    }

    fn unwant(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| Bytes::from(name.to_string()));
        self.state.unwant(request(ticket, None), topic, names.collect());
        self.arrange();
    }

    /// Who the caller thinks that has the slot of `name`: node 1 if nobody has said otherwise.
    fn belief(&self, name: &[u8]) -> u32 {
        self.beliefs.get(&slot::of(name)).copied().unwrap_or(1)
    }

    fn owner(&self, name: &[u8]) -> u32 {
        self.owners.get(&slot::of(name)).copied().unwrap_or(1)
    }

    fn arrange(&mut self) {
        for (topic, name) in self.state.take_homeless() {
            let home = if topic == ShardChannel { self.belief(&name) } else { self.common };
            self.state.place(topic, &name, home, self.now);
        }
        for (ticket, error) in self.state.take_settled() {
            let before = self.settled.insert(ticket, error);
            assert!(before.is_none(), "ticket {ticket} was settled twice");
        }
    }

    fn write(&mut self, line: u32) {
        if self.connected.contains(&line) {
            self.state.encode(line, self.wires.get_mut(&line).unwrap(), self.now);
        }
    }

    fn hear(&mut self, line: u32, bytes: &str) {
        let received = self.state.receive(line, &frames(bytes), self.now);
        assert!(received.breach.is_none(), "{:?}", received.breach);
        self.rows += received.rows.len();
        for (slot, error) in received.redirects {
            let target = error.message().rsplit(':').next().unwrap().parse().unwrap();
            self.beliefs.insert(slot, target);
        }
        self.arrange();
    }

    /// A node answers its next command. False if there is none.
    fn answer(&mut self, line: u32) -> bool {
        let wire = self.wires.get_mut(&line).unwrap();
        let Some(length) = encode::command_len(wire) else { return false };
        let command: Vec<u8> = wire.drain(..length).collect();
        let args: Vec<_> = encode::args(&command).map(<[u8]>::to_vec).collect();
        let is_of_slot = matches!(&args[0][..], b"SSUBSCRIBE" | b"SUNSUBSCRIBE");
        let slots: BTreeSet<u16> = args[1..].iter().map(|name| slot::of(name)).collect();
        assert!(!is_of_slot || slots.len() == 1, "a command for one slot");
        let node = self.nodes.get_mut(&line).unwrap();
        let reply = match is_of_slot.then(|| self.owners.get(&slot::of(&args[1])).unwrap_or(&1)) {
            Some(owner) if *owner != line => {
                node.heard.push(String::from_utf8(args.join(&b' ')).unwrap());
                format!("-MOVED {} node:{owner}\r\n", slot::of(&args[1]))
            }
            _ => node.answer(&command),
        };
        self.hear(line, &reply);
        true
    }

    fn settle_down(&mut self) {
        loop {
            let mut is_idle = true;
            for line in LINES {
                self.write(line);
                while self.connected.contains(&line) && self.answer(line) {
                    is_idle = false;
                }
            }
            if is_idle {
                return;
            }
        }
    }

    /// The slot of `name` moves; its node ends all subscriptions of the slot.
    fn migrate(&mut self, name: &str, to: u32) {
        let slot = slot::of(name.as_bytes());
        let from = self.owner(name.as_bytes());
        self.owners.insert(slot, to);
        if from == to {
            return;
        }
        let node = self.nodes.get_mut(&from).unwrap();
        let ended: Vec<_> = node
            .subscribed
            .iter()
            .filter(|(topic, name)| *topic == 2 && slot::of(name.as_bytes()) == slot)
            .cloned()
            .collect();
        for (topic, name) in ended {
            let node = self.nodes.get_mut(&from).unwrap();
            node.subscribed.remove(&(topic, name.clone()));
            let push = node.frame("sunsubscribe", &name);
            self.hear(from, &push);
        }
    }

    fn subscribed(&self, line: u32) -> Vec<&str> {
        self.nodes[&line].subscribed.iter().map(|(_, name)| name.as_str()).collect()
    }

    fn message(&mut self, line: u32, name: &str) -> usize {
        let before = self.rows;
        let size = name.len();
        self.hear(line, &format!(">3\r\n$8\r\nsmessage\r\n${size}\r\n{name}\r\n$1\r\nx\r\n"));
        self.rows - before
    }

    fn code(&self, ticket: u32) -> Option<&str> {
        self.settled.get(&ticket)?.as_ref().map(Error::code)
    }
}

#[test]
fn shard_channels_go_where_their_slots_are_and_are_asked_for_by_slot() {
    let mut nodes = Nodes::connected();
    nodes.beliefs.insert(slot::of(b"b"), 2);
    nodes.owners.insert(slot::of(b"b"), 2);
    nodes.want(1, ShardChannel, &["{a}1", "{a}2", "b", "c"]);
    nodes.want(2, Channel, &["x", "y"]);
    nodes.want(3, Pattern, &["p*"]);
    nodes.settle_down();
    let mut heard = nodes.nodes[&1].heard.clone();
    heard.sort();
    assert_eq!(heard, ["PSUBSCRIBE p*", "SSUBSCRIBE c", "SSUBSCRIBE {a}1 {a}2", "SUBSCRIBE x y"]);
    assert_eq!(nodes.nodes[&2].heard, ["SSUBSCRIBE b"]);
    assert!([1, 2, 3].iter().all(|ticket| nodes.settled[ticket].is_none()));
}

#[test]
fn a_subscription_follows_moved_and_ends_its_ticket_where_it_is_confirmed() {
    let mut nodes = Nodes::connected();
    nodes.owners.insert(slot::of(b"s"), 3);
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    nodes.answer(1);
    assert!(nodes.settled.is_empty());
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
    assert_eq!((nodes.subscribed(1), nodes.subscribed(3)), (vec![], vec!["s"]));
    assert!(nodes.state.take_reports(nodes.now).is_empty(), "nothing was lost");
}

#[test]
fn when_a_slot_moves_its_channels_are_had_from_the_new_owner_and_the_gap_is_told() {
    let mut nodes = Nodes::connected();
    nodes.want(1, ShardChannel, &["s", "t"]);
    nodes.want(2, Channel, &["a"]);
    nodes.settle_down();
    nodes.migrate("s", 2);
    nodes.now += Duration::from_millis(7);
    nodes.settle_down();
    assert_eq!(nodes.subscribed(2), ["s"]);
    assert_eq!(nodes.subscribed(1), ["a", "t"]);
    let lost = Duration::from_millis(7);
    let report = Resubscribed { channels: 0, patterns: 0, shard_channels: 1, lost };
    assert_eq!(nodes.state.take_reports(nodes.now), [report]);
    assert_eq!((nodes.message(1, "s"), nodes.message(2, "s")), (0, 1), "only its home counts");
}

#[test]
fn an_answer_to_what_was_asked_before_a_move_there_and_back_does_not_count() {
    let mut nodes = Nodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    let name = Bytes::from_static(b"s");
    for home in [2, 1] {
        nodes.state.displace(ShardChannel, &name, nodes.now);
        nodes.beliefs.insert(slot::of(b"s"), home);
        nodes.arrange();
    }
    nodes.write(1);
    nodes.answer(1);
    assert!(nodes.settled.is_empty());
    nodes.answer(1);
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn unsubscribing_ends_although_the_slot_has_just_moved() {
    for is_sent in [false, true] {
        let mut nodes = Nodes::connected();
        nodes.want(1, ShardChannel, &["s"]);
        nodes.settle_down();
        nodes.unwant(2, ShardChannel, &["s"]);
        if is_sent {
            nodes.write(1);
        }
        // Its end counts as the answer, and the answer, MOVED, as none.
        nodes.migrate("s", 2);
        nodes.want(3, Channel, &["a"]);
        nodes.settle_down();
        assert!(nodes.settled[&2].is_none() && nodes.settled[&3].is_none(), "{is_sent}");
        assert_eq!((nodes.subscribed(1), nodes.subscribed(2)), (vec!["a"], vec![]));
        assert_eq!(nodes.state.oldest(1), None);
    }
}

#[test]
fn unsubscribing_while_a_name_has_no_home_ends_at_once() {
    let mut nodes = Nodes::new();
    nodes.want(1, ShardChannel, &["s"]);
    let name = Bytes::from_static(b"s");
    nodes.state.displace(ShardChannel, &name, nodes.now);
    assert_eq!(nodes.state.take_homeless(), [(ShardChannel, name.clone())]);
    nodes.state.put_off(ShardChannel, &name, nodes.now);
    nodes.unwant(2, ShardChannel, &["s"]);
    assert!(nodes.settled[&1].is_none() && nodes.settled[&2].is_none());
    nodes.state.recall();
    assert!(nodes.state.take_homeless().is_empty());
}

#[test]
fn who_is_sent_to_and_fro_is_told_and_the_nodes_get_a_pause() {
    let mut nodes = Nodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    let slot = slot::of(b"s");
    let mut asked = 0;
    while nodes.settled.is_empty() {
        if let Some(at) = nodes.state.retry_at() {
            nodes.now = at;
            nodes.state.recall();
            nodes.arrange();
        }
        let line = nodes.belief(b"s");
        nodes.write(line);
        // Each says that the other one has it.
        nodes.owners.insert(slot, 3 - line);
        assert!(nodes.answer(line));
        asked += 1;
    }
    assert_eq!((asked, nodes.code(1)), (6, Some("MAX_REDIRECTIONS")));
    nodes.settle_down();
    let heard: usize = nodes.nodes.values().map(|node| node.heard.len()).sum();
    assert_eq!(heard, 6, "not asked again before it is time");
    assert_eq!(nodes.state.retry_at(), Some(nodes.now + Duration::from_millis(800)));
    nodes.state.recall_unasked();
    assert!(nodes.state.take_homeless().is_empty());
    nodes.state.recall();
    nodes.arrange();
    nodes.settle_down();
    assert_eq!(nodes.nodes.values().filter(|node| !node.subscribed.is_empty()).count(), 1);
}

#[test]
fn a_node_that_sends_to_a_stranger_is_asked_again_after_a_while() {
    let mut nodes = Nodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    nodes.write(1);
    nodes.wires.get_mut(&1).unwrap().clear();
    // The caller does not know it, and so believes what it believed.
    let slot = slot::of(b"s");
    let frames = frames(&format!("-MOVED {slot} stranger:1\r\n"));
    assert_eq!(nodes.state.receive(1, &frames, nodes.now).redirects.len(), 1);
    nodes.arrange();
    nodes.settle_down();
    assert!(nodes.nodes[&1].heard.is_empty());
    assert_eq!(nodes.state.retry_at(), Some(nodes.now + Duration::from_millis(200)));
    nodes.state.recall();
    nodes.arrange();
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn a_cluster_that_is_down_is_asked_again_later_and_later() {
    let mut nodes = Nodes::connected();
    nodes.want(1, ShardChannel, &["s"]);
    for pause in [100, 200, 400, 800, 1000, 1000, 1000] {
        nodes.write(1);
        nodes.wires.get_mut(&1).unwrap().clear();
        nodes.hear(1, "-CLUSTERDOWN the cluster is down\r\n");
        let at = nodes.now + Duration::from_millis(pause);
        assert_eq!(nodes.state.retry_at(), Some(at));
        nodes.now = at;
        nodes.state.recall();
        nodes.arrange();
    }
    assert!(nodes.settled.is_empty(), "its deadline decides");
    nodes.settle_down();
    assert!(nodes.settled[&1].is_none());
}

#[test]
fn the_loss_of_a_shard_does_not_keep_back_the_news_of_the_others() {
    let mut nodes = Nodes::connected();
    nodes.beliefs.insert(slot::of(b"s"), 2);
    nodes.owners.insert(slot::of(b"s"), 2);
    nodes.want(1, ShardChannel, &["s"]);
    nodes.want(2, Channel, &["a"]);
    nodes.settle_down();
    nodes.cut(1);
    nodes.cut(2);
    nodes.connect(1);
    nodes.settle_down();
    let gaps = nodes.state.take_reports(nodes.now);
    assert_eq!((gaps.len(), gaps[0].channels, gaps[0].shard_channels), (1, 1, 0));
    nodes.connect(2);
    nodes.settle_down();
    assert_eq!(nodes.state.take_reports(nodes.now)[0].shard_channels, 1);
}

#[test]
fn a_line_that_is_removed_leaves_its_names_without_a_home() {
    let mut nodes = Nodes::connected();
    nodes.want(1, Channel, &["a", "b"]);
    nodes.want(2, ShardChannel, &["s"]);
    nodes.settle_down();
    nodes.unwant(3, Channel, &["b"]);
    nodes.common = 2;
    nodes.beliefs.insert(slot::of(b"s"), 2);
    nodes.owners.insert(slot::of(b"s"), 2);
    nodes.state.remove(1, nodes.now);
    nodes.arrange();
    assert!(nodes.settled[&3].is_none());
    assert!(!nodes.state.is_wanted(1) && nodes.state.is_wanted(2));
    nodes.settle_down();
    assert_eq!(nodes.subscribed(2), ["a", "s"]);
    assert_eq!(nodes.state.subscriptions(), 2);
}

#[derive(Debug, Clone)]
enum Step {
    Want(usize, u8),
    Unwant(usize, u8),
    Write(u32),
    Answer(u32),
    Cut(u32),
    Connect(u32),
    /// A slot moves, and the caller may hear of it first.
    Migrate(usize, u32, bool),
    /// The caller is told something that is not so.
    Lie(usize, u32),
    /// Channels move to another node.
    Move(u32),
    Recall,
}

const NAMES: [&str; 4] = ["a", "b", "{a}c", "d"];
const TOPICS: [Topic; 3] = [Channel, Pattern, ShardChannel];

fn step() -> impl Strategy<Value = Step> {
    let line = || 1..4u32;
    prop_oneof![
        5 => (0..3usize, 1..16u8).prop_map(|(topic, names)| Step::Want(topic, names)),
        4 => (0..3usize, 1..16u8).prop_map(|(topic, names)| Step::Unwant(topic, names)),
        8 => line().prop_map(Step::Write),
        9 => line().prop_map(Step::Answer),
        1 => line().prop_map(Step::Cut),
        4 => line().prop_map(Step::Connect),
        3 => (0..4usize, line(), any::<bool>())
            .prop_map(|(name, to, is_known)| Step::Migrate(name, to, is_known)),
        1 => (0..4usize, line()).prop_map(|(name, to)| Step::Lie(name, to)),
        1 => line().prop_map(Step::Move),
        2 => Just(Step::Recall),
    ]
}

fn chosen(bits: u8) -> Vec<&'static str> {
    NAMES.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, name)| *name).collect()
}

impl Nodes {
    /// As the caller does when it has heard something new.
    fn believe(&mut self, name: &str, owner: u32) {
        let slot = slot::of(name.as_bytes());
        self.beliefs.insert(slot, owner);
        for line in LINES.into_iter().filter(|line| *line != owner) {
            for (topic, name) in self.state.at(line) {
                if topic == ShardChannel && slot::of(&name) == slot {
                    self.state.displace(topic, &name, self.now);
                }
            }
        }
        self.state.recall_unasked();
        self.arrange();
    }

    fn move_channels(&mut self, to: u32) {
        self.common = to;
        for line in LINES.into_iter().filter(|line| *line != to) {
            for (topic, name) in self.state.at(line) {
                if topic != ShardChannel {
                    self.state.displace(topic, &name, self.now);
                }
            }
        }
        self.arrange();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_node_ends_up_with_what_is_wanted_of_it(steps in vec(step(), 1..80)) {
        let mut nodes = Nodes::new();
        let mut wanted: BTreeSet<(u8, String)> = BTreeSet::new();
        let mut tickets = 0;
        for step in steps {
            match step {
                Step::Want(topic, names) => {
                    tickets += 1;
                    let names = chosen(names);
                    nodes.want(tickets, TOPICS[topic], &names);
                    wanted.extend(names.iter().map(|name| (topic as u8, name.to_string())));
                }
                Step::Unwant(topic, names) => {
                    tickets += 1;
                    let names = chosen(names);
                    nodes.unwant(tickets, TOPICS[topic], &names);
                    wanted.retain(|(of, name)| *of != topic as u8 || !names.contains(&&**name));
                }
                Step::Write(line) => nodes.write(line),
                Step::Answer(line) => drop(nodes.answer(line)),
                Step::Cut(line) => nodes.cut(line),
                Step::Connect(line) => nodes.connect(line),
                Step::Migrate(name, to, is_known) => {
                    if is_known {
                        nodes.believe(NAMES[name], to);
                    }
                    nodes.migrate(NAMES[name], to);
                }
                Step::Lie(name, to) => nodes.believe(NAMES[name], to),
                Step::Move(to) => nodes.move_channels(to),
                Step::Recall => {
                    nodes.state.recall();
                    nodes.arrange();
                }
            }
            prop_assert_eq!(nodes.state.subscriptions(), wanted.len());
            let placed: usize = LINES.iter().filter(|line| nodes.state.is_wanted(**line)).count();
            prop_assert!(placed == 0 || !wanted.is_empty());
        }
        // From here on everybody knows the truth, and every node answers.
        for name in NAMES {
            let owner = nodes.owner(name.as_bytes());
            nodes.believe(name, owner);
        }
        LINES.into_iter().for_each(|line| nodes.connect(line));
        nodes.settle_down();
        nodes.state.recall();
        nodes.arrange();
        nodes.settle_down();
        nodes.state.recall();
        nodes.arrange();
        nodes.settle_down();
        for (topic, name) in &wanted {
            let home = if *topic == 2 { nodes.owner(name.as_bytes()) } else { nodes.common };
            prop_assert!(
                nodes.nodes[&home].subscribed.contains(&(*topic, name.clone())), "{} {}", topic, name
            );
        }
        prop_assert_eq!(nodes.settled.len(), tickets as usize);
        for line in LINES {
            prop_assert_eq!(nodes.state.oldest(line), None);
        }
        // A message of a shard channel is passed on once, whoever sends it.
        for name in NAMES {
            let is_wanted = wanted.contains(&(2, name.to_string()));
            let heard: usize = LINES.iter().map(|line| nodes.message(*line, name)).sum();
            prop_assert_eq!(heard, usize::from(is_wanted));
        }
    }
}
