//! Subscriptions: requests of JavaScript, and the messages and outcomes that it gets.
//!
//! Messages go over in few calls with many arguments, as replies do. A message carries the token of
//! its subscription instead of a channel name. The lowest bit of a token says whether the messages
//! are wanted as Buffers (`lib/client/pubsub.js` chooses tokens).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi::sys;
use napi_derive::napi;
use tokio::time::Instant;

use super::bridge::Core;
use super::guard;
use super::mode::Mode;
use super::scope::Scope;
use super::sinks::Sinks;
use super::values::{Failure, Values, ARGUMENTS};
use crate::error;
use crate::outbox::{Backlog, Message, Resubscribed};
use crate::pubsub::{Request, Subscriber, Topic};

#[napi]
impl Core {
    /// Subscribes to `names`, whose messages will carry `tokens`. `settled(ticket, ...)` is called
    /// once the server has confirmed all of them, or with an error after `timeout` ms (0 for never).
    /// With ticket 0 it is not called.
    #[napi]
    pub fn subscribe(
        &self,
        ticket: u32,
        topic: u32,
        names: Vec<Uint8ArraySlice>,
        tokens: Uint32ArraySlice,
        timeout: f64,
    ) -> Result<()> {
        guard(|| {
            let names = names.iter().map(copied).zip(tokens.iter().copied()).collect();
            self.with_topic(topic, |subscriber, topic| {
                subscriber.subscribe(request(ticket, timeout), topic, names);
            })
        })
    }

    /// Unsubscribes from `names`. `ticket` and `timeout` are as in `subscribe`.
    #[napi]
    pub fn unsubscribe(
        &self,
        ticket: u32,
        topic: u32,
        names: Vec<Uint8ArraySlice>,
        timeout: f64,
    ) -> Result<()> {
        guard(|| {
            let names = names.iter().map(copied).collect();
            self.with_topic(topic, |subscriber, topic| {
                subscriber.unsubscribe(request(ticket, timeout), topic, names);
            })
        })
    }

    fn with_topic(&self, topic: u32, f: impl FnOnce(&Subscriber, Topic)) -> Result<()> {
        let unheard = || Error::from_reason("there is no such topic");
        let topic = Topic::from_number(topic).ok_or_else(unheard)?;
        if let Some(client) = self.started()?.client() {
            f(client.subscriber(topic).ok_or_else(unheard)?, topic);
        }
        Ok(())
    }
}

impl Sinks {
    /// Takes all messages over that wait in `backlog`.
    pub(super) fn messages(&self, env: Env, backlog: &Arc<Backlog>) {
        for messages in backlog.take() {
            let values = Values::new(env, self, &messages.frames);
            for some in messages.as_slice().chunks(ARGUMENTS / WIDEST) {
                let _ = self.some_messages(env, &values, some);
            }
        }
    }

    /// Takes so many messages over as one call has arguments for.
    fn some_messages(&self, env: Env, values: &Values, messages: &[Message]) -> Result<()> {
        let _scope = Scope::open(env)?;
        let mut arguments = Vec::with_capacity(messages.len() * WIDEST);
        for Message { token, channel, payload } in messages {
            arguments.push(values.number(f64::from(*token))?);
            let mode = Mode::new((token & 1) * BUFFERS);
            if *channel != Message::NOWHERE {
                arguments.push(value(values, *channel, mode)?);
            }
            arguments.push(value(values, *payload, mode)?);
        }
        self.messages.call(&env, &arguments).map(drop)
    }

    /// Tells how requests have ended.
    pub(super) fn settled(&self, env: Env, settled: &[(u32, Option<error::Error>)]) {
        for (ticket, outcome) in settled {
            let _ = self.end(env, *ticket, outcome.as_ref());
        }
    }

    fn end(&self, env: Env, ticket: u32, outcome: Option<&error::Error>) -> Result<()> {
        let _scope = Scope::open(env)?;
        let nothing = Default::default();
        let values = Values::new(env, self, &nothing);
        let ticket = values.number(f64::from(ticket))?;
        let error = match outcome {
            Some(error) => self.error(env, error)?,
            None => values.null()?,
        };
        self.settled.call(&env, &[ticket, error]).map(drop)
    }
}

/// The arguments of the `resubscribed` event: three counts and milliseconds.
pub(super) fn details(values: &Values, gap: &Resubscribed) -> Result<Vec<sys::napi_value>> {
    let Resubscribed { channels, patterns, shard_channels, lost } = gap;
    [*channels, *patterns, *shard_channels, u32::try_from(lost.as_millis()).unwrap_or(u32::MAX)]
        .map(|n| values.number(f64::from(n)))
        .into_iter()
        .collect()
}

/// The value at `index` of the tape. One that is too long for a JavaScript string becomes a Buffer,
/// and one that cannot be built null, since a message has no caller that could be told of an error.
fn value(values: &Values, index: u32, mode: Mode) -> Result<sys::napi_value> {
    match values.build(index, mode) {
        Ok(value) => Ok(value),
        Err(Failure::TooLong) => values.build(index, Mode::new(BUFFERS)).or_else(|_| values.null()),
        Err(Failure::TooMany | Failure::Thrown(_) | Failure::Napi(_)) => values.null(),
    }
}

fn request(ticket: u32, timeout: f64) -> Option<Request> {
    let timeout = (timeout > 0.0).then(|| Duration::from_secs_f64(timeout.min(LONGEST) / 1000.0));
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    (ticket != 0).then_some(Request { ticket, deadline })
}

fn copied(name: &Uint8ArraySlice) -> Bytes {
    Bytes::copy_from_slice(name)
}

/// The most arguments that one message takes: token, channel, payload.
const WIDEST: usize = 3;
/// Bits of a mode that turn bulk and simple strings into Buffers (`lib/mode.js`).
const BUFFERS: u32 = 1 << 1 | 1 << 2;
/// The longest timeout in ms, 49 days. A longer one would not fit into an instant on every platform.
const LONGEST: f64 = u32::MAX as f64;
