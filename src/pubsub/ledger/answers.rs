//! What the servers say: messages, confirmations, refusals.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::frame::{in_wire_order, Frame};
use super::super::refusal::{self, Way};
use super::super::topic::{Op, Topic};
use super::dialogue::{Asked, Dialogue, SubscribeCommand};
use super::names::LedgerEntry;
use super::Ledger;
use crate::error::{Applied, Error};
use crate::outbox::Message;
use crate::resp::Frames;

/// What some frames have brought.
#[derive(Debug, Default)]
pub(in crate::pubsub) struct Received {
    /// Messages, in order.
    pub(in crate::pubsub) rows: Vec<Message>,
    /// How many pushes were none for a subscriber.
    pub(in crate::pubsub) ignored: u64,
    /// Refusals that say where a slot is.
    pub(in crate::pubsub) redirects: Vec<(u16, Error)>,
    /// Whether a name has lost its home.
    pub(in crate::pubsub) is_astray: bool,
    /// Why the connection cannot go on.
    pub(in crate::pubsub) breach: Option<Error>,
}

impl Ledger {
    /// Takes in what the server at the other end of a feed said.
    pub(in crate::pubsub) fn receive(
        &mut self,
        feed: u32,
        frames: &Frames,
        now: Instant,
    ) -> Received {
        let mut received = Received::default();
        let mut has_news = false;
        for root in in_wire_order(frames) {
            let frame = Frame::read(frames, root);
            if !matches!(frame, Frame::Message { .. }) {
                self.note_news(feed, std::mem::take(&mut has_news), now);
            }
            match frame {
                Frame::Message { topic, name, channel, payload } => {
                    has_news = true;
                    let is_heard =
                        |entry: &&LedgerEntry| entry.is_wanted && entry.home == Some(feed);
                    let entry = self.names.of(topic).get(name).filter(is_heard);
                    let Some(token) = entry.map(|entry| entry.token) else { continue };
                    let channel = if topic == Topic::Pattern { channel } else { Message::NOWHERE };
                    received.rows.push(Message { token, channel, payload });
                }
                Frame::MonitorLine => {
                    let entry = self.names.of(Topic::Monitor).get(&[][..]);
                    match entry.filter(|entry| entry.is_actual).map(|entry| entry.token) {
                        Some(token) => {
                            received.rows.push(Message {
                                token,
                                channel: Message::NOWHERE,
                                payload: root,
                            });
                        }
                        None => received.breach = Some(unasked()),
                    }
                }
                Frame::Confirmed { op, topic, name } => {
                    self.confirm(feed, op, topic, name, now, &mut received);
                }
                Frame::Push => received.ignored += 1,
                Frame::Pong => {
                    if !self.feeds.get_mut(&feed).is_some_and(Dialogue::pong) {
                        received.breach = Some(unasked());
                    }
                }
                Frame::Refused(text) => self.hear_refusal(feed, text, now, &mut received),
                Frame::Unknown => received.breach = Some(unasked()),
            }
            if received.breach.is_some() {
                break;
            }
        }
        self.note_news(feed, has_news, now);
        received
    }

    /// Messages have come over a feed. Without PINGs nothing better than the last of them tells
    /// until when all have come.
    fn note_news(&mut self, feed: u32, has_news: bool, now: Instant) {
        let Some(dialogue) = self.feeds.get_mut(&feed).filter(|_| has_news) else { return };
        dialogue.has_news = true;
        if !self.has_pings {
            dialogue.complete = Some(now);
        }
    }

    fn confirm(
        &mut self,
        feed: u32,
        op: Op,
        topic: Topic,
        name: &[u8],
        now: Instant,
        received: &mut Received,
    ) {
        let since = self.complete(feed);
        let dialogue = self.feeds.get_mut(&feed);
        let round = dialogue.and_then(|dialogue| dialogue.confirmed(op, topic, name));
        let entry = self.names.of_mut(topic).get_mut(name);
        let Some(entry) = entry.filter(|entry| entry.home == Some(feed)) else { return };
        if round.is_some_and(|round| round != entry.round) {
            return;
        }
        let name = Bytes::copy_from_slice(name);
        if round.is_none() && op == Op::Unsubscribe && entry.is_wanted && self.is_scattered {
            // The slot of a shard channel has moved to another node, and the channel follows it.
            received.is_astray = true;
            return self.displace(topic, &name);
        }
        if round.is_some() {
            entry.pending = None;
            (entry.is_refused, entry.is_alone, entry.tries) = (false, false, 0);
        }
        entry.is_actual = op == Op::Subscribe;
        let gap = self.gaps.of(self.is_scattered, topic);
        match op {
            Op::Subscribe => gap.restore(&mut entry.is_lost, topic),
            // The server has ended a subscription that is wanted.
            Op::Unsubscribe if round.is_none() && entry.is_wanted => {
                gap.lose(&mut entry.is_lost, since.unwrap_or(now));
            }
            Op::Unsubscribe => {}
        }
        if round.is_some() {
            self.settle(topic, &name, |waits_for| waits_for == op);
        }
        self.look(topic, &name);
    }

