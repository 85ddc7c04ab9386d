//! Strings and Buffers of a reply.
//!
//! Owns when received bytes are copied, and when a Buffer takes them over.

use std::ffi::c_void;

use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi::sys;

use super::{checked, Built, Failure, Values};
use crate::binding::mode::{Mode, Verbatim};
use crate::resp::TapeNode;

impl Values<'_> {
    pub(super) fn string(&self, node: &TapeNode, buffer: bool) -> Built {
        let bytes = self.frames.text(node);
        match buffer {
            true => Ok(self.buffer(bytes)?),
            false => self.text(bytes),
        }
    }

    /// A string of `bytes`. ASCII goes over as latin1, which V8 stores as it is; all else is read as
    /// UTF-8, and invalid bytes become U+FFFD as in Node.
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

    /// A Buffer of `bytes`, which are a part of `frames.bytes`.
    fn buffer(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        // A Buffer that takes a part over keeps all bytes of the read alive, so the part has to be
        // half of them.
        if bytes.len() >= EXTERNAL && bytes.len() >= self.frames.bytes.len() / 2 {
            if let Some(value) = self.external_buffer(self.frames.bytes.slice_ref(bytes)) {
                return Ok(value);
            }
        }
        self.buffer_copy(bytes)
    }

    /// A Buffer of a copy of `bytes`.
    pub fn buffer_copy(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        let (mut value, mut data) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: `bytes` is readable for its length, and N-API copies it before it returns.
        let status = unsafe {
            let start = bytes.as_ptr().cast();
            sys::napi_create_buffer_copy(self.env.raw(), bytes.len(), start, &mut data, &mut value)
        };
        checked(status, value)
    }

    /// A Buffer over the received `bytes`; `None` where the runtime forbids that (Electron).
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

    pub(super) fn verbatim(&self, node: &TapeNode, mode: Mode) -> Built {
        let all = self.frames.text(node);
        let (format, text) = all.split_at_checked(4).unwrap_or((&[], all));
        match mode.verbatim() {
            Verbatim::Text => self.text(text),
            Verbatim::Buffer => Ok(self.buffer(text)?),
            Verbatim::Object => {
                let format = self.text(format.get(..3).unwrap_or_default())?;
                let text = self.text(text)?;
                self.call(&self.sinks.verbatim, &[format, text])
            }
        }
    }

    pub(super) fn streamed(&self, index: u32, node: &TapeNode, mode: Mode) -> Built {
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
}

/// Drops the owner of an external Buffer's bytes.
unsafe extern "C" fn release(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` is the box that `external_buffer` gave away, and N-API calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

/// From this size on, a Buffer takes the received bytes over instead of copying them. Making an
/// external Buffer costs about as much as copying 10 to 50 KB, as measured.
const EXTERNAL: usize = 32 << 10;
/// The longest string that V8 can hold (`v8::String::kMaxLength` on 64-bit platforms).
const LONGEST_STRING: usize = 536_870_888;
