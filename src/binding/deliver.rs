//! Takes everything that waits in the outbox to JavaScript, in one callback.
//!
//! Owns the JavaScript functions that receive it. Up to a thousand replies go over in one call,
//! `deliver(...values)`, whichever connections they came over; their ids stand in an array of the
//! face's, which costs less than making numbers of them.

use std::cell::RefCell;

use napi::bindgen_prelude::*;
use napi::sys;

use crate::error::{self, Applied};
use crate::outbox::{Delivery, Event, Outbox, Whose};
use crate::resp::Frames;

use super::mode::Mode;
use super::values::{Failure, Values, ARGUMENTS};

/// The functions of the face that receive what happens (`lib/boundary/bridge.js`).
pub struct Sinks {
    /// `(...values)`: replies to the commands of `ids`.
    pub deliver: Sink,
    /// Where the ids of a call of `deliver` stand.
    ids: RefCell<Uint32Array>,
    /// `(id, index, error)`: an error reply to one part of a block, whose own reply comes later.
    pub part: Sink,
    /// `(id, error)`: a command that gets no reply.
    pub reject: Sink,
    /// `(kind, code, message, applied, retryable, cause)` to an error.
    pub error: Sink,
    /// `(text)` to an `ErrorReply`.
    pub reply_error: Sink,
    /// `()`: everything that had come is delivered.
    pub drained: Sink,
    /// `(name, ...details)`: something to tell.
    pub event: Sink,
    /// `(...values)` to an array.
    pub list: Sink,
    /// `(array, ...values)`: appends.
    pub extend: Sink,
    /// `(...keysAndValues)` to an object.
    pub object: Sink,
    /// `(arrayOfKeysAndValues)` to an object.
    pub object_of: Sink,
    /// `(arrayOfKeysAndValues)` to a `Map`.
    pub map: Sink,
    /// `(array)` to a `Set`.
    pub set: Sink,
    /// `(digits)` to a BigInt.
    pub bigint: Sink,
    /// `(format, text)` to a `VerbatimString`.
    pub verbatim: Sink,
    /// `(token, payload, ...)`, for a pattern `(token, channel, payload, ...)`: messages.
    pub messages: Sink,
    /// `(ticket, error | null)`: how a request to subscribe has ended.
    pub settled: Sink,
}

/// Replies on their way over.
#[derive(Default)]
struct Gathered {
    values: Vec<sys::napi_value>,
    /// That of `values`.
    scope: Option<Scope>,
}

/// A JavaScript function of the face.
pub struct Sink(FunctionRef<(), Unknown<'static>>);

impl Sink {
    /// Calls the function.
    pub fn call(&self, env: &Env, arguments: &[sys::napi_value]) -> Result<sys::napi_value> {
        let function = self.0.borrow_back(env)?;
        let (mut this, mut result) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `function` and every argument are live handles of the current callback, and
        // `arguments` is readable for its length.
        let status = unsafe {
            sys::napi_get_undefined(env.raw(), &mut this);
            sys::napi_call_function(
                env.raw(),
                this,
                function.raw(),
                arguments.len(),
                arguments.as_ptr(),
                &mut result,
            )
        };
        if status == sys::Status::napi_ok {
            return Ok(result);
        }
        // The face does not throw; what is pending now is the end of a worker thread. Left
        // pending, it would make every further call fail.
        // SAFETY: no pointer but the one for the result.
        unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &mut result) };
        Err(Error::new(napi::Status::from(status), "a function of the face failed"))
    }
}

impl Sinks {
    /// The functions, by name, of the object that the face passed.
    pub fn new(face: &Object) -> Result<Self> {
        let sink = |name: &str| -> Result<Sink> {
            let function: Function<(), Unknown<'static>> = face.get_named_property(name)?;
            Ok(Sink(function.create_ref()?))
        };
        Ok(Self {
            deliver: sink("deliver")?,
            ids: RefCell::new(face.get_named_property("ids")?),
            part: sink("part")?,
            reject: sink("reject")?,
            error: sink("error")?,
            reply_error: sink("replyError")?,
            drained: sink("drained")?,
            event: sink("event")?,
            list: sink("list")?,
            extend: sink("extend")?,
            object: sink("object")?,
            object_of: sink("objectOf")?,
            map: sink("map")?,
            set: sink("set")?,
            bigint: sink("bigint")?,
            verbatim: sink("verbatim")?,
            messages: sink("messages")?,
            settled: sink("settled")?,
        })
    }

