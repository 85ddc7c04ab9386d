//! The caller's side of a test: takes everything from the outbox, and remembers it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use oxidis::error::Error;
use oxidis::outbox::{self, Delivery, Event, Outbox, Outboxes, Whose};
use oxidis::resp::Frames;
use tokio::sync::Notify;

use super::patiently;

/// Receives everything that an outbox delivers.
pub struct Caller {
    pub outbox: Arc<Outbox>,
    /// Makes the next wake-up panic, on the thread and in the task that gives it.
    pub bomb: Arc<AtomicBool>,
    woken: Arc<Notify>,
    outcomes: HashMap<u32, Result<String, Error>>,
    /// The ids of commands in the order in which they ended.
    pub order: Vec<u32>,
    /// The errors that parts of blocks were answered with: id, index of the part, text.
    pub parts: Vec<(u32, u32, String)>,
    events: VecDeque<Event>,
    messages: VecDeque<Message>,
    settled: HashMap<u32, Option<Error>>,
}

/// The token, the channel if the message names it, and the payload.
pub type Message = (u32, String, String);

impl Caller {
    pub fn new() -> Self {
        let (woken, bomb) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (notify, armed) = (Arc::clone(&woken), Arc::clone(&bomb));
        let outbox = Outbox::new(move || {
            notify.notify_one();
            assert!(!armed.swap(false, Ordering::AcqRel), "this panic is a part of the test");
        });
        Self {
            outbox: Arc::new(outbox),
            bomb,
            woken,
            outcomes: HashMap::new(),
            order: Vec::new(),
            parts: Vec::new(),
            events: VecDeque::new(),
            messages: VecDeque::new(),
            settled: HashMap::new(),
        }
    }

    /// The outboxes of a client whose only owner this is.
    pub fn outboxes(&self) -> Arc<Outboxes> {
        Arc::new(Outboxes::from(Arc::clone(&self.outbox)))
    }

    /// How command `id` ended.
    pub async fn outcome(&mut self, id: u32) -> Result<String, Error> {
        loop {
            self.take();
            if let Some(outcome) = self.outcomes.get(&id) {
                return outcome.clone();
            }
            patiently(&format!("the end of command {id}"), self.woken.notified()).await;
        }
    }

    /// The text of the reply to command `id`.
    pub async fn reply(&mut self, id: u32) -> String {
        self.outcome(id).await.unwrap_or_else(|error| panic!("command {id} failed: {error:?}"))
    }

    /// The error of command `id`.
    pub async fn failure(&mut self, id: u32) -> Error {
        match self.outcome(id).await {
            Ok(reply) => panic!("command {id} was answered with {reply}"),
            Err(error) => error,
        }
    }

    /// What `picks` returns for the next event that it knows. The events before that one are forgotten.
    pub async fn event<T>(&mut self, picks: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            self.take();
            while let Some(event) = self.events.pop_front() {
                if let Some(found) = picks(&event) {
                    return found;
                }
            }
            patiently("an event", self.woken.notified()).await;
        }
    }

    /// Waits until lane 0 is ready.
    pub async fn ready(&mut self) {
        self.event(|event| matches!(event, Event::Ready(0, _)).then_some(())).await;
    }

    /// The code of the next error event.
    pub async fn error(&mut self) -> String {
        let code = |event: &Event| match event {
            Event::Error(error, _) => Some(error.code().to_owned()),
            _ => None,
        };
        self.event(code).await
    }

    /// The events that were not asked for yet.
    pub fn events(&mut self) -> &VecDeque<Event> {
        self.take();
        &self.events
    }

    /// The next message.
    pub async fn message(&mut self) -> Message {
        loop {
            self.take();
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            patiently("a message", self.woken.notified()).await;
        }
    }

    /// How the request `ticket` ended: None if it succeeded.
    pub async fn settled(&mut self, ticket: u32) -> Option<Error> {
        loop {
            self.take();
            if let Some(outcome) = self.settled.get(&ticket) {
                return outcome.clone();
            }
            patiently(&format!("the end of ticket {ticket}"), self.woken.notified()).await;
        }
    }

    /// Whether the request `ticket` has ended.
    pub fn is_settled(&mut self, ticket: u32) -> bool {
        self.take();
        self.settled.contains_key(&ticket)
    }

    /// Whether command `id` has ended.
    pub fn has_ended(&mut self, id: u32) -> bool {
        self.take();
        self.outcomes.contains_key(&id)
    }

    fn take(&mut self) {
        for delivery in self.outbox.drain() {
            match delivery {
                Delivery::Replies { frames, whose, .. } => {
                    assert_eq!(frames.replies.len(), whose.len());
                    for (root, whose) in frames.replies.iter().zip(whose) {
                        if let Some(index) = whose.index() {
                            self.parts.push((whose.id, index, text(&frames, *root)));
                        } else if whose != Whose::NOBODY {
                            self.end(whose.id, Ok(text(&frames, *root)));
                        }
                    }
                }
                Delivery::Failures(failures) => {
                    failures.into_iter().for_each(|(id, error)| self.end(id, Err(error)));
                }
                Delivery::Messages(backlog) => {
                    for messages in backlog.take() {
                        let frames = &messages.frames;
                        for message in messages.as_slice() {
                            let outbox::Message { token, channel, payload } = *message;
                            let channel = match channel {
                                outbox::Message::NOWHERE => String::new(),
                                at => text(frames, at),
                            };
                            self.messages.push_back((token, channel, text(frames, payload)));
                        }
                    }
                }
                Delivery::Settled(settled) => {
                    for (ticket, error) in settled {
                        let before = self.settled.insert(ticket, error);
                        assert!(before.is_none(), "ticket {ticket} was settled twice");
                    }
                }
                // Names of changed keys stay in the outbox.
                Delivery::Invalidations => {}
                Delivery::Event(event) => self.events.push_back(event),
            }
        }
    }

    fn end(&mut self, id: u32, outcome: Result<String, Error>) {
        let before = self.outcomes.insert(id, outcome);
        assert!(before.is_none(), "command {id} ended twice");
        self.order.push(id);
    }
}

fn text(frames: &Frames, root: u32) -> String {
    let node = frames.tape[root as usize];
    String::from_utf8_lossy(frames.text(&node)).into_owned()
}
