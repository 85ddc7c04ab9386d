//! Takes everything that waits in the outbox to JavaScript, in one callback.
//!
//! Owns gathering: up to a thousand replies go over in one call, `deliver(...values)`, whichever
//! connections they came over. Their ids are written into an array that JavaScript owns, which costs
//! less than making a number of each.

use napi::bindgen_prelude::{Env, Result};
use napi::sys;

use super::mode::Mode;
use super::scope::Scope;
use super::sinks::Sinks;
use super::values::{Failure, Values, ARGUMENTS};
use crate::error::{Error, ErrorClass};
use crate::outbox::{Delivery, Event, Outbox, Whose};
use crate::resp::Frames;

impl Sinks {
    /// Takes everything over. Each event is passed to `on_event` first. A call fails only because the
    /// environment is ending, so there is nobody to tell, and the rest is tried all the same.
    pub fn drain(&self, env: Env, outbox: &Outbox, on_event: impl Fn(&Event)) {
        let mut gathered = Gathered::default();
        for delivery in outbox.drain() {
            if !matches!(delivery, Delivery::Replies { .. }) {
                let _ = self.hand_over(env, &mut gathered);
            }
            let _ = match delivery {
                Delivery::Replies { frames, whose } => {
                    self.replies(env, &frames, &whose, &mut gathered)
                }
                Delivery::Failures(failures) => self.failures(env, &failures),
                Delivery::Messages(backlog) => self.messages(env, &backlog),
                Delivery::Settled(settled) => self.settled(env, &settled),
                Delivery::Event(event) => {
                    on_event(&event);
                    self.event(env, event)
                }
            };
        }
        let _ = self.hand_over(env, &mut gathered);
    }

    /// Makes the values of replies, and calls JavaScript whenever enough are gathered.
    fn replies(
        &self,
        env: Env,
        frames: &Frames,
        whose: &[Whose],
        gathered: &mut Gathered,
    ) -> Result<()> {
        let values = Values::new(env, self, frames);
        for (root, whose) in frames.replies.iter().zip(whose) {
            if !whose.is_whole() {
                if let Some(index) = whose.index() {
                    self.part(env, &values, *root, whose.id, index)?;
                }
                continue;
            }
            if gathered.values.len() == ARGUMENTS {
                self.hand_over(env, gathered)?;
            }
            if gathered.scope.is_none() {
                gathered.scope = Some(Scope::open(env)?);
            }
            let value = self.value(env, &values, *root, Mode::new(whose.mode))?;
            let mut ids = self.ids.borrow_mut();
            // SAFETY: the array belongs to JavaScript, which reads it only while `deliver` runs.
            if let Some(id) = unsafe { ids.as_mut() }.get_mut(gathered.values.len()) {
                *id = whose.id;
                gathered.values.push(value);
            }
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

    /// The value of the reply at `root`.
    fn value(&self, env: Env, values: &Values, root: u32, mode: Mode) -> Result<sys::napi_value> {
        match values.build(root, mode) {
            Ok(value) => Ok(value),
            Err(Failure::TooLong) => self.error(env, &too_long()),
            Err(Failure::TooMany) => self.error(env, &too_many()),
            Err(Failure::Napi(error)) => Err(error),
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
    fn failures(&self, env: Env, failures: &[(u32, Error)]) -> Result<()> {
        let nothing = Frames::default();
        let values = Values::new(env, self, &nothing);
        for (id, error) in failures {
            let _scope = Scope::open(env)?;
            let id = values.number(f64::from(*id))?;
            let error = self.error(env, error)?;
            self.reject.call(&env, &[id, error])?;
        }
        Ok(())
    }
}

/// Values for the next call of `deliver`.
#[derive(Default)]
struct Gathered {
    values: Vec<sys::napi_value>,
    /// The scope in which `values` are alive.
    scope: Option<Scope>,
}

/// The error in place of a reply that no JavaScript string can hold.
fn too_long() -> Error {
    let text = "the reply is too large for a JavaScript string: ask for it as a Buffer";
    Error::new(ErrorClass::Protocol, "REPLY_TOO_LARGE_FOR_STRING", text)
}

/// The error in place of a reply that was not kept. A gigabyte is the default of `Limits::reply`.
fn too_many() -> Error {
    let text = "the reply has too many values to be kept in one gigabyte: ask for it in parts";
    Error::new(ErrorClass::Protocol, "REPLY_TOO_LARGE", text)
}