    fn hear_refusal(&mut self, feed: u32, text: &[u8], now: Instant, received: &mut Received) {
        let error = refusal::read(text);
        let Some(dialogue) = self.feeds.get_mut(&feed) else { return };
        if let Some(Way::Moved(slot)) = self.is_scattered.then(|| refusal::way(&error)).flatten() {
            if !dialogue.is_about(slot) {
                return;
            }
        }
        match dialogue.refused() {
            Some(Asked::Ping) => {}
            Some(Asked::Names(command)) => self.refuse(command, &error, now, received),
            // Nothing was asked, so the server says why it is about to close the connection.
            None => received.breach = Some(error),
        }
    }

    /// The server has refused a command. If it had several names, they are asked for again one by
    /// one, since the server does not say which of them it meant.
    fn refuse(
        &mut self,
        command: SubscribeCommand,
        error: &Error,
        now: Instant,
        received: &mut Received,
    ) {
        let SubscribeCommand { op, topic, names } = command;
        let is_of_slot = self.is_scattered && topic == Topic::ShardChannel;
        if let Some(way) = is_of_slot.then(|| refusal::way(error)).flatten() {
            return self.redirect(op, names, way, error, now, received);
        }
        let is_clear = names.len() == 1;
        for (name, round) in names {
            let entry = self.names.of_mut(topic).get_mut(&name);
            let Some(entry) = entry.filter(|entry| entry.round == round) else { continue };
            entry.pending = None;
            (entry.is_alone, entry.is_refused) = (!is_clear, is_clear);
            if is_clear {
                if self.gaps.of(self.is_scattered, topic).forget(&mut entry.is_lost) {
                    self.refusals.push(error.clone());
                }
                self.fail_waiters(topic, &name, op, error);
            }
            self.look(topic, &name);
        }
    }

    /// A node has refused shard channels, because it does not have their slot or cannot serve them
    /// now.
    fn redirect(
        &mut self,
        op: Op,
        names: VecDeque<(Bytes, u32)>,
        way: Way,
        error: &Error,
        now: Instant,
        received: &mut Received,
    ) {
        let topic = Topic::ShardChannel;
        if let Way::Moved(slot) = way {
            received.redirects.push((slot, error.clone()));
        }
        received.is_astray = true;
        for (name, round) in names {
            let entry = self.names.of_mut(topic).get_mut(&name);
            let Some(entry) = entry.filter(|entry| entry.round == round) else { continue };
            if op == Op::Unsubscribe {
                // A node that does not have the slot has no subscription of it.
                (entry.pending, entry.is_actual) = (None, false);
                self.settle(topic, &name, |waits_for| waits_for == op);
                if self.names.of(topic).get(&name).is_some_and(|entry| entry.is_wanted) {
                    self.displace(topic, &name);
                } else {
                    self.look(topic, &name);
                }
                continue;
            }
            entry.tries = entry.tries.saturating_add(1);
            let (refuser, tries) = (entry.home, entry.tries);
            if refusal::is_enough(way, tries) {
                self.fail_waiters(topic, &name, op, &refusal::too_many(error));
            }
            self.detach(topic, &name);
            if let Some(pause) = refusal::pause(way, tries) {
                self.put_off(topic, &name, now + pause);
            } else if let Some(entry) = self.names.of_mut(topic).get_mut(&name) {
                entry.refuser = refuser;
            }
            self.look(topic, &name);
        }
    }

    fn fail_waiters(&mut self, topic: Topic, name: &Bytes, op: Op, error: &Error) {
        let Some(entry) = self.names.of(topic).get(name) else { return };
        let waiters: Vec<u32> =
            entry.waiters.iter().filter(|(_, waits)| *waits == op).map(|w| w.0).collect();
        for ticket in waiters {
            self.fail(ticket, error.clone().with_applied(Applied::No));
        }
    }
}

fn unasked() -> Error {
    Error::protocol("the server sent something that a subscriber does not expect")
}
