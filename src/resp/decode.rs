//! The decoder: bytes in any portions to finished replies and pushes.
//!
//! Owns the position in the buffer, and what is known of the token there that is not complete yet
//! (how far its line was searched, or where its byte string ends). It never waits, never recurses,
//! never looks at a byte before that position again, and never reserves memory for an announced
//! size. The result depends on the bytes only, not on the portions in which they came.
//!
//! `inline(always)` stands on the functions that a complete string or integer passes through.
//! Compiled as one piece they take two thirds of the time (`benches/resp.rs`).
//!
//! ```text
//!  buf   | finished values | the unfinished one, its last token |
//!        0                 start                pos      scanned    len
//! ```

mod bounds;
mod streamed;
mod token;

use bytes::{Buf, Bytes, BytesMut};

use self::bounds::HEAVIEST;
use self::token::{Body, CRLF};
use crate::error::Error;
use crate::resp::builder::Builder;
use crate::resp::limits::Limits;
use crate::resp::tape::Frames;

/// Decodes one direction of one connection.
pub struct Decoder {
    limits: Limits,
    builder: Builder,
    /// Where the unfinished top-level value begins, its attributes included.
    start: usize,
    /// Where the next token begins; its first byte is a type byte.
    pos: usize,
    /// The line at `pos` has no end before this position. The line was not searched yet if this is
    /// at or below `pos`.
    scanned: usize,
    /// The byte string at `pos`, once its length is known.
    body: Option<Body>,
    /// Length of the buffer when the last step ended.
    left: usize,
    /// A top-level value of so many bytes is within the reply limit whatever its values are. 0 while
    /// a value is thrown away.
    light: usize,
    /// Bytes of the value that is thrown away which are not in the buffer any more.
    dropped: usize,
    /// Values that the last step has decoded.
    latest: usize,
    failed: Option<Error>,
    #[cfg(test)]
    examined: usize,
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
            light: reply / HEAVIEST,
            dropped: 0,
            latest: 0,
            failed: None,
            #[cfg(test)]
            examined: 0,
        }
    }

    /// Decodes the values that are complete at the front of `buf` and splits their bytes off.
    ///
    /// `None` when no value is complete. The unfinished tail stays in `buf`; the caller may only
    /// append to it. Call until `None`, because one step starts no value behind the first 2 GiB.
    ///
    /// # Errors
    ///
    /// [`ErrorClass::Protocol`](crate::error::ErrorClass::Protocol) when the bytes are not RESP or
    /// break a limit. The values before the offence are returned first. The next call, which needs
    /// no new bytes, returns the error, and so does every later one: nobody can tell where the next
    /// value would begin.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Frames>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.builder.reserve(buf.len().saturating_sub(self.pos));
        let before = self.builder.len();
        let outcome = self.scan(buf);
        self.latest = self.builder.len().saturating_sub(before);
        let frames = self.split(buf);
        if self.builder.is_excess() {
            self.drop_read(buf);
        }
        self.left = buf.len();
        if let Err(error) = outcome {
            self.failed = Some(error.clone());
            if frames.is_none() {
                return Err(error);
            }
        }
        Ok(frames)
    }

    /// Whether the last step left bytes of an unfinished value, so that an end of the stream now
    /// would cut a reply in two.
    pub fn is_mid_value(&self) -> bool {
        // Of a value that is thrown away, nothing may be left.
        self.left > 0 || self.builder.is_excess()
    }

    /// How many values the last step has decoded, those of an unfinished reply included.
    pub fn latest(&self) -> usize {
        self.latest
    }

    /// How many bytes the last step found missing before the next value can be complete; 0 when
    /// that is not known.
    ///
    /// The server has announced this number, so it may be wrong. The reader therefore never
    /// reserves more than the bytes received and 64 KiB.
    pub fn wanted(&self) -> usize {
        self.body.map_or(0, |body| (body.end + CRLF.len()).saturating_sub(self.left))
    }

    /// Reads all tokens that are complete.
    fn scan(&mut self, buf: &[u8]) -> Result<(), Error> {
        if let Some(body) = self.body.take() {
            if !self.read_body(buf, body)? {
                return Ok(());
            }
        }
        while let Some((&type_byte, after)) = buf.get(self.pos..).and_then(<[u8]>::split_first) {
            if self.pos == self.start && self.start > Limits::MAX_REPLY {
                return Ok(());
            }
            let done = if self.builder.in_string() {
                self.read_chunk(buf, type_byte)?
            } else if self.scanned <= self.pos {
                self.read_fresh(buf, type_byte, after)?
            } else {
                self.read_line(buf, type_byte)?
            };
            if !done {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Hands over the values that are complete. All positions count from the new front of `buf`
    /// then.
    fn split(&mut self, buf: &mut BytesMut) -> Option<Frames> {
        let taken = self.start.min(buf.len());
        let (tape, replies, pushes) = self.builder.take(taken)?;
        let bytes: Bytes = buf.split_to(taken).freeze();
        self.move_back(taken);
        Some(Frames { bytes, tape, replies, pushes, texts: Vec::new() })
    }

    /// Frees the bytes of the value that is thrown away, as far as it was read.
    fn drop_read(&mut self, buf: &mut BytesMut) {
        let read = self.pos.min(buf.len());
        match self.dropped {
            // The buffer has grown with the value. A small one takes its place.
            0 => *buf = BytesMut::from(buf.get(read..).unwrap_or_default()),
            _ => buf.advance(read),
        }
        self.dropped += read.saturating_sub(self.start);
        self.move_back(read);
    }

    /// The first `taken` bytes of the buffer are gone.
    fn move_back(&mut self, taken: usize) {
        self.start = 0;
        self.pos = self.pos.saturating_sub(taken);
        self.scanned = self.scanned.saturating_sub(taken);
        if let Some(body) = &mut self.body {
            body.start = body.start.saturating_sub(taken);
            body.end = body.end.saturating_sub(taken);
        }
    }
}

#[cfg(test)]
mod tests;
