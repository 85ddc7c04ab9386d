//! Several model nodes at once, and a caller that places names on them.

use std::collections::HashMap;

use super::*;
use crate::command::slot;
use Topic::ShardChannel;

/// A ledger, its feeds 1 to 3, and the node at the other end of each.
pub(super) struct ManyNodes {
    pub(super) ledger: Ledger,
    pub(super) now: Instant,
    pub(super) wires: HashMap<u32, Vec<u8>>,
    pub(super) nodes: HashMap<u32, Server>,
    pub(super) connected: BTreeSet<u32>,
    /// The node that has a slot.
    pub(super) owners: HashMap<u16, u32>,
    /// The node that the caller believes to have it.
    pub(super) beliefs: HashMap<u16, u32>,
    /// The node for channels and patterns.
    pub(super) common: u32,
    /// The nodes that local names are to be subscribed to on.
    pub(super) primaries: Vec<u32>,
    /// When the caller asked for them last.
    pub(super) viewed: Instant,
    pub(super) settled: BTreeMap<u32, Option<Error>>,
    pub(super) rows: usize,
}

pub(super) const FEEDS: [u32; 3] = [1, 2, 3];

impl ManyNodes {
    pub(super) fn new() -> Self {
        let (mut ledger, now) = (Ledger::scattered(true), Instant::now());
        FEEDS.into_iter().for_each(|feed| ledger.add(feed));
        let node = || Server {
            mark: '>',
            subscribed: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            heard: Vec::new(),
        };
        Self {
            ledger,
            now,
            wires: FEEDS.into_iter().map(|feed| (feed, Vec::new())).collect(),
            nodes: FEEDS.into_iter().map(|feed| (feed, node())).collect(),
            connected: BTreeSet::new(),
            owners: HashMap::new(),
            beliefs: HashMap::new(),
            common: 1,
            primaries: Vec::new(),
            viewed: now,
            settled: BTreeMap::new(),
            rows: 0,
        }
    }

    pub(super) fn connected() -> Self {
        let mut nodes = Self::new();
        FEEDS.into_iter().for_each(|feed| nodes.connect(feed));
        nodes
    }

    pub(super) fn connect(&mut self, feed: u32) {
        if self.connected.insert(feed) {
            self.ledger.connect(feed, self.now);
        }
    }

    pub(super) fn cut(&mut self, feed: u32) {
        self.connected.remove(&feed);
        self.wires.insert(feed, Vec::new());
        self.nodes.get_mut(&feed).unwrap().subscribed.clear();
        self.ledger.disconnect(feed);
        self.arrange();
    }