    /// Takes everything over; events are shown to `on_event` first. What fails does so because the
    /// environment is going down: there is nobody to tell, and the rest is tried all the same.
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
            // SAFETY: the array belongs to the face, which reads it only while `deliver` runs.
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
            Err(Failure::TooLong) => self.too_long(env),
            Err(Failure::Napi(error)) => Err(error),
        }
    }

    fn part(&self, env: Env, values: &Values, root: u32, id: u32, index: u32) -> Result<()> {
        let _scope = Scope::open(env)?;
        let error = self.value(env, values, root, Mode::new(0))?;
        let (id, index) = (values.number(f64::from(id))?, values.number(f64::from(index))?);
        self.part.call(&env, &[id, index, error]).map(drop)
    }

    fn failures(&self, env: Env, failures: &[(u32, error::Error)]) -> Result<()> {
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

    /// The JavaScript error of `error`, with its causes.
    pub fn error(&self, env: Env, error: &error::Error) -> Result<sys::napi_value> {
        let nothing = Frames::default();
        let values = Values::new(env, self, &nothing);
        let text = |text: &str| values.text(text.as_bytes()).or_else(|_| values.null());
        let applied = match error.applied() {
            None => values.null()?,
            Some(Applied::No) => text("no")?,
            Some(Applied::Unknown) => text("unknown")?,
        };
        let cause = match error.cause() {
            Some(cause) => self.error(env, cause)?,
            None => values.null()?,
        };
        let arguments = [
            values.number(f64::from(error.kind() as u8))?,
            text(error.code())?,
            text(error.message())?,
            applied,
            values.number(f64::from(u8::from(error.is_retryable())))?,
            cause,
        ];
        self.error.call(&env, &arguments)
    }

    fn too_long(&self, env: Env) -> Result<sys::napi_value> {
        let text = "the reply is too large for a JavaScript string: ask for it as a Buffer";
        let error =
            error::Error::new(error::ErrorClass::Protocol, "REPLY_TOO_LARGE_FOR_STRING", text);
        self.error(env, &error)
    }

    fn event(&self, env: Env, event: Event) -> Result<()> {
        let _scope = Scope::open(env)?;
        let nothing = Frames::default();
        let values = Values::new(env, self, &nothing);
        let number = |n: u32| values.number(f64::from(n));
        let (name, details) = match event {
            Event::Look(_) | Event::Opened(_) | Event::Left(_) => return Ok(()),
            Event::Ready(place) => ("ready", vec![number(place)?]),
            Event::Topology(is_first) => ("topology", vec![number(u32::from(is_first))?]),
            Event::Error(error, address) => {
                let address = match &address {
                    Some(address) => values.text(address.as_bytes()).or_else(|_| values.null())?,
                    None => values.null()?,
                };
                ("error", vec![self.error(env, &error)?, address])
            }
            Event::Reconnecting(failures) => ("reconnecting", vec![number(failures)?]),
            Event::Stopped(error) => ("stopped", vec![self.error(env, &error)?]),
            Event::AskDelay(id, retries, cause) => {
                ("askDelay", vec![number(id)?, number(retries)?, self.error(env, &cause)?])
            }
            Event::AskCredentials(id) => ("askCredentials", vec![number(id)?]),
            Event::Resubscribed(gap) => ("resubscribed", super::pubsub::details(&values, &gap)?),
        };
        let name = values.text(name.as_bytes()).or_else(|_| values.null())?;
        let arguments: Vec<_> = std::iter::once(name).chain(details).collect();
        self.event.call(&env, &arguments).map(drop)
    }
}

/// A handle scope: what is made inside is free for the garbage collector once it closes.
pub(super) struct Scope {
    env: Env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    pub(super) fn open(env: Env) -> Result<Self> {
        let mut scope = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_open_handle_scope(env.raw(), &mut scope) };
        if status == sys::Status::napi_ok {
            return Ok(Self { env, scope });
        }
        Err(Error::new(napi::Status::from(status), "a handle scope could not be opened"))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: opened by `open` in this callback; scopes close in the reverse order of opening,
        // since they are locals.
        unsafe { sys::napi_close_handle_scope(self.env.raw(), self.scope) };
    }
}
