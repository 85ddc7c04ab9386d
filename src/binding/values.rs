//! Turns a decoded reply into JavaScript values.
//!
//! Owns the mapping of RESP types. An array or object is made by one call of a JavaScript function
//! with all elements as arguments. Measured, an argument costs about 2 ns, and setting an element
//! through N-API about 50 ns. The recursion is bounded by the decoder's depth limit.

mod ahead;
mod external;
mod packed;
mod scalars;
mod shapes;
mod slices;
mod strings;

use napi::bindgen_prelude::*;
use napi::{sys, Status};

pub use self::ahead::decode_ahead;
pub use self::shapes::Shapes;
pub use self::slices::{HalfBuilt, Portion};
use super::mode::{Map, Mode};
use super::sinks::{Sink, Sinks, Uncalled};
use crate::resp::{Frames, ValueKind};

/// Builds the values of one decode step.
pub struct Values<'a> {
    env: Env,
    sinks: &'a Sinks,
    frames: &'a Frames,
}

/// Why a reply could not be turned into a value.
pub enum Failure {
    /// The string would be longer than V8 allows. The caller may ask for a Buffer.
    TooLong,
    /// It had so many values that it was not kept.
    TooMany,
    /// The JavaScript function that makes a value has thrown this exception: a `Set` has no room for
    /// so many elements, the name of a field cannot become text ...
    Thrown(sys::napi_value),
    /// N-API has refused, most often because the environment is ending.
    Napi(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Napi(error)
    }
}

impl From<Uncalled> for Failure {
    fn from(uncalled: Uncalled) -> Self {
        match uncalled {
            Uncalled::Thrown(exception) => Self::Thrown(exception),
            Uncalled::Napi(error) => Self::Napi(error),
        }
    }
}

/// A value, or why there is none.
pub type Built = std::result::Result<sys::napi_value, Failure>;

impl<'a> Values<'a> {
    /// A builder for values of `frames`.
    pub fn new(env: Env, sinks: &'a Sinks, frames: &'a Frames) -> Self {
        Self { env, sinks, frames }
    }

    /// The value whose root is at `index` of the tape.
    pub fn build(&self, index: u32, mode: Mode) -> Built {
        let Some(node) = self.frames.tape.get(index as usize) else { return Ok(self.null()?) };
        match node.kind {
            ValueKind::Bulk => self.string(index, node, mode.bulk_buffer()),
            ValueKind::Simple => self.string(index, node, mode.simple_buffer()),
            ValueKind::Integer => Ok(self.integer(node, mode)?),
            ValueKind::Null => Ok(self.null()?),
            ValueKind::Double if mode.double_text() => self.string(index, node, false),
            ValueKind::Double => Ok(self.number(f64::from_bits(node.num))?),
            ValueKind::Boolean => Ok(self.boolean(node.num != 0)?),
            ValueKind::BigNumber => self.big_number(node, mode),
            ValueKind::Verbatim => self.verbatim(node, mode),
            ValueKind::Streamed => self.streamed(index, node, mode),
            ValueKind::Excess => Err(Failure::TooMany),
            ValueKind::Error | ValueKind::BulkError => {
                let text = self.text(self.frames.text(node))?;
                self.call(&self.sinks.reply_error, &[text])
            }
            ValueKind::Array | ValueKind::Push if mode.pairs_are_map() && node.len % 2 == 0 => {
                self.map_of(index, node.len, mode)
            }
            ValueKind::Array if mode.pairs_are_flat() => {
                self.list(self.flat_elements(index, node.len, mode.inner())?)
            }
            ValueKind::Array | ValueKind::Push => self.list_of(index, node.len, mode.inner()),
            ValueKind::Set => {
                let list = self.list_of(index, node.len, mode.inner())?;
                match mode.set() {
                    true => self.call(&self.sinks.set, &[list]),
                    false => Ok(list),
                }
            }
            ValueKind::Map => self.map_of(index, node.len.saturating_mul(2), mode),
        }
    }

    /// An array of `values`.
    pub fn list(&self, values: Vec<sys::napi_value>) -> Built {
        let mut chunks = values.chunks(ARGUMENTS);
        let list = self.call(&self.sinks.list, chunks.next().unwrap_or_default())?;
        for chunk in chunks {
            let mut arguments = Vec::with_capacity(chunk.len() + 1);
            arguments.push(list);
            arguments.extend_from_slice(chunk);
            self.call(&self.sinks.extend, &arguments)?;
        }
        Ok(list)
    }

