//! The decoder: bytes in any portions to finished replies and pushes.
//!
//! Owns the position in the buffer and the half-read token there (a line searched up to some
//! byte, a byte string whose end is known). Never waits, never reads a byte before that position
//! again, never recurses, never reserves by an announced size. What it decides depends on the
//! bytes alone, not on how they were portioned. `inline(always)` marks the way of a complete string
//! or integer: as one piece it takes two thirds of the time (`benches/resp.rs`).
//!
//! ```text
//!  buf   | finished values | the unfinished one, its last token |
//!        0                 start                pos      scanned    len
//! ```

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

use crate::error::Error;
use crate::resp::builder::{Builder, Role};
use crate::resp::limits::Limits;
use crate::resp::scalar;
use crate::resp::tape::{Frames, TapeNode, ValueKind};

/// Decodes one direction of one connection.
pub struct Decoder {
    limits: Limits,
    builder: Builder,
    /// Where the unfinished top-level value begins, its attributes included.
    start: usize,
    /// Where the next token begins; its first byte is a type byte.
    pos: usize,
    /// The line at `pos` has no end before here. At or below `pos`: not searched yet.
    scanned: usize,
    /// The byte string at `pos`, once its length is known.
    body: Option<Body>,
    /// Length of the buffer when the last step ended.
    left: usize,
    failed: Option<Error>,
    #[cfg(test)]
    examined: usize,
}

