//! What the decoder refuses: lines and values beyond the limits, and bytes that are not RESP.
//!
//! Owns the search for the end of a line, the checks against [`Limits`](crate::resp::Limits), and
//! the text of every protocol error.

use memchr::{memchr, memchr2};

use super::token::CRLF;
use super::Decoder;
use crate::error::Error;

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
    #[inline(always)]
    pub(super) fn bound(&self, buf: &[u8], end: usize) -> Result<(), Error> {
        if end - self.start <= self.limits.reply {
            return Ok(());
        }
        Err(self.malformed(buf, &format!("a reply above {} bytes", self.limits.reply)))
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

/// Bytes shown of a malformed token: enough for a protocol's name and status, too few for a value.
const EXCERPT: usize = 32;
