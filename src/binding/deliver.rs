//! Takes everything that waits in the outbox to JavaScript, in one callback.
//!
//! Owns gathering: up to a thousand replies go over in one call, `deliver(...values)`, whichever
//! connections they came over. Their ids are written into an array that JavaScript owns, which costs
//! less than making a number of each. What one turn should not build is left to others (`late`).
//!
//! Invariant: what cannot be handed over keeps nothing else back. A reply that JavaScript cannot
//! build becomes an error for its own caller, whether it is built as a whole or in slices.

use std::panic::{catch_unwind, AssertUnwindSafe};

use napi::bindgen_prelude::{Env, Result};
use napi::sys;

use super::late::Late;
use super::mode::Mode;
use super::scope::Scope;
use super::sinks::Sinks;
use super::values::{Built, Failure, HalfBuilt, Portion, Values, ARGUMENTS};
use crate::error::{Error, ErrorClass};
use crate::outbox::{Delivery, Event, Outbox, Whose};
use crate::resp::Frames;

impl Sinks {
    /// Takes everything over, or as much of it as one turn should build. Each event is passed to
    /// `on_event` first. What fails here fails because the environment is ending, so there is nobody
    /// to tell, and the rest is tried all the same.
    pub fn drain(&self, env: Env, outbox: &Outbox, on_event: impl Fn(&Event)) {
        let mut gathered = Gathered::new(self.late.portion());
        for delivery in outbox.drain() {
            if !matches!(delivery, Delivery::Replies { .. }) {
                let _ = self.hand_over(env, &mut gathered);
            }
            match delivery {
                Delivery::Replies { lane_id, frames, whose } => {
                    let replies = Late { lane_id, frames, whose, done: 0, half: None };
                    let left = match self.late.holds(lane_id) {
                        true => Some(replies),
                        false => self.replies(env, replies, &mut gathered),
                    };
                    if let Some(left) = left {
                        self.late.add(outbox, left);
                    }
                }
                Delivery::Failures(failures) => self.failures(env, &failures),
                Delivery::Messages(backlog) => self.messages(env, &backlog),
                Delivery::Settled(settled) => self.settled(env, &settled),
                Delivery::Invalidations => self.invalidations(env, outbox),
                Delivery::Event(event) => {
                    on_event(&event);
                    let _ = self.event(env, event);
                }
            }
        }
        self.end_turn(env, gathered);
    }

    /// Goes on with the replies that earlier turns have left, in the order in which they came.
    pub fn resume(&self, env: Env, outbox: &Outbox) {
        self.late.begin_turn();
        let mut gathered = Gathered::new(self.late.portion());
        while !gathered.portion.is_spent() {
            let Some(late) = self.late.next() else { break };
            let (lane_id, size) = (late.lane_id, late.frames.size());
            // A panic has lost these replies. The others wait for the next turn.
            let left = catch_unwind(AssertUnwindSafe(|| self.replies(env, late, &mut gathered)));
            match left.unwrap_or_default() {
                Some(left) => self.late.put_back(left),
                None => self.late.finish(outbox, lane_id, size),
            }
        }
        self.end_turn(env, gathered);
    }

    fn end_turn(&self, env: Env, mut gathered: Gathered) {
        let _ = self.hand_over(env, &mut gathered);
        if self.late.leave(gathered.portion) {
            let _scope = Scope::open(env);
            let _ = self.later.call(&env, &[]);
        }
    }

    /// Makes the values of replies, and calls JavaScript whenever enough are gathered. Returns what
    /// is left for another turn.
    fn replies(&self, env: Env, mut late: Late, gathered: &mut Gathered) -> Option<Late> {
        let values = Values::new(env, self, &late.frames);
        let mut half = late.half.take();
        gathered.portion.begin(&late.frames);
        // Most replies are small, and asking once is cheaper than asking for each.
        let are_small = half.is_none() && gathered.portion.take(&late.frames, &late.whose);
        let replies = late.frames.replies.iter().zip(&late.whose).enumerate();
        for (at, (root, whose)) in replies.skip(late.done) {
            if !whose.is_whole() {
                if let Some(index) = whose.index() {
                    let _ = self.part(env, &values, *root, whose.id, index);
                }
                continue;
            }
            if are_small {
                let _ = self.small(env, &values, *root, whose, gathered);
                continue;
            }
            if gathered.portion.is_spent() {
                return Some(Late { done: at, half, ..late });
            }
            if let Ok(false) = self.whole(env, &values, *root, whose, &mut half, gathered) {
                return Some(Late { done: at, half, ..late });
            }
            half = None;
        }
        None
    }