/// A byte string whose length is known: where its text begins and ends.
#[derive(Clone, Copy)]
struct Body {
    kind: ValueKind,
    start: usize,
    end: usize,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        let reply = limits.reply.min(Limits::MAX_REPLY);
        Self {
            limits: Limits {
                reply,
                bulk: limits.bulk.min(reply),
                line: limits.line.min(reply),
                ..limits
            },
            builder: Builder::default(),
            start: 0,
            pos: 0,
            scanned: 0,
            body: None,
            left: 0,
            failed: None,
            #[cfg(test)]
            examined: 0,
        }
    }

    /// Decodes the values that are complete at the front of `buf` and splits their bytes off.
    ///
    /// The caller only ever appends to `buf`: what stays in it is the unfinished tail, which is
    /// not read again. `None` when no value is complete. Call until `None`: one step starts no
    /// value behind the first 2 GiB.
    ///
    /// # Errors
    ///
    /// [`ErrorClass::Protocol`](crate::error::ErrorClass::Protocol) when the bytes are not RESP or break a
    /// limit. The values before them are returned first; the error comes from the next call, which
    /// needs no new bytes, and from every later one: the stream has no way to go on.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Frames>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.builder.reserve(buf.len().saturating_sub(self.pos));
        let outcome = self.scan(buf);
        let frames = self.split(buf);
        self.left = buf.len();
        if let Err(error) = outcome {
            self.failed = Some(error.clone());
            if frames.is_none() {
                return Err(error);
            }
        }
        Ok(frames)
    }

    /// Whether bytes of an unfinished value have come, so that an end of the stream now would cut
    /// a reply in two. As of the last step.
    pub fn is_mid_value(&self) -> bool {
        self.left > 0
    }

    /// How many more bytes are known to be needed before the next value can be complete; 0 when
    /// that is not known. As of the last step.
    ///
    /// An announced size: the reader caps what it reserves for it (bytes received + 64 KiB).
    pub fn wanted(&self) -> usize {
        self.body.map_or(0, |body| (body.end + CRLF.len()).saturating_sub(self.left))
    }

    fn scan(&mut self, buf: &[u8]) -> Result<(), Error> {
        if let Some(body) = self.body.take() {
            if !self.read_body(buf, body)? {
                return Ok(());
            }
        }
        while let Some((&mark, after)) = buf.get(self.pos..).and_then(<[u8]>::split_first) {
            if self.pos == self.start && self.start > Limits::MAX_REPLY {
                return Ok(());
            }
            let done = if self.builder.in_string() {
                self.read_chunk(buf, mark)?
            } else if self.scanned <= self.pos {
                self.read_fresh(buf, mark, after)?
            } else {
                self.read_line(buf, mark)?
            };
            if !done {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the token at `pos`, seen for the first time: almost all are complete, and one of a
    /// few forms. False if it is not complete, as with all `read_*`.
    #[inline]
    fn read_fresh(&mut self, buf: &[u8], mark: u8, after: &[u8]) -> Result<bool, Error> {
        self.examine(scalar::SHORT.min(after.len()));
        let text = self.pos + 1;
        match mark {
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
                    return self.begin(buf, mark, Some(len), text + used);
                }
            }
            _ => {}
        }
        self.read_line(buf, mark)
    }

    /// Reads the token at `pos` from its whole line: the way for every form.
    #[inline(never)]
    fn read_line(&mut self, buf: &[u8], mark: u8) -> Result<bool, Error> {
        if memchr(mark, TYPES).is_none() {
            return Err(self.malformed(buf, "an unknown type byte"));
        }
        let start = self.pos + 1;
        let Some(end) = self.line_end(buf)? else { return Ok(false) };
        let text = buf.get(start..end).unwrap_or_default();
        let after = end + CRLF.len();
        let (kind, number) = match (mark, text) {
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
            (b'*' | b'%' | b'~', b"?") => return self.begin(buf, mark, None, after),
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
                return match mark {
                    b'$' => self.begin_body(buf, ValueKind::Bulk, len, after),
                    b'!' => self.begin_body(buf, ValueKind::BulkError, len, after),
                    b'=' => self.begin_body(buf, ValueKind::Verbatim, len, after),
                    _ => self.begin(buf, mark, Some(len), after),
                };
            }
            _ => return Err(self.malformed(buf, "a malformed value")),
        };
        self.leaf(buf, kind, start, end, number)
    }

    /// Where the text of the line at `pos` ends. Searches every byte once.
    fn line_end(&mut self, buf: &[u8]) -> Result<Option<usize>, Error> {
        let text = self.pos + 1;
        let from = self.scanned.max(text);
        let unseen = buf.get(from..).unwrap_or_default();
        let found = memchr2(b'\r', b'\n', unseen);
        self.examine(found.map_or(unseen.len(), |at| at + CRLF.len()));
        let end = found.map_or(buf.len(), |at| from + at);
        if end.saturating_sub(text) > self.limits.line {
            return Err(self.malformed(buf, &format!("a line above {} bytes", self.limits.line)));
        }
        self.scanned = end;
        match buf.get(end..) {
            Some([b'\r', b'\n', ..]) => Ok(Some(end)),
            Some([] | [b'\r']) | None => Ok(None),
            _ => Err(self.malformed(buf, "a line that does not end in CR LF")),
        }
    }

    /// A byte string of `len` bytes begins at `start`.
    #[inline(always)]
    fn begin_body(
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

    #[inline(always)]
    fn read_body(&mut self, buf: &[u8], body: Body) -> Result<bool, Error> {
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

    /// A streamed string begins; its first chunk follows at `after`.
    fn begin_string(&mut self, buf: &[u8], after: usize) -> Result<bool, Error> {
        self.bound(buf, after)?;
        self.bound_depth(buf)?;
        self.builder.begin_string();
        Ok(self.advance(after, false))
    }

    /// Reads the chunk of a streamed string at `pos`, or the empty one that ends it.
    fn read_chunk(&mut self, buf: &[u8], mark: u8) -> Result<bool, Error> {
        if mark != b';' {
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

    /// An aggregate begins: of `len` elements or pairs, or a streamed one. Its first child follows
    /// at `after`.
    fn begin(
        &mut self,
        buf: &[u8],
        mark: u8,
        len: Option<u64>,
        after: usize,
    ) -> Result<bool, Error> {
        let (kind, values) = match mark {
            b'%' | b'|' => (ValueKind::Map, 2),
            b'~' => (ValueKind::Set, 1),
            b'>' => (ValueKind::Push, 1),
            _ => (ValueKind::Array, 1),
        };
        if kind == ValueKind::Push && self.builder.depth() > 0 {
            return Err(self.malformed(buf, "a push inside another value"));
        }
        self.bound(buf, after)?;
        self.bound_depth(buf)?;
        let children = len.unwrap_or(0).saturating_mul(values);
        if children > (self.limits.reply / SHORTEST_VALUE) as u64 {
            return Err(self.malformed(buf, "more elements than the reply limit has room for"));
        }
        let role = match len {
            None => Role::Streamed,
            Some(_) if mark == b'|' => Role::Attribute,
            Some(_) => Role::Counted,
        };
        let root = self.builder.begin(kind, role, (children / values) as u32, children);
        Ok(self.advance(after, root))
    }

    /// A value without children, with its text and CRLF, ends the token at `pos`.
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

    /// The next token begins at `after`; if a `root` has ended, so does the next top-level value.
    #[inline(always)]
    fn advance(&mut self, after: usize, root: bool) -> bool {
        self.pos = after;
        if root {
            self.start = after;
        }
        true
    }

    /// Hands over what is complete, and counts everything else from the new front of `buf`.
    fn split(&mut self, buf: &mut BytesMut) -> Option<Frames> {
        let taken = self.start.min(buf.len());
        let (tape, replies, pushes) = self.builder.take(taken)?;
        let bytes: Bytes = buf.split_to(taken).freeze();
        self.start = 0;
        self.pos = self.pos.saturating_sub(taken);
        self.scanned = self.scanned.saturating_sub(taken);
        if let Some(body) = &mut self.body {
            body.start = body.start.saturating_sub(taken);
            body.end = body.end.saturating_sub(taken);
        }
        Some(Frames { bytes, tape, replies, pushes })
    }

    /// Fails if the top-level value reaches to `end` and that is too far.
    #[inline(always)]
    fn bound(&self, buf: &[u8], end: usize) -> Result<(), Error> {
        if end - self.start <= self.limits.reply {
            return Ok(());
        }
        Err(self.malformed(buf, &format!("a reply above {} bytes", self.limits.reply)))
    }

    fn bound_depth(&self, buf: &[u8]) -> Result<(), Error> {
        if self.builder.depth() < self.limits.depth {
            return Ok(());
        }
        Err(self.malformed(buf, &format!("values nested deeper than {}", self.limits.depth)))
    }

    /// The error for the token at `pos`.
    #[cold]
    fn malformed(&self, buf: &[u8], what: &str) -> Error {
        malformed(buf.get(self.pos..).unwrap_or_default(), what)
    }

    /// Counts bytes looked at, for the tests that prove the work linear.
    #[inline]
    fn examine(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.examined += _bytes;
        }
    }
}

/// A node over the text from `start` to `end`. Both fit: a value starts below 2 GiB of its buffer
/// and is shorter than that.
#[inline]
fn node(kind: ValueKind, start: usize, end: usize, num: u64) -> TapeNode {
    TapeNode { kind, len: (end - start) as u32, off: start as u32, num }
}

/// The protocol error for `text`: shows the rest of its line, so that a peer which speaks another
/// protocol can be recognised, but not the data behind it.
#[cold]
fn malformed(text: &[u8], what: &str) -> Error {
    let line = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    let shown = text.get(..line.min(EXCERPT)).unwrap_or_default();
    Error::protocol(format!("the server sent {what}: \"{}\"", shown.escape_ascii()))
}

/// The end of every line and every byte string.
const CRLF: &[u8] = b"\r\n";

/// Every type byte but `;`, which stands only among the chunks of a string.
const TYPES: &[u8] = b"+-:,(#_$!=*%~>|.";

/// Bytes of `txt:`.
const VERBATIM_PREFIX: usize = 4;

/// Bytes of the shortest value, `_` and its CRLF: an aggregate that announces more children than
/// the reply limit holds of these can never be completed.
const SHORTEST_VALUE: usize = 3;

/// Bytes shown of a malformed token: enough for a protocol's name and status, too few for a value.
const EXCERPT: usize = 32;

#[cfg(test)]
mod tests;
