//! The JavaScript functions that receive what happens.
//!
//! Owns the references to them, and calling them.

use std::cell::RefCell;

use napi::bindgen_prelude::*;
use napi::sys;

use super::late::LateReplies;
use super::values::Shapes;

/// The functions that receive what happens, and those that make values. `lib/boundary` has them.
pub struct Sinks {
    /// `(...values)`: replies to the commands whose ids are in `ids`.
    pub deliver: Sink,
    /// The ids of the commands of a call of `deliver`, in the order of its arguments.
    pub(super) ids: RefCell<Uint32Array>,
    /// `(id, index, error)`: an error reply to one part of a block. The block's own reply follows.
    pub part: Sink,
    /// `(id, error)`: a command gets no reply.
    pub reject: Sink,
    /// `(class, code, message, applied, retryable, cause)`: makes an error.
    pub error: Sink,
    /// `(text)`: makes an `ErrorReply`.
    pub reply_error: Sink,
    /// `(exception)`: makes the error in place of a reply that could not be built.
    pub unbuildable: Sink,
    /// `()`: everything that had come is delivered.
    pub drained: Sink,
    /// `(name, ...details)`: an event.
    pub event: Sink,
    /// `(...values)`: makes an array.
    pub list: Sink,
    /// `(array, ...values)`: appends to an array.
    pub extend: Sink,
    /// `(array | null, text, ...values)`: appends to an array, or makes one, of packed values.
    pub unpack: Sink,
    /// `(...names)`: makes an array of the names of fields.
    pub learn: Sink,
    /// `(names, text, ...values)`: makes an object of names and packed values.
    pub shaped: Sink,
    /// The names of fields that are remembered.
    pub(super) shapes: Shapes,
    /// `(container)`: begins an array or map that is built in slices.
    pub begin: Sink,
    /// `(begun, ...values)`: adds to one that was begun.
    pub fill: Sink,
    /// `(begun)`: makes the array or map of one that is complete.
    pub finish: Sink,
    /// `()`: asks for a call of `Core::resume` in another turn of the event loop.
    pub later: Sink,
    /// Replies that are built in later turns.
    pub(super) late: LateReplies,
    /// `(...keysAndValues)`: makes an object.
    pub object: Sink,
    /// `(arrayOfKeysAndValues)`: makes an object.
    pub object_of: Sink,
    /// `(arrayOfKeysAndValues)`: makes a `Map`.
    pub map: Sink,
    /// `(array)`: makes a `Set`.
    pub set: Sink,
    /// `(digits)`: makes a BigInt.
    pub bigint: Sink,
    /// `(format, text)`: makes a `VerbatimString`.
    pub verbatim: Sink,
    /// `(token, payload, ...)`, of a pattern `(token, channel, payload, ...)`: messages.
    pub messages: Sink,
    /// `(...keys)`: names of keys that have changed, one char for each byte.
    pub invalidated: Sink,
    /// `(ticket, error | null)`: a request for a session or for messages has ended.
    pub settled: Sink,
}

impl Sinks {
    /// The functions are properties of `face`, each by its name.
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
            unbuildable: sink("unbuildable")?,
            drained: sink("drained")?,
            event: sink("event")?,
            list: sink("list")?,
            extend: sink("extend")?,
            unpack: sink("unpack")?,
            learn: sink("learn")?,
            shaped: sink("shaped")?,
            shapes: Shapes::default(),
            begin: sink("begin")?,
            fill: sink("fill")?,
            finish: sink("finish")?,
            later: sink("later")?,
            late: LateReplies::default(),
            object: sink("object")?,
            object_of: sink("objectOf")?,
            map: sink("map")?,
            set: sink("set")?,
            bigint: sink("bigint")?,
            verbatim: sink("verbatim")?,
            messages: sink("messages")?,
            invalidated: sink("invalidated")?,
            settled: sink("settled")?,
        })
    }
}

/// A JavaScript function.
pub struct Sink(FunctionRef<(), Unknown<'static>>);

/// Why a call of a JavaScript function has no result.
pub enum Uncalled {
    /// The function has thrown this exception. It is not pending any more.
    Thrown(sys::napi_value),
    /// N-API has refused, most often because the environment is ending.
    Napi(Error),
}

impl Sink {
    /// Calls a function that does not throw. If it does all the same, its exception is dropped.
    pub fn call(&self, env: &Env, arguments: &[sys::napi_value]) -> Result<sys::napi_value> {
        self.try_call(env, arguments).map_err(|uncalled| match uncalled {
            Uncalled::Thrown(_) => Error::from_reason("a function of the face has thrown"),
            Uncalled::Napi(error) => error,
        })
    }

    /// Calls a function that may throw.
    pub fn try_call(
        &self,
        env: &Env,
        arguments: &[sys::napi_value],
    ) -> std::result::Result<sys::napi_value, Uncalled> {
        let function = self.0.borrow_back(env).map_err(Uncalled::Napi)?;
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
        // If the exception stayed pending, every further call would fail.
        // SAFETY: no pointer but the one for the result.
        let cleared = unsafe { sys::napi_get_and_clear_last_exception(env.raw(), &mut result) };
        if status == sys::Status::napi_pending_exception && cleared == sys::Status::napi_ok {
            // At the end of a worker thread this is no exception, and every further call fails.
            return Err(Uncalled::Thrown(result));
        }
        Err(Uncalled::Napi(Error::new(
            napi::Status::from(status),
            "a function could not be called",
        )))
    }
}