    /// Makes the value of the reply at `root` at once, and gathers it.
    fn small(
        &self,
        env: Env,
        values: &Values,
        root: u32,
        whose: &Whose,
        gathered: &mut Gathered,
    ) -> Result<()> {
        self.make_room(env, gathered)?;
        let value = self.value(env, values.build(root, Mode::new(whose.mode)))?;
        self.gather(whose, value, gathered);
        Ok(())
    }

    /// Makes the value of the reply at `root`, or goes on with `half` of it, and gathers it. False if
    /// the rest is left for another turn, and then `half` is what is built of it.
    fn whole(
        &self,
        env: Env,
        values: &Values,
        root: u32,
        whose: &Whose,
        half: &mut Option<HalfBuilt>,
        gathered: &mut Gathered,
    ) -> Result<bool> {
        self.make_room(env, gathered)?;
        let (mode, portion) = (Mode::new(whose.mode), &mut gathered.portion);
        let value = if half.is_some() || HalfBuilt::is_for(values, root, mode, portion) {
            let half = half.get_or_insert_default();
            match half.go_on(values, root, mode, portion).transpose() {
                Some(built) => built,
                None => return Ok(false),
            }
        } else {
            portion.spend(values.count(root), mode);
            values.build(root, mode)
        };
        let value = self.value(env, value)?;
        self.gather(whose, value, gathered);
        Ok(true)
    }

    /// Makes room for one more value, and opens the scope in which it lives.
    fn make_room(&self, env: Env, gathered: &mut Gathered) -> Result<()> {
        if gathered.values.len() == ARGUMENTS {
            let _ = self.hand_over(env, gathered);
        }
        if gathered.scope.is_none() {
            gathered.scope = Some(Scope::open(env)?);
        }
        Ok(())
    }

    /// Adds the value of a reply, for which there is room.
    fn gather(&self, whose: &Whose, value: sys::napi_value, gathered: &mut Gathered) {
        let mut ids = self.ids.borrow_mut();
        // SAFETY: the array belongs to JavaScript, which reads it only while `deliver` runs.
        if let Some(id) = unsafe { ids.as_mut() }.get_mut(gathered.values.len()) {
            *id = whose.id;
            gathered.values.push(value);
        }
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

    /// The value of a reply; an error if it cannot be built.
    fn value(&self, env: Env, built: Built) -> Result<sys::napi_value> {
        match built {
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
        let error = self.value(env, values.build(root, Mode::new(0)))?;
        let (id, index) = (values.number(f64::from(id))?, values.number(f64::from(index))?);
        self.part.call(&env, &[id, index, error]).map(drop)
    }

    /// Tells of commands that get no reply.
    fn failures(&self, env: Env, failures: &[(u32, Error)]) {
        for (id, error) in failures {
            let _ = self.failure(env, *id, error);
        }
    }

    fn failure(&self, env: Env, id: u32, error: &Error) -> Result<()> {
        let _scope = Scope::open(env)?;
        let nothing = Frames::default();
        let id = Values::new(env, self, &nothing).number(f64::from(id))?;
        let error = self.error(env, error)?;
        self.reject.call(&env, &[id, error]).map(drop)
    }

    /// The error in place of a reply that is too large.
    fn too_large(&self, env: Env, (code, text): TooLarge) -> Result<sys::napi_value> {
        self.error(env, &Error::new(ErrorClass::Protocol, code, text))
    }
}

/// Values for the next call of `deliver`.
struct Gathered {
    values: Vec<sys::napi_value>,
    /// The scope in which `values` are alive.
    scope: Option<Scope>,
    /// What may still be built in this turn.
    portion: Portion,
}

impl Gathered {
    fn new(portion: Portion) -> Self {
        Self { values: Vec::new(), scope: None, portion }
    }
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
