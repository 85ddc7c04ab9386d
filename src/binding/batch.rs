//! The commands of one turn, as JavaScript passes them.

use napi::bindgen_prelude::*;
use napi::{sys, Env};
use tokio::time::Instant;

use super::{blocks, text};
use crate::lane::{Batch, Command};

/// A batch of `commands`. Its bytes are those of the pairs in `large`, and then `encoded`.
pub(super) fn batch(
    env: Env,
    encoded: Unknown,
    length: u32,
    commands: Vec<Command>,
    large: Option<Vec<Unknown>>,
) -> Result<Batch> {
    let total: usize = commands.iter().map(|command| command.len as usize).sum();
    // N-API writes a NUL behind the last byte.
    let mut bytes = blocks::take(total + 1);
    for pair in large.unwrap_or_default().chunks_exact(2) {
        let [head, value] = pair else { continue };
        append_string(env, head, &mut bytes)?;
        let len = text::announced(&bytes).unwrap_or_default();
        text::append_value(env, *value, len, &mut bytes)?;
    }
    text::append_latin1(env, encoded.raw(), length as usize, &mut bytes)?;
    if bytes.len() != total {
        return Err(Error::from_reason("the batch is not as long as its commands"));
    }
    Ok(Batch::new(blocks::bytes(bytes), commands, Instant::now()))
}

/// Appends the whole of a binary string.
fn append_string(env: Env, value: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    let mut length = 0;
    // SAFETY: a null buffer asks for the length only; `value` is a live handle.
    let status = unsafe {
        let nowhere = std::ptr::null_mut();
        sys::napi_get_value_string_latin1(env.raw(), value.raw(), nowhere, 0, &mut length)
    };
    if status != sys::Status::napi_ok {
        return Err(Error::from_reason("the batch is not made of strings"));
    }
    text::append_latin1(env, value.raw(), length, out)
}
