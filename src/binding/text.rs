//! Reads what JavaScript has encoded: the one string of a turn, and the large values beside it.
//!
//! That string is a binary string, in which each character stands for one byte of the wire. So one
//! call of `napi_get_value_string_latin1` copies it, however many commands it holds.

use napi::bindgen_prelude::*;
use napi::{sys, Env, Status};

/// Appends `len` characters of the binary string `value`.
pub fn append_latin1(
    env: Env,
    value: sys::napi_value,
    len: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    // N-API ends what it writes with a NUL.
    out.reserve(len + 1);
    let start = out.len();
    let mut written = 0;
    // SAFETY: `out` has room for `len + 1` bytes behind its `start`, and N-API writes at most that
    // many, the NUL included; `value` is a live handle of the current callback.
    let status = unsafe {
        let tail = out.as_mut_ptr().add(start).cast();
        sys::napi_get_value_string_latin1(env.raw(), value, tail, len + 1, &mut written)
    };
    check(status)?;
    // SAFETY: N-API has initialised `written <= len` bytes behind `start`.
    unsafe { out.set_len(start + written.min(len)) };
    Ok(())
}

/// Appends a large value: a string of `len` UTF-8 bytes, or a Buffer or Uint8Array.
pub fn append_value(env: Env, value: Unknown, len: usize, out: &mut Vec<u8>) -> Result<()> {
    let raw = value.raw();
    if value.get_type()? == ValueType::String {
        let mut chars = 0;
        // SAFETY: a null buffer asks for the length only; `raw` is a live handle.
        let status = unsafe {
            sys::napi_get_value_string_latin1(env.raw(), raw, std::ptr::null_mut(), 0, &mut chars)
        };
        check(status)?;
        // With as many bytes as characters, all of it is ASCII, which is copied fastest as latin1.
        return if chars == len {
            append_latin1(env, raw, len, out)
        } else {
            append_utf8(env, raw, len, out)
        };
    }
    // SAFETY: `raw` is a live handle, and `from_napi_value` checks that it is a Uint8Array.
    let bytes = unsafe { Uint8ArraySlice::from_napi_value(env.raw(), raw)? };
    out.extend_from_slice(&bytes);
    Ok(())
}

fn append_utf8(env: Env, value: sys::napi_value, len: usize, out: &mut Vec<u8>) -> Result<()> {
    out.reserve(len + 1);
    let start = out.len();
    let mut written = 0;
    // SAFETY: as in `append_latin1`.
    let status = unsafe {
        let tail = out.as_mut_ptr().add(start).cast();
        sys::napi_get_value_string_utf8(env.raw(), value, tail, len + 1, &mut written)
    };
    check(status)?;
    // SAFETY: N-API has initialised `written <= len` bytes behind `start`.
    unsafe { out.set_len(start + written.min(len)) };
    Ok(())
}

fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::new(Status::from(status), "the batch could not be read"))
}

/// The byte length that the bulk header at the end of `encoded` announces.
pub fn announced(encoded: &[u8]) -> Option<usize> {
    let digits = encoded.strip_suffix(b"\r\n")?;
    let start = digits.iter().rposition(|byte| *byte == b'$')? + 1;
    std::str::from_utf8(digits.get(start..)?).ok()?.parse().ok()
}
