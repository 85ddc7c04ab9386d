//! Numbers, booleans and null of a reply.

use napi::bindgen_prelude::*;
use napi::sys;

use super::{checked, Built, Failure, Values};
use crate::binding::mode::{Integer, Mode};
use crate::resp::TapeNode;

impl Values<'_> {
    /// A RESP integer, as the mode wants it.
    pub(super) fn integer(&self, node: &TapeNode, mode: Mode) -> Result<sys::napi_value> {
        let number = node.num as i64;
        match mode.integer() {
            Integer::Text => self.text(self.frames.text(node)).map_err(Failure::into_error),
            Integer::Rounded => self.number(number as f64),
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

    pub(super) fn big_number(&self, node: &TapeNode, mode: Mode) -> Built {
        let text = self.text(self.frames.text(node))?;
        match mode.big_number_text() {
            true => Ok(text),
            false => self.call(&self.sinks.bigint, &[text]),
        }
    }

    /// A number.
    pub fn number(&self, number: f64) -> Result<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_create_double(self.env.raw(), number, &mut value) };
        checked(status, value)
    }

    pub(super) fn boolean(&self, truth: bool) -> Result<sys::napi_value> {
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
}

/// The largest integer up to which JavaScript's numbers are exact (ECMA-262, MAX_SAFE_INTEGER).
const MAX_SAFE: u64 = (1 << 53) - 1;