    /// The map of the `count` keys and values of the aggregate at `index`.
    fn map_of(&self, index: u32, count: u32, mode: Mode) -> Built {
        match self.names(index, count / 2, mode.inner())? {
            Some(names) => self.shaped(names, index, count / 2, mode.inner()),
            None => self.map(self.pairs(index, count, mode)?, mode),
        }
    }

    /// A map of alternating keys and values.
    fn map(&self, pairs: Vec<sys::napi_value>, mode: Mode) -> Built {
        match mode.map() {
            Map::Array => self.list(pairs),
            Map::Object if pairs.len() <= ARGUMENTS => self.call(&self.sinks.object, &pairs),
            Map::Object => {
                let list = self.list(pairs)?;
                self.call(&self.sinks.object_of, &[list])
            }
            Map::Entries => {
                let list = self.list(pairs)?;
                self.call(&self.sinks.map, &[list])
            }
        }
    }

    /// The values of the children of the aggregate at `index`.
    fn elements(
        &self,
        index: u32,
        count: u32,
        mode: Mode,
    ) -> std::result::Result<Vec<sys::napi_value>, Failure> {
        // The tape holds a node for each element, so this reserves no more than was received.
        let mut values = Vec::with_capacity(count as usize);
        let mut at = index + 1;
        for _ in 0..count {
            values.push(self.build(at, mode)?);
            at = self.frames.next(at);
        }
        Ok(values)
    }

    /// The keys and values of the map at `index`, in turns. Keys that are texts are strings whatever
    /// the mapping says, unless the map becomes an array: nobody finds a key that is a Buffer. Only
    /// bytes that are no UTF-8 stay a Buffer, since a string would not hold them.
    fn pairs(
        &self,
        index: u32,
        count: u32,
        mode: Mode,
    ) -> std::result::Result<Vec<sys::napi_value>, Failure> {
        let inner = mode.inner();
        if matches!(mode.map(), Map::Array) || !inner.has_buffers() {
            return self.elements(index, count, inner);
        }
        let mut values = Vec::with_capacity(count as usize);
        let mut at = index + 1;
        for turn in 0..count {
            let is_text = self.frames.tape.get(at as usize).is_some_and(|node| {
                matches!(node.kind, ValueKind::Bulk | ValueKind::Simple)
                    && std::str::from_utf8(self.frames.text(node)).is_ok()
            });
            let is_key = turn % 2 == 0 && is_text;
            values.push(self.build(at, if is_key { inner.without_buffers() } else { inner })?);
            at = self.frames.next(at);
        }
        Ok(values)
    }

    /// The values of the children of the array at `index`; instead of each child that is an array, the
    /// values of its own children.
    fn flat_elements(
        &self,
        index: u32,
        count: u32,
        mode: Mode,
    ) -> std::result::Result<Vec<sys::napi_value>, Failure> {
        let mut values = Vec::with_capacity(2 * count as usize);
        let mut at = index + 1;
        for _ in 0..count {
            match self.frames.tape.get(at as usize) {
                Some(node) if node.kind == ValueKind::Array => {
                    values.extend(self.elements(at, node.len, mode)?);
                }
                _ => values.push(self.build(at, mode)?),
            }
            at = self.frames.next(at);
        }
        Ok(values)
    }

    fn call(&self, sink: &Sink, arguments: &[sys::napi_value]) -> Built {
        Ok(sink.try_call(&self.env, arguments)?)
    }
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::TooLong => Error::from_reason("the string is too long"),
            Self::TooMany => Error::from_reason("the reply has too many values"),
            Self::Thrown(_) => Error::from_reason("a function of the face has thrown"),
            Self::Napi(error) => error,
        }
    }
}

/// `value`, unless making it has failed.
fn checked(status: sys::napi_status, value: sys::napi_value) -> Result<sys::napi_value> {
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    Err(Error::new(Status::from(status), "a value could not be made"))
}

/// The most arguments of one call into JavaScript. V8's stack holds about 100,000. With a hundredth
/// of that, the call itself costs nothing beside its arguments.
pub const ARGUMENTS: usize = 1024;
