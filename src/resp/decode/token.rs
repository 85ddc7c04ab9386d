//! One token of the stream: a line, or a byte string with its length line.
//!
//! Owns the grammar: what each type byte means and what may follow it. Every `read_*` method reads
//! the token at `pos`, and returns false if that token is not complete yet.

use memchr::memchr;

use super::bounds::malformed;
use super::Decoder;
use crate::error::Error;
use crate::resp::builder::Role;
use crate::resp::scalar;
use crate::resp::tape::{TapeNode, ValueKind};

/// A byte string whose length is known.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub(super) kind: ValueKind,
    /// Where its text begins in the buffer.
    pub(super) start: usize,
    /// Where its text ends.
    pub(super) end: usize,
}

impl Decoder {
    /// Reads a token at `pos` that is seen for the first time. The few forms that most tokens have
    /// are read here; all others go to [`Decoder::read_line`].
    #[inline]
    pub(super) fn read_fresh(
        &mut self,
        buf: &[u8],
        type_byte: u8,
        after: &[u8],
    ) -> Result<bool, Error> {
        self.examine(scalar::SHORT.min(after.len()));
        let text = self.pos + 1;
        match type_byte {
            b'$' => {
                if let Some((len, used)) = scalar::short_number(after) {
                    return self.begin_body(buf, ValueKind::Bulk, len, text + used);
                }
                if after.starts_with(b"-1\r\n") {
                    return self.leaf(buf, ValueKind::Null, text, text + 2, 0);
                }
            }
            b'+' if after.starts_with(b"OK\r\n") => {
                return self.leaf(buf, ValueKind::Simple, text, text + 2, 0);
            }
            b':' => {
                if let Some((number, used)) = scalar::short_number(after) {
                    return self.leaf(
                        buf,
                        ValueKind::Integer,
                        text,
                        text + used - CRLF.len(),
                        number,
                    );
                }
            }
            b'*' => {
                if let Some((len, used)) = scalar::short_number(after) {
                    return self.begin(buf, type_byte, Some(len), text + used);
                }
            }
            _ => {}
        }
        self.read_line(buf, type_byte)
    }

    /// Reads a token at `pos` of any form, from its whole line.
    #[inline(never)]
    pub(super) fn read_line(&mut self, buf: &[u8], type_byte: u8) -> Result<bool, Error> {
        if memchr(type_byte, TYPES).is_none() {
            return Err(self.malformed(buf, "an unknown type byte"));
        }
        let start = self.pos + 1;
        let Some(end) = self.line_end(buf)? else { return Ok(false) };
        let text = buf.get(start..end).unwrap_or_default();
        let after = end + CRLF.len();
        let (kind, number) = match (type_byte, text) {
            (b'+', _) => (ValueKind::Simple, 0),
            (b'-', _) => (ValueKind::Error, 0),
            (b':', _) => match scalar::integer(text) {
                Some(number) => (ValueKind::Integer, number as u64),
                None => return Err(self.malformed(buf, "an integer beyond 64 bits or malformed")),
            },
            (b',', _) => match scalar::double(text) {
                Some(number) => (ValueKind::Double, number.to_bits()),
                None => return Err(self.malformed(buf, "a malformed double")),
            },
            (b'(', _) if scalar::is_big_number(text) => (ValueKind::BigNumber, 0),
            (b'#', b"t") => (ValueKind::Boolean, 1),
            (b'#', b"f") => (ValueKind::Boolean, 0),
            (b'_', b"") | (b'$' | b'*', b"-1") => (ValueKind::Null, 0),
            (b'$', b"?") => return self.begin_string(buf, after),
            (b'*' | b'%' | b'~', b"?") => return self.begin(buf, type_byte, None, after),
            (b'.', b"") => {
                let Some(root) = self.builder.end() else {
                    return Err(self.malformed(buf, "the end of an aggregate that cannot end"));
                };
                return Ok(self.advance(after, root));
            }
            (b'$' | b'!' | b'=' | b'*' | b'%' | b'~' | b'>' | b'|', _) => {
                let Some(len) = scalar::length(text) else {
                    return Err(self.malformed(buf, "a malformed length"));
                };
                return match type_byte {
                    b'$' => self.begin_body(buf, ValueKind::Bulk, len, after),
                    b'!' => self.begin_body(buf, ValueKind::BulkError, len, after),
                    b'=' => self.begin_body(buf, ValueKind::Verbatim, len, after),
                    _ => self.begin(buf, type_byte, Some(len), after),
                };
            }
            _ => return Err(self.malformed(buf, "a malformed value")),
        };
        self.leaf(buf, kind, start, end, number)
    }

