//! What the decoder refuses: lines and values beyond the limits, and bytes that are not RESP.
//!
//! Owns the search for the end of a line, the checks against [`Limits`](crate::resp::Limits), and
//! the text of every protocol error.

use memchr::{memchr, memchr2};

use super::token::CRLF;
use super::Decoder;
use crate::error::Error;
use crate::resp::Limits;

impl Decoder {
    /// Where the text of the line at `pos` ends; `None` if its end has not come. Searches every
    /// byte once.
    pub(super) fn line_end(&mut self, buf: &[u8]) -> Result<Option<usize>, Error> {
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

    /// Fails if the top-level value, which reaches at least to `end`, is above the reply limit.
    /// Stops keeping it if it is above that limit together with its tape.
    #[inline(always)]
    pub(super) fn bound(&mut self, buf: &[u8], end: usize) -> Result<(), Error> {
        if end - self.start <= self.light {
            return Ok(());
        }
        self.weigh(buf, end, 0)
    }

    /// As [`Decoder::bound`], for an aggregate that announces so many `children`.
    pub(super) fn bound_children(
        &mut self,
        buf: &[u8],
        end: usize,
        children: u64,
    ) -> Result<(), Error> {
        if children > (self.limits.reply / SHORTEST_VALUE) as u64 {
            return Err(self.malformed(buf, "more elements than the reply limit has room for"));
        }
        let children = children as usize;
        if end - self.start + children * SHORTEST_VALUE <= self.light {
            return Ok(());
        }
        self.weigh(buf, end, children)
    }

    /// Compares the top-level value, which reaches at least to `end` and has at least `children` more
    /// values, with the reply limit.
    #[cold]
    fn weigh(&mut self, buf: &[u8], end: usize, children: usize) -> Result<(), Error> {
        let limit = self.limits.reply;
        if !self.builder.is_excess() {
            self.dropped = 0;
            self.light = limit / HEAVIEST;
        }
        let wire = self.dropped + (end - self.start);
        if wire > limit {
            return Err(self.malformed(buf, &format!("a reply above {limit} bytes")));
        }
        let values = self.builder.unfinished() + 1 + children;
        let size = wire + children * SHORTEST_VALUE + values.saturating_mul(Limits::NODE);
        if self.builder.is_excess() || size > limit {
            self.builder.shed();
            // Every value that follows has to be thrown away too, so none is light.
            self.light = 0;
        }
        Ok(())
    }

    /// Fails if no further aggregate may be opened inside of those that are open.
    pub(super) fn bound_depth(&self, buf: &[u8]) -> Result<(), Error> {
        if self.builder.depth() < self.limits.depth {
            return Ok(());
        }
        Err(self.malformed(buf, &format!("values nested deeper than {}", self.limits.depth)))
    }

    /// The error for the token at `pos`.
    #[cold]
    pub(super) fn malformed(&self, buf: &[u8], what: &str) -> Error {
        malformed(buf.get(self.pos..).unwrap_or_default(), what)
    }

    /// Counts the bytes that were looked at, for the tests that prove the work linear.
    #[inline]
    pub(super) fn examine(&mut self, _bytes: usize) {
        #[cfg(test)]
        {
            self.examined += _bytes;
        }
    }
}

/// The protocol error for `text`. It shows the rest of the line, so that a peer that speaks another
/// protocol can be recognised, but none of the data behind that line.
#[cold]
pub(super) fn malformed(text: &[u8], what: &str) -> Error {
    let line = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
    let shown = text.get(..line.min(EXCERPT)).unwrap_or_default();
    Error::protocol(format!("the server sent {what}: \"{}\"", shown.escape_ascii()))
}

/// How much more than its bytes on the wire a value may take in memory, if all of it are the
/// shortest values.
pub(super) const HEAVIEST: usize = 1 + Limits::NODE / SHORTEST_VALUE;

/// Bytes of the shortest value, `_` and its CRLF. An aggregate that announces more children than
/// the reply limit has room for at this size can never be completed.
const SHORTEST_VALUE: usize = 3;

/// Bytes shown of a malformed token: enough for a protocol's name and status, too few for a value.
const EXCERPT: usize = 32;
