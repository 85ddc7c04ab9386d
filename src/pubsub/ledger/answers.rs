//! What the servers say: messages, confirmations, refusals.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::frame::{in_wire_order, Frame};
use super::super::notifications;
use super::super::refusal::{self, Way};
use super::super::topic::{Op, Topic};
use super::dialogue::{Asked, Dialogue, SubscribeCommand};
use super::names::{EntryKey, LedgerEntry};
use super::Ledger;
use crate::error::Error;
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
    /// The slots of keys that notifications were about.
    pub(in crate::pubsub) slots: Vec<u16>,
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
                    let entry = self.names.of(topic).get(name).filter(is_heard).or_else(|| {
                        let text = |at| frames.tape.get(at as usize).map(|node| frames.text(node));
                        let named = text(channel).filter(|_| self.is_split)?;
                        let entry = self.heard_local(feed, topic, name, named, now)?;
                        received.slots.extend(notifications::slot_of(named, text(payload)?));
                        Some(entry)
                    });
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
        let key = self.key(feed, topic, Bytes::copy_from_slice(name));
        let is_movable = self.is_scattered && key.at.is_none();
        let Some(entry) = self.names.entry_mut(&key) else { return };
        if entry.home != Some(feed) || round.is_some_and(|round| round != entry.round) {
            return;
        }
        let is_lost = round.is_none() && op == Op::Unsubscribe && entry.is_wanted;
        if is_lost && is_movable {
            // The slot of a shard channel has moved to another node, and the channel follows it.
            received.is_astray = true;
            return self.displace(topic, &key.name);
        }
        if round.is_some() {
            entry.pending = None;
            (entry.is_refused, entry.is_alone, entry.tries) = (false, false, 0);
        }
        entry.is_actual = op == Op::Subscribe;
        if op == Op::Subscribe && key.at.is_none() {
            self.gaps.of(self.is_scattered, topic).restore(&mut entry.is_lost, topic);
        }
        if is_lost {
            // The server has ended a subscription that is wanted.
            self.note_loss(&key, since.unwrap_or(now));
        }
        if round.is_some() {
            self.settle(&key, |waits_for| waits_for == op);
        }
        self.look(&key);
    }

    /// The key of what `feed` says about a name.
    fn key(&self, feed: u32, topic: Topic, name: Bytes) -> EntryKey {
        let at = self.is_local(topic, &name).then_some(feed);
        EntryKey { topic, name, at }
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
            Some(Asked::Names(command)) => self.refuse(feed, command, &error, now, received),
            // Nothing was asked, so the server says why it is about to close the connection.
            None => received.breach = Some(error),
        }
    }

    /// The server has refused a command. If it had several names, they are asked for again one by
    /// one, since the server does not say which of them it meant.
    fn refuse(
        &mut self,
        feed: u32,
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
            let key = self.key(feed, topic, name);
            let entry = self.names.entry_mut(&key);
            let Some(entry) = entry.filter(|entry| entry.round == round) else { continue };
            entry.pending = None;
            (entry.is_alone, entry.is_refused) = (!is_clear, is_clear);
            if is_clear {
                let is_lost = match key.at {
                    None => self.gaps.of(self.is_scattered, topic).forget(&mut entry.is_lost),
                    Some(_) => self.is_local_lost(topic, &key.name),
                };
                if is_lost {
                    self.refusals.push(error.clone());
                }
                self.fail_waiters(topic, &key.name, op, error);
            }
            self.look(&key);
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
                let key = EntryKey::single(topic, &name);
                self.settle(&key, |waits_for| waits_for == op);
                if self.names.of(topic).get(&name).is_some_and(|entry| entry.is_wanted) {
                    self.displace(topic, &name);
                } else {
                    self.look(&key);
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
            self.look(&EntryKey::single(topic, &name));
        }
    }
}

fn unasked() -> Error {
    Error::protocol("the server sent something that a subscriber does not expect")
}
