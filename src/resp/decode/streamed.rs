//! Streamed strings: a string whose length was not known when it began, sent in chunks.
//!
//! Owns the grammar of the chunks (`$?`, then `;<length>` before each chunk, `;0` at the end), and
//! the limit that all chunks of one string share.

use super::token::CRLF;
use super::Decoder;
use crate::error::Error;
use crate::resp::scalar;
use crate::resp::tape::ValueKind;

impl Decoder {
    /// Opens a streamed string, whose first chunk follows at `after`.
    pub(super) fn begin_string(&mut self, buf: &[u8], after: usize) -> Result<bool, Error> {
        self.bound(buf, after)?;
        self.bound_depth(buf)?;
        self.builder.begin_string();
        Ok(self.advance(after, false))
    }

    /// Reads the chunk at `pos`, or the empty one that ends its string. False if it is not complete.
    pub(super) fn read_chunk(&mut self, buf: &[u8], type_byte: u8) -> Result<bool, Error> {
        if type_byte != b';' {
            return Err(self.malformed(buf, "something else amid the chunks of a string"));
        }
        let Some(end) = self.line_end(buf)? else { return Ok(false) };
        let text = buf.get(self.pos + 1..end).unwrap_or_default();
        let after = end + CRLF.len();
        match scalar::length(text) {
            None => Err(self.malformed(buf, "a malformed length")),
            Some(0) => {
                self.bound(buf, after)?;
                let root = self.builder.end_string();
                Ok(self.advance(after, root))
            }
            Some(len) => {
                let limit = self.limits.bulk as u64;
                if len > limit.saturating_sub(self.builder.string_len()) {
                    return Err(self.malformed(buf, &format!("a string above {limit} bytes")));
                }
                self.begin_body(buf, ValueKind::Bulk, len, after)
            }
        }
    }
}
