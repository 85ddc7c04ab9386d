//! Turns a decoded reply into JavaScript values.
//!
//! Owns the mapping of RESP types. Arrays and objects are made by one call of a JavaScript
//! function with all their elements as arguments: setting elements one by one through N-API costs
//! about 50 ns each, an argument about 2 ns. Never looks at more than the one reply; its recursion
//! is bounded by the decoder's depth limit.

use std::ffi::c_void;

use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi::{sys, Status};

use crate::resp::{Frames, TapeNode, ValueKind};

use super::deliver::Sinks;
use super::mode::{Integer, Map, Mode, Verbatim};

/// Arguments of one call into JavaScript. V8's stack holds about 100,000; a thousandth of that
/// already makes the call itself cost nothing.
pub const ARGUMENTS: usize = 1024;
/// From this size a Buffer takes the received bytes over instead of copying them: making an
/// external one costs about as much as copying 10 to 50 KB (measured for the design).
const EXTERNAL: usize = 32 << 10;
/// The longest string V8 can hold (`v8::String::kMaxLength` on 64-bit platforms).
const LONGEST_STRING: usize = 536_870_888;
/// The largest integer up to which JavaScript numbers are exact (ECMA-262, MAX_SAFE_INTEGER).
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Builds the values of one decode step.
pub struct Values<'a> {
    env: Env,
    sinks: &'a Sinks,
    frames: &'a Frames,
}

/// Why a reply could not be turned into a value.
pub enum Failure {
    /// A string longer than V8 can hold: the caller may ask for a Buffer.
    TooLong,
    /// N-API refused; most often the environment is going down.
    Napi(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Napi(error)
    }
}

type Built = std::result::Result<sys::napi_value, Failure>;

impl<'a> Values<'a> {
    /// A builder for values of `frames`.
    pub fn new(env: Env, sinks: &'a Sinks, frames: &'a Frames) -> Self {
        Self { env, sinks, frames }
    }

    /// The value whose root is at `index` of the tape.
    pub fn build(&self, index: u32, mode: Mode) -> Built {
        let Some(node) = self.frames.tape.get(index as usize) else { return Ok(self.null()?) };
        match node.kind {
            ValueKind::Bulk => self.string(node, mode.bulk_buffer()),
            ValueKind::Simple => self.string(node, mode.simple_buffer()),
            ValueKind::Integer => Ok(self.integer(node, mode)?),
            ValueKind::Null => Ok(self.null()?),
            ValueKind::Double if mode.double_text() => self.string(node, false),
            ValueKind::Double => Ok(self.number(f64::from_bits(node.num))?),
            ValueKind::Boolean => Ok(self.boolean(node.num != 0)?),
            ValueKind::BigNumber => self.big_number(node, mode),
            ValueKind::Verbatim => self.verbatim(node, mode),
            ValueKind::Streamed => self.streamed(index, node, mode),
            ValueKind::Error | ValueKind::BulkError => {
                let text = self.text(self.frames.text(node))?;
                Ok(self.call(&self.sinks.reply_error, &[text])?)
            }
            ValueKind::Array | ValueKind::Push if mode.pairs_are_map() && node.len % 2 == 0 => {
                // The mode speaks of the reply itself, not of what is in it.
                self.map(self.elements(index, node.len, mode.inner())?, mode)
            }
            ValueKind::Array if mode.pairs_are_flat() => {
                self.list(self.flat_elements(index, node.len, mode.inner())?)
            }
            ValueKind::Array | ValueKind::Push => {
                self.list(self.elements(index, node.len, mode.inner())?)
            }
            ValueKind::Set => {
                let list = self.list(self.elements(index, node.len, mode.inner())?)?;
                match mode.set() {
                    true => Ok(self.call(&self.sinks.set, &[list])?),
                    false => Ok(list),
                }
            }
            ValueKind::Map => {
                let count = node.len.saturating_mul(2);
                self.map(self.elements(index, count, mode.inner())?, mode)
            }
        }
    }

    /// `array(...values)`.
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

    fn map(&self, pairs: Vec<sys::napi_value>, mode: Mode) -> Built {
        match mode.map() {
            Map::Array => self.list(pairs),
            Map::Object if pairs.len() <= ARGUMENTS => Ok(self.call(&self.sinks.object, &pairs)?),
            Map::Object => {
                let list = self.list(pairs)?;
                Ok(self.call(&self.sinks.object_of, &[list])?)
            }
            Map::Entries => {
                let list = self.list(pairs)?;
                Ok(self.call(&self.sinks.map, &[list])?)
            }
        }
    }

    fn elements(
        &self,
        index: u32,
        count: u32,
        mode: Mode,
    ) -> std::result::Result<Vec<sys::napi_value>, Failure> {
        // The tape holds a node for each element, so this is no more than was received.
        let mut values = Vec::with_capacity(count as usize);
        let mut at = index + 1;
        for _ in 0..count {
            values.push(self.build(at, mode)?);
            at = self.frames.next(at);
        }
        Ok(values)
    }

    /// The elements, those of inner arrays in their place.
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

    fn string(&self, node: &TapeNode, buffer: bool) -> Built {
        let bytes = self.frames.text(node);
        match buffer {
            true => Ok(self.buffer(bytes)?),
            false => self.text(bytes),
        }
    }

