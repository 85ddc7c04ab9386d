//! What a subscriber's ledger does: rule by rule, and against model servers under random histories.

mod histories;
mod homes;
mod homes_histories;
mod local;
mod local_histories;
mod many_nodes;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::ledger::{Ledger, Received, Request};
use super::topic::Topic;
use crate::error::Error;
use crate::outbox::Resubscribed;
use crate::resp::{encode, Decoder, Frames, Limits};

/// A ledger, and the server at the other end of its only feed.
struct Scene {
    ledger: Ledger,
    now: Instant,
    /// Written and not read by the server yet.
    wire: Vec<u8>,
    server: Server,
    settled: BTreeMap<u32, Option<Error>>,
}

/// A server, as far as subscriptions go.
struct Server {
    /// `>` for RESP3, `*` for RESP2.
    mark: char,
    subscribed: BTreeSet<(u8, String)>,
    /// Channels that it refuses.
    forbidden: BTreeSet<String>,
    heard: Vec<String>,
}

impl Scene {
    fn new(mark: char) -> Self {
        let (subscribed, forbidden) = (BTreeSet::new(), BTreeSet::new());
        let server = Server { mark, subscribed, forbidden, heard: Vec::new() };
        let (now, wire) = (Instant::now(), Vec::new());
        Self { ledger: Ledger::default(), now, wire, server, settled: BTreeMap::new() }
    }

    fn connected() -> Self {
        let mut scene = Self::new('>');
        scene.ledger.connect(Ledger::ONLY, scene.now);
        scene
    }

    /// Wants names; the token of each is its length.
    fn want(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| (Bytes::from(name.to_string()), name.len() as u32));
        self.ledger.want(request(ticket, None), topic, names.collect());
        self.keep_account();
    }

    fn unwant(&mut self, ticket: u32, topic: Topic, names: &[&str]) {
        let names = names.iter().map(|name| Bytes::from(name.to_string()));
        self.ledger.unwant(request(ticket, None), topic, names.collect());
        self.keep_account();
    }

    /// Writes; the server does not read yet.
    fn write(&mut self) {
        self.ledger.encode(Ledger::ONLY, &mut self.wire, self.now);
    }

    /// The server answers the next command. False if there is none.
    fn answer(&mut self) -> bool {
        let Some(length) = encode::command_len(&self.wire) else { return false };
        let command: Vec<u8> = self.wire.drain(..length).collect();
        let reply = self.server.answer(&command);
        let received = self.hear(&reply);
        assert_eq!(received.breach.map(|error| error.message().to_owned()), None);
        true
    }

    /// Writes and answers until nothing is left to be asked.
    fn settle_down(&mut self) {
        loop {
            self.write();
            if !self.answer() {
                return;
            }
        }
    }

    fn hear(&mut self, bytes: &str) -> Received {
        let received = self.ledger.receive(Ledger::ONLY, &frames(bytes), self.now);
        self.keep_account();
        received
    }

    fn keep_account(&mut self) {
        for (ticket, error) in self.ledger.take_settled() {
            let before = self.settled.insert(ticket, error);
            assert!(before.is_none(), "ticket {ticket} was settled twice");
        }
    }

    fn cut(&mut self) {
        self.wire.clear();
        self.server.subscribed.clear();
        self.ledger.disconnect(Ledger::ONLY);
        self.keep_account();
    }

    /// The tickets that ended well.
    fn done(&self) -> Vec<u32> {
        self.settled
            .iter()
            .filter(|(_, error)| error.is_none())
            .map(|(ticket, _)| *ticket)
            .collect()
    }

    fn code(&self, ticket: u32) -> Option<&str> {
        self.settled.get(&ticket)?.as_ref().map(Error::code)
    }

    /// The gap that has ended since the last call.
    fn gap(&mut self) -> Option<Resubscribed> {
        let mut gaps = self.ledger.take_reports(self.now);
        assert!(gaps.len() < 2);
        gaps.pop()
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }
}

impl Server {
    fn answer(&mut self, command: &[u8]) -> String {
        let args: Vec<_> =
            encode::args(command).map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect();
        self.heard.push(args.join(" "));
        let (name, channels) = args.split_first().unwrap();
        if name == "PING" || name == "MONITOR" {
            return format!("+{}\r\n", if name == "PING" { "PONG" } else { "OK" });
        }
        if channels.iter().any(|channel| self.forbidden.contains(channel)) {
            return "-NOPERM no permissions to access a channel\r\n".to_owned();
        }
        let mut reply = String::new();
        for channel in channels {
            let key = (topic_of(name), channel.clone());
            match name.contains("UNSUB") {
                true => self.subscribed.remove(&key),
                false => self.subscribed.insert(key),
            };
            reply.push_str(&self.frame(&name.to_lowercase(), channel));
        }
        reply
    }

    fn frame(&self, word: &str, channel: &str) -> String {
        let (mark, size, length) = (self.mark, word.len(), channel.len());
        format!("{mark}3\r\n${size}\r\n{word}\r\n${length}\r\n{channel}\r\n:1\r\n")
    }
}

fn topic_of(command: &str) -> u8 {
    match command.trim_end_matches("SUBSCRIBE").trim_end_matches("UN") {
        "P" => 1,
        "S" => 2,
        _ => 0,
    }
}

fn request(ticket: u32, deadline: Option<Instant>) -> Option<Request> {
    (ticket != 0).then_some(Request { ticket, deadline })
}

fn frames(bytes: &str) -> Frames {
    let mut buffer = BytesMut::from(bytes.as_bytes());
    let decoded = Decoder::new(Limits::default()).decode(&mut buffer).unwrap();
    assert!(buffer.is_empty(), "cut in the middle of a value");
    decoded.unwrap_or_default()
}