    pub(super) fn want(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| (Bytes::from(name.to_string()), name.len() as u32));
        self.ledger.want(request(ticket, None), topic, names.collect());
        self.arrange();
    }

    pub(super) fn unwant(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| Bytes::from(name.to_string()));
        self.ledger.unwant(request(ticket, None), topic, names.collect());
        self.arrange();
    }

    /// The node that the caller believes to have the slot of `name`: node 1 unless it was told
    /// otherwise.
    pub(super) fn belief(&self, name: &[u8]) -> u32 {
        self.beliefs.get(&slot::of(name)).copied().unwrap_or(1)
    }

    pub(super) fn owner(&self, name: &[u8]) -> u32 {
        self.owners.get(&slot::of(name)).copied().unwrap_or(1)
    }

    pub(super) fn arrange(&mut self) {
        if self.ledger.has_local() && !self.primaries.is_empty() {
            self.ledger.spread(&self.primaries, self.viewed, self.now);
        }
        for (topic, name) in self.ledger.take_homeless() {
            if self.ledger.is_local(topic, &name) {
                self.ledger.put_off(topic, &name, self.now);
                continue;
            }
            let home = if topic == ShardChannel { self.belief(&name) } else { self.common };
            self.ledger.place(topic, &name, home, self.now);
        }
        for (ticket, error) in self.ledger.take_settled() {
            let before = self.settled.insert(ticket, error);
            assert!(before.is_none(), "ticket {ticket} was settled twice");
        }
    }

    pub(super) fn write(&mut self, feed: u32) {
        if self.connected.contains(&feed) {
            self.ledger.encode(feed, self.wires.get_mut(&feed).unwrap(), self.now);
        }
    }

    pub(super) fn hear(&mut self, feed: u32, bytes: &str) {
        let received = self.ledger.receive(feed, &frames(bytes), self.now);
        assert!(received.breach.is_none(), "{:?}", received.breach);
        self.rows += received.rows.len();
        for (slot, error) in received.redirects {
            let target = error.message().rsplit(':').next().unwrap().parse().unwrap();
            self.beliefs.insert(slot, target);
        }
        self.arrange();
    }

    /// A node answers its next command. False if there is none.
    pub(super) fn answer(&mut self, feed: u32) -> bool {
        let wire = self.wires.get_mut(&feed).unwrap();
        let Some(length) = encode::command_len(wire) else { return false };
        let command: Vec<u8> = wire.drain(..length).collect();
        let args: Vec<_> = encode::args(&command).map(<[u8]>::to_vec).collect();
        let is_of_slot = matches!(&args[0][..], b"SSUBSCRIBE" | b"SUNSUBSCRIBE");
        let slots: BTreeSet<u16> = args[1..].iter().map(|name| slot::of(name)).collect();
        assert!(!is_of_slot || slots.len() == 1, "a command for one slot");
        let node = self.nodes.get_mut(&feed).unwrap();
        let reply = match is_of_slot.then(|| self.owners.get(&slot::of(&args[1])).unwrap_or(&1)) {
            Some(owner) if *owner != feed => {
                node.heard.push(String::from_utf8(args.join(&b' ')).unwrap());
                format!("-MOVED {} node:{owner}\r\n", slot::of(&args[1]))
            }
            _ => node.answer(&command),
        };
        self.hear(feed, &reply);
        true
    }

    pub(super) fn settle_down(&mut self) {
        loop {
            let mut is_idle = true;
            for feed in FEEDS {
                self.write(feed);
                while self.connected.contains(&feed) && self.answer(feed) {
                    is_idle = false;
                }
            }
            if is_idle {
                return;
            }
        }
    }

    /// The slot of `name` moves; its node ends all subscriptions of the slot.
    pub(super) fn migrate(&mut self, name: &str, to: u32) {
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

    pub(super) fn subscribed(&self, feed: u32) -> Vec<&str> {
        self.nodes[&feed].subscribed.iter().map(|(_, name)| name.as_str()).collect()
    }

    pub(super) fn message(&mut self, feed: u32, name: &str) -> usize {
        let before = self.rows;
        let size = name.len();
        self.hear(feed, &format!(">3\r\n$8\r\nsmessage\r\n${size}\r\n{name}\r\n$1\r\nx\r\n"));
        self.rows - before
    }

    /// A node sends a notification for the pattern of all of them.
    pub(super) fn notification(&mut self, feed: u32) -> usize {
        self.pattern_message(feed, "__keyspace@0__:*", "__keyspace@0__:k")
    }

    pub(super) fn pattern_message(&mut self, feed: u32, pattern: &str, channel: &str) -> usize {
        let before = self.rows;
        self.hear(feed, &Self::pattern_push(pattern, channel));
        self.rows - before
    }

    pub(super) fn pattern_push(pattern: &str, channel: &str) -> String {
        let (size, length) = (pattern.len(), channel.len());
        let head = format!(">4\r\n$8\r\npmessage\r\n${size}\r\n{pattern}\r\n");
        format!("{head}${length}\r\n{channel}\r\n$3\r\nset\r\n")
    }

    pub(super) fn code(&self, ticket: u32) -> Option<&str> {
        self.settled.get(&ticket)?.as_ref().map(Error::code)
    }

    /// The caller hears that `owner` has the slot of `name`.
    pub(super) fn believe(&mut self, name: &str, owner: u32) {
        let slot = slot::of(name.as_bytes());
        self.beliefs.insert(slot, owner);
        for feed in FEEDS.into_iter().filter(|feed| *feed != owner) {
            for (topic, name) in self.ledger.at(feed) {
                if topic == ShardChannel && slot::of(&name) == slot {
                    self.ledger.displace(topic, &name);
                }
            }
        }
        self.ledger.recall_unasked();
        self.arrange();
    }

    pub(super) fn move_channels(&mut self, to: u32) {
        self.common = to;
        for feed in FEEDS.into_iter().filter(|feed| *feed != to) {
            for (topic, name) in self.ledger.at(feed) {
                if topic != ShardChannel {
                    self.ledger.displace(topic, &name);
                }
            }
        }
        self.arrange();
    }
}
