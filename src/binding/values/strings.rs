//! Strings and Buffers of a reply.
//!
//! Owns when received bytes are copied, and when a Buffer takes them over.

use std::sync::Arc;

use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi::sys;

use super::ahead::AHEAD;
use super::external::EXTERNAL;
use super::{checked, Built, Failure, Values};
use crate::binding::mode::{Mode, Verbatim};
use crate::resp::{TapeNode, Text};

impl Values<'_> {
    pub(super) fn string(&self, index: u32, node: &TapeNode, buffer: bool) -> Built {
        let bytes = self.frames.text(node);
        match buffer {
            true => Ok(self.buffer(bytes)?),
            false if bytes.len() >= AHEAD => self.large_text(index, bytes),
            false => self.text(bytes),
        }
    }

    /// A string of `bytes`, which are a part of `frames.bytes` and the text of the node at `index`.
    fn large_text(&self, index: u32, bytes: &[u8]) -> Built {
        if bytes.len() > LONGEST_STRING {
            return Err(Failure::TooLong);
        }
        match self.frames.decoded(index).cloned().unwrap_or_else(|| Text::decode(bytes)) {
            Text::Ascii if self.owns(bytes) => self.one_byte(self.frames.bytes.slice_ref(bytes)),
            Text::Ascii => self.latin1(bytes),
            Text::Latin1(latin1) => self.one_byte(latin1),
            Text::Utf16(units) => self.two_byte(units),
        }
    }

    /// A string of a byte for each character.
    fn one_byte(&self, bytes: Bytes) -> Built {
        let is_large = bytes.len() >= EXTERNAL;
        let external = is_large.then(|| self.external_latin1(bytes.clone())).flatten();
        external.map_or_else(|| self.latin1(&bytes), Ok)
    }

    /// A string of UTF-16.
    fn two_byte(&self, units: Arc<[u16]>) -> Built {
        let is_large = 2 * units.len() >= EXTERNAL;
        let external = is_large.then(|| self.external_utf16(Arc::clone(&units))).flatten();
        external.map_or_else(|| self.utf16(&units), Ok)
    }

    /// A string of a copy of `bytes`, one for each character.
    fn latin1(&self, bytes: &[u8]) -> Built {
        let mut value = std::ptr::null_mut();
        // SAFETY: `bytes` is readable for its length, and N-API copies it before it returns.
        let status = unsafe {
            let start = bytes.as_ptr().cast();
            sys::napi_create_string_latin1(self.env.raw(), start, bytes.len() as isize, &mut value)
        };
        Ok(checked(status, value)?)
    }

    /// A string of a copy of `units`.
    fn utf16(&self, units: &[u16]) -> Built {
        let mut value = std::ptr::null_mut();
        // SAFETY: as in `latin1`.
        let status = unsafe {
            let start = units.as_ptr();
            sys::napi_create_string_utf16(self.env.raw(), start, units.len() as isize, &mut value)
        };
        Ok(checked(status, value)?)
    }

    /// Whether a value may keep all bytes of the read alive for the sake of `bytes`: these have to
    /// be half of them.
    fn owns(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.frames.bytes.len() / 2
    }

    /// A string of `bytes`. ASCII goes over as latin1, which V8 stores as it is; all else is read as
    /// UTF-8, and invalid bytes become U+FFFD as in Node.
    pub fn text(&self, bytes: &[u8]) -> Built {
        if bytes.len() > LONGEST_STRING {
            return Err(Failure::TooLong);
        }
        if bytes.is_ascii() {
            return self.latin1(bytes);
        }
        let mut value = std::ptr::null_mut();
        // SAFETY: as in `latin1`.
        let status = unsafe {
            let start = bytes.as_ptr().cast();
            sys::napi_create_string_utf8(self.env.raw(), start, bytes.len() as isize, &mut value)
        };
        Ok(checked(status, value)?)
    }

    /// A Buffer of `bytes`, which are a part of `frames.bytes`.
    fn buffer(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        if bytes.len() >= EXTERNAL && self.owns(bytes) {
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

/// The longest string that V8 can hold (`v8::String::kMaxLength` on 64-bit platforms).
const LONGEST_STRING: usize = 536_870_888;
