//! The harness of the fuzz target `pubsub`.

use std::collections::BTreeSet;

use bytes::Bytes;
use tokio::time::Instant;

use super::ledger::{Ledger, Request};
use super::topic::Topic;
use crate::error::Error;
use crate::outbox::Message;
use crate::resp::fuzzing::values;

/// What is subscribed to, and later unsubscribed from. The token of each is its index.
const NAMES: [(Topic, &str); 6] = [
    (Topic::Channel, "a"),
    (Topic::Channel, "b"),
    (Topic::Pattern, "p*"),
    (Topic::ShardChannel, "s"),
    (Topic::Channel, "__keyspace@0__:k"),
    (Topic::Pattern, "__keyevent@0__:*"),
];

/// Reads `input` as what a server sends to a subscriber. The bits of the first byte choose between
/// one server, several and a cluster, and after which value something is unsubscribed from.
///
/// # Panics
///
/// If a message is for nobody or points to nothing, or a request is settled twice or never.
pub fn listens(input: &[u8]) {
    let Some((bits, wire)) = input.split_first() else { return };
    let feed = Ledger::ONLY;
    let now = Instant::now();
    let mut ledger = match bits & 3 {
        0 => Ledger::default(),
        1 => Ledger::default().without_pings(),
        more => Ledger::scattered(more == 3),
    };
    ledger.add(feed);
    ledger.connect(feed, now);
    let mut waiting: BTreeSet<u32> = BTreeSet::new();
    for (token, (topic, name)) in (0..).zip(NAMES) {
        waiting.insert(token);
        let request = Some(Request { ticket: token, deadline: None });
        ledger.want(request, topic, vec![(Bytes::from(name), token)]);
    }
    let mut out = Vec::new();
    for (at, frames) in values(wire).into_iter().enumerate() {
        arrange(&mut ledger, now);
        ledger.encode(feed, &mut out, now);
        if at % 5 == 1 {
            ledger.ping(feed, &mut out, now);
        }
        if at == usize::from(bits >> 2) {
            let (topic, name) = NAMES[at % NAMES.len()];
            waiting.insert(100);
            let request = Some(Request { ticket: 100, deadline: None });
            ledger.unwant(request, topic, vec![Bytes::from(name)]);
        }
        let received = ledger.receive(feed, &frames, now);
        for Message { token, channel, payload } in received.rows {
            assert!((token as usize) < NAMES.len(), "a message for nobody");
            assert!((payload as usize) < frames.tape.len(), "a payload that is not there");
            assert!(channel == Message::NOWHERE || (channel as usize) < frames.tape.len());
        }
        settle(&mut ledger, &mut waiting);
        if received.breach.is_some() {
            ledger.disconnect(feed);
            ledger.connect(feed, now);
        }
    }
    ledger.disconnect(feed);
    ledger.remove(feed, now);
    ledger.clear(&Error::protocol("closed"));
    settle(&mut ledger, &mut waiting);
    assert!(waiting.is_empty(), "never settled: {waiting:?}");
    assert_eq!(ledger.subscriptions(), 0);
}

/// Gives names their homes, as a caller with several nodes does.
fn arrange(ledger: &mut Ledger, now: Instant) {
    if ledger.has_local() {
        ledger.spread(&[Ledger::ONLY], now, now);
    }
    ledger.recall();
    for (topic, name) in ledger.take_homeless() {
        match ledger.is_local(topic, &name) {
            true => ledger.put_off(topic, &name, now),
            false => ledger.place(topic, &name, Ledger::ONLY, now),
        }
    }
}

fn settle(ledger: &mut Ledger, waiting: &mut BTreeSet<u32>) {
    for (ticket, _) in ledger.take_settled() {
        assert!(waiting.remove(&ticket), "{ticket} was settled twice");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn frames_near_the_seeds_settle_every_request_once() {
        crate::resp::fuzzing::try_seeds("pubsub", super::listens);
    }
}