    /// Begins a byte string of `len` bytes at `start`, and reads it if it is complete.
    #[inline(always)]
    pub(super) fn begin_body(
        &mut self,
        buf: &[u8],
        kind: ValueKind,
        len: u64,
        start: usize,
    ) -> Result<bool, Error> {
        let limit = self.limits.bulk as u64;
        if len > limit {
            return Err(self.malformed(buf, &format!("a string above {limit} bytes")));
        }
        if kind == ValueKind::Verbatim && len < VERBATIM_PREFIX as u64 {
            return Err(self.malformed(buf, "a verbatim string too short for its format"));
        }
        let end = start + len as usize;
        self.bound(buf, end + CRLF.len())?;
        self.read_body(buf, Body { kind, start, end })
    }

    /// Reads a byte string whose length is known, or keeps it in `self.body` until it is complete.
    #[inline(always)]
    pub(super) fn read_body(&mut self, buf: &[u8], body: Body) -> Result<bool, Error> {
        let Body { kind, start, end } = body;
        match buf.get(end..end + CRLF.len()) {
            Some(CRLF) => {}
            Some(other) => return Err(malformed(other, "a string longer than it said")),
            None => {
                self.body = Some(body);
                return Ok(false);
            }
        }
        if kind == ValueKind::Verbatim && buf.get(start + VERBATIM_PREFIX - 1) != Some(&b':') {
            return Err(self.malformed(buf, "a verbatim string without its format"));
        }
        if self.builder.in_string() {
            self.builder.chunk(node(kind, start, end, 0));
            return Ok(self.advance(end + CRLF.len(), false));
        }
        self.leaf(buf, kind, start, end, 0)
    }

    /// Opens an aggregate of `len` elements or pairs, or a streamed one if `len` is `None`. Its
    /// first child follows at `after`.
    fn begin(
        &mut self,
        buf: &[u8],
        type_byte: u8,
        len: Option<u64>,
        after: usize,
    ) -> Result<bool, Error> {
        let (kind, values) = match type_byte {
            b'%' | b'|' => (ValueKind::Map, 2),
            b'~' => (ValueKind::Set, 1),
            b'>' => (ValueKind::Push, 1),
            _ => (ValueKind::Array, 1),
        };
        if kind == ValueKind::Push && self.builder.depth() > 0 {
            return Err(self.malformed(buf, "a push inside another value"));
        }
        self.bound_depth(buf)?;
        let children = len.unwrap_or(0).saturating_mul(values);
        self.bound_children(buf, after, children)?;
        let role = match len {
            None => Role::Streamed,
            Some(_) if type_byte == b'|' => Role::Attribute,
            Some(_) => Role::Counted,
        };
        let root = self.builder.begin(kind, role, (children / values) as u32, children);
        Ok(self.advance(after, root))
    }

    /// Ends the token at `pos` with a value without children, whose text is followed by a CRLF.
    #[inline(always)]
    fn leaf(
        &mut self,
        buf: &[u8],
        kind: ValueKind,
        start: usize,
        end: usize,
        number: u64,
    ) -> Result<bool, Error> {
        let after = end + CRLF.len();
        self.bound(buf, after)?;
        let root = self.builder.leaf(node(kind, start, end, number));
        Ok(self.advance(after, root))
    }

    /// Moves on to the next token, at `after`. If `root` says that a top-level value has ended, the
    /// next one begins there as well.
    #[inline(always)]
    pub(super) fn advance(&mut self, after: usize, root: bool) -> bool {
        self.pos = after;
        if root {
            self.start = after;
        }
        true
    }
}

/// A node over the text from `start` to `end`. Both fit into a `u32`: a value starts within the
/// first 2 GiB of its buffer and is shorter than 2 GiB.
#[inline]
fn node(kind: ValueKind, start: usize, end: usize, num: u64) -> TapeNode {
    TapeNode { kind, len: (end - start) as u32, off: start as u32, num }
}

/// The end of every line and every byte string.
pub(super) const CRLF: &[u8] = b"\r\n";

/// Every type byte but `;`, which stands only between the chunks of a streamed string.
const TYPES: &[u8] = b"+-:,(#_$!=*%~>|.";

/// Bytes of the format at the front of a verbatim string, such as `txt:`.
const VERBATIM_PREFIX: usize = 4;
