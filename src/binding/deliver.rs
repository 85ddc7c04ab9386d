//! Takes everything that waits in the outbox to JavaScript, in one callback.
//!
//! Owns gathering: up to a thousand replies go over in one call, `deliver(...values)`, whichever
//! connections they came over. Their ids are written into an array that JavaScript owns, which costs
//! less than making a number of each.
//!
//! Invariant: what cannot be handed over keeps nothing else back. A reply that JavaScript cannot
//! build becomes an error for its own caller.

use napi::bindgen_prelude::*;
use napi::sys;

use super::mode::Mode;
use super::scope::Scope;
use super::sinks::Sinks;
use super::values::{Failure, Values, ARGUMENTS};
use crate::error;
use crate::outbox::{Delivery, Event, Outbox, Whose};
use crate::resp::Frames;

impl Sinks {
    /// Takes everything over. Each event is passed to `on_event` first. What fails here fails because
    /// the environment is ending, so there is nobody to tell, and the rest is tried all the same.
    pub fn drain(&self, env: Env, outbox: &Outbox, on_event: impl Fn(&Event)) {
        let mut gathered = Gathered::default();
        for delivery in outbox.drain() {
            if !matches!(delivery, Delivery::Replies { .. }) {
                let _ = self.hand_over(env, &mut gathered);
            }
            match delivery {
                Delivery::Replies { frames, whose } => {
                    self.replies(env, &frames, &whose, &mut gathered);
                }
                Delivery::Failures(failures) => self.failures(env, &failures),
                Delivery::Messages(backlog) => self.messages(env, &backlog),
                Delivery::Settled(settled) => self.settled(env, &settled),
                Delivery::Event(event) => {
                    on_event(&event);
                    let _ = self.event(env, event);
                }
            }
        }
        let _ = self.hand_over(env, &mut gathered);
    }

    /// Makes the values of replies, and calls JavaScript whenever enough are gathered.
    fn replies(&self, env: Env, frames: &Frames, whose: &[Whose], gathered: &mut Gathered) {
        let values = Values::new(env, self, frames);
        for (root, whose) in frames.replies.iter().zip(whose) {
            if whose.is_whole() {
                let _ = self.whole(env, &values, *root, whose, gathered);
            } else if let Some(index) = whose.index() {
                let _ = self.part(env, &values, *root, whose.id, index);
            }
        }
    }

    /// Makes the value of the reply at `root`, and gathers it.
    fn whole(
        &self,
        env: Env,
        values: &Values,
        root: u32,
        whose: &Whose,
        gathered: &mut Gathered,
    ) -> Result<()> {
        if gathered.values.len() == ARGUMENTS {
            let _ = self.hand_over(env, gathered);
        }
        if gathered.scope.is_none() {
            gathered.scope = Some(Scope::open(env)?);
        }
        let value = self.value(env, values, root, Mode::new(whose.mode))?;
        let mut ids = self.ids.borrow_mut();
        // SAFETY: the array belongs to JavaScript, which reads it only while `deliver` runs.
        if let Some(id) = unsafe { ids.as_mut() }.get_mut(gathered.values.len()) {
            *id = whose.id;
            gathered.values.push(value);
        }
        Ok(())
    }

    /// Calls JavaScript with what was gathered.
    fn hand_over(&self, env: Env, gathered: &mut Gathered) -> Result<()> {
        if gathered.values.is_empty() {
            return Ok(());
        }
        let delivered = self.deliver.call(&env, &gathered.values);
        gathered.values.clear();
        gathered.scope = None;
        delivered.map(drop)
    }

    /// The value of the reply at `root`; an error if it cannot be built.
    fn value(&self, env: Env, values: &Values, root: u32, mode: Mode) -> Result<sys::napi_value> {
        match values.build(root, mode) {
            Ok(value) => Ok(value),
            Err(Failure::TooLong) => self.too_large(env, TOO_LONG),
            Err(Failure::TooMany) => self.too_large(env, TOO_MANY),
            Err(Failure::Thrown(exception)) => self.unbuildable.call(&env, &[exception]),
            Err(Failure::Napi(_)) => self.unbuildable.call(&env, &[]),
        }
    }

    /// Tells of an error reply to the part of a block.
    fn part(&self, env: Env, values: &Values, root: u32, id: u32, index: u32) -> Result<()> {
        let _scope = Scope::open(env)?;
        let error = self.value(env, values, root, Mode::new(0))?;
        let (id, index) = (values.number(f64::from(id))?, values.number(f64::from(index))?);
        self.part.call(&env, &[id, index, error]).map(drop)
    }

    /// Tells of commands that get no reply.
    fn failures(&self, env: Env, failures: &[(u32, error::Error)]) {
        for (id, error) in failures {
            let _ = self.failure(env, *id, error);
        }
    }

    fn failure(&self, env: Env, id: u32, error: &error::Error) -> Result<()> {
        let _scope = Scope::open(env)?;
        let nothing = Frames::default();
        let id = Values::new(env, self, &nothing).number(f64::from(id))?;
        let error = self.error(env, error)?;
        self.reject.call(&env, &[id, error]).map(drop)
    }

    /// The error in place of a reply that is too large.
    fn too_large(&self, env: Env, (code, text): TooLarge) -> Result<sys::napi_value> {
        self.error(env, &error::Error::new(error::ErrorClass::Protocol, code, text))
    }
}

/// Values for the next call of `deliver`.
#[derive(Default)]
struct Gathered {
    values: Vec<sys::napi_value>,
    /// The scope in which `values` are alive.
    scope: Option<Scope>,
}

/// The code and the text of an error.
type TooLarge = (&'static str, &'static str);

/// Of a reply that no JavaScript string can hold.
const TOO_LONG: TooLarge = (
    "REPLY_TOO_LARGE_FOR_STRING",
    "the reply is too large for a JavaScript string: ask for it as a Buffer",
);
/// Of a reply that was not kept. A gigabyte is the default of `Limits::reply`.
const TOO_MANY: TooLarge = (
    "REPLY_TOO_LARGE",
    "the reply has too many values to be kept in one gigabyte: ask for it in parts",
);