    /// A string of `bytes`: latin1 if they are ASCII, which V8 stores as they are, else UTF-8,
    /// where what is invalid becomes U+FFFD as in Node.
    pub fn text(&self, bytes: &[u8]) -> Built {
        if bytes.len() > LONGEST_STRING {
            return Err(Failure::TooLong);
        }
        let mut value = std::ptr::null_mut();
        let (start, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        let ascii = bytes.is_ascii();
        // SAFETY: `start` points at `len` readable bytes, which N-API copies before it returns.
        let status = unsafe {
            if ascii {
                sys::napi_create_string_latin1(self.env.raw(), start, len, &mut value)
            } else {
                sys::napi_create_string_utf8(self.env.raw(), start, len, &mut value)
            }
        };
        Ok(checked(status, value)?)
    }

    /// A Buffer of `bytes`, which are a part of what was received.
    fn buffer(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        // Taking over a small part would keep all of what was read alive.
        if bytes.len() >= EXTERNAL && bytes.len() >= self.frames.bytes.len() / 2 {
            if let Some(value) = self.external_buffer(self.frames.bytes.slice_ref(bytes)) {
                return Ok(value);
            }
        }
        self.buffer_copy(bytes)
    }

    fn buffer_copy(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        let (mut value, mut data) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `bytes` is readable for its length, and N-API copies it before it returns.
        let status = unsafe {
            let start = bytes.as_ptr().cast();
            sys::napi_create_buffer_copy(self.env.raw(), bytes.len(), start, &mut data, &mut value)
        };
        checked(status, value)
    }

    /// A Buffer over `bytes` themselves; None where the runtime forbids that (Electron).
    fn external_buffer(&self, bytes: Bytes) -> Option<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        let (data, len) = (bytes.as_ptr().cast_mut().cast(), bytes.len());
        let owner: *mut Bytes = Box::into_raw(Box::new(bytes));
        // SAFETY: `data` stays readable until `release` drops its owner. JavaScript may write to
        // it: the range belongs to this one reply, no other view of it is read again, and the
        // tape's other texts lie outside of it.
        let status = unsafe {
            let release = Some(release as unsafe extern "C" fn(_, _, _));
            sys::napi_create_external_buffer(
                self.env.raw(),
                len,
                data,
                release,
                owner.cast(),
                &mut value,
            )
        };
        if status == sys::Status::napi_ok {
            return Some(value);
        }
        // SAFETY: N-API takes the owner over only if it succeeds; it came from `Box::into_raw`.
        drop(unsafe { Box::from_raw(owner) });
        None
    }

    fn integer(&self, node: &TapeNode, mode: Mode) -> Result<sys::napi_value> {
        let number = node.num as i64;
        match mode.integer() {
            Integer::Text => self.text(self.frames.text(node)).map_err(Failure::into_error),
            Integer::Number if number.unsigned_abs() <= MAX_SAFE => self.number(number as f64),
            Integer::Number | Integer::BigInt => {
                let mut value = std::ptr::null_mut();
                // SAFETY: no pointer but the one for the result.
                let status =
                    unsafe { sys::napi_create_bigint_int64(self.env.raw(), number, &mut value) };
                checked(status, value)
            }
        }
    }

    fn big_number(&self, node: &TapeNode, mode: Mode) -> Built {
        let text = self.text(self.frames.text(node))?;
        match mode.big_number_text() {
            true => Ok(text),
            false => Ok(self.call(&self.sinks.bigint, &[text])?),
        }
    }

    fn verbatim(&self, node: &TapeNode, mode: Mode) -> Built {
        let all = self.frames.text(node);
        let (format, text) = all.split_at_checked(4).unwrap_or((&[], all));
        match mode.verbatim() {
            Verbatim::Text => self.text(text),
            Verbatim::Buffer => Ok(self.buffer(text)?),
            Verbatim::Object => {
                let format = self.text(format.get(..3).unwrap_or_default())?;
                let text = self.text(text)?;
                Ok(self.call(&self.sinks.verbatim, &[format, text])?)
            }
        }
    }

    fn streamed(&self, index: u32, node: &TapeNode, mode: Mode) -> Built {
        let mut whole = Vec::new();
        for chunk in (index + 1..).take(node.len as usize) {
            if let Some(chunk) = self.frames.tape.get(chunk as usize) {
                whole.extend_from_slice(self.frames.text(chunk));
            }
        }
        match mode.bulk_buffer() {
            true => Ok(self.buffer_copy(&whole)?),
            false => self.text(&whole),
        }
    }

    /// A number.
    pub fn number(&self, number: f64) -> Result<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_create_double(self.env.raw(), number, &mut value) };
        checked(status, value)
    }

    fn boolean(&self, truth: bool) -> Result<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_get_boolean(self.env.raw(), truth, &mut value) };
        checked(status, value)
    }

    /// `null`.
    pub fn null(&self) -> Result<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_get_null(self.env.raw(), &mut value) };
        checked(status, value)
    }

    fn call(
        &self,
        sink: &super::deliver::Sink,
        arguments: &[sys::napi_value],
    ) -> Result<sys::napi_value> {
        sink.call(&self.env, arguments)
    }
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::TooLong => Error::from_reason("the string is too long"),
            Self::Napi(error) => error,
        }
    }
}

/// Drops the owner of an external Buffer's bytes.
unsafe extern "C" fn release(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` is the box that `external_buffer` gave away, and N-API calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

fn checked(status: sys::napi_status, value: sys::napi_value) -> Result<sys::napi_value> {
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    Err(Error::new(Status::from(status), "a value could not be made"))
}
