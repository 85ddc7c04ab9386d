//! Decoded replies: a flat tape of nodes over the received bytes.
//!
//! Owns the layout of a node and the ways to walk the tape. Nodes stand in pre-order, which is the
//! order of the wire, so a map keeps the server's order and its duplicate keys. A node says where
//! its text is, and never holds it. Nothing here panics, whatever index or node it is given.

use std::{fmt, mem};

use bytes::Bytes;

use super::text::Text;

/// What a [`TapeNode`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ValueKind {
    /// `+`: a short text without line breaks.
    Simple,
    /// `-`: an error reply.
    Error,
    /// `!`: an error reply that may hold any byte; means the same as [`ValueKind::Error`].
    BulkError,
    /// `:`: a signed 64-bit integer.
    Integer,
    /// `$`: a byte string.
    Bulk,
    /// `=`: a byte string that names its format; the text starts with `txt:`, `mkd:` or alike.
    Verbatim,
    /// `(`: an integer of any size, kept as its digits.
    BigNumber,
    /// `,`: a double.
    Double,
    /// `#`: true or false.
    Boolean,
    /// `_`, `$-1` or `*-1`: no value. All three are understood in either protocol.
    Null,
    /// `*`: values in order.
    Array,
    /// `~`: values that the server calls distinct; nothing here checks that they are.
    Set,
    /// `%`: pairs in the server's order.
    Map,
    /// `>`: a message outside of the order of replies. It never stands inside of another value.
    Push,
    /// `$?`: a byte string sent in chunks, each a [`ValueKind::Bulk`] child.
    Streamed,
    /// A reply of too many values to be kept (see [`Limits::reply`](crate::resp::Limits)). It was
    /// read to its end and thrown away.
    Excess,
}

/// One value of the tape.
#[derive(Clone, Copy, Debug)]
pub struct TapeNode {
    /// What the value is, and so what the other fields mean.
    pub kind: ValueKind,
    /// The length of a text in bytes; the number of children of an array, set, push or streamed
    /// string; the number of pairs of a map, which has twice as many children.
    pub len: u32,
    /// Where a text starts in [`Frames::bytes`]; of a node with children, the tape index after its
    /// last descendant.
    pub off: u32,
    /// An integer's value (`as i64`), a double's bits ([`f64::from_bits`]), 1 or 0 for a boolean,
    /// or the total bytes of a streamed string. Integers and doubles have a text too.
    pub num: u64,
}

impl TapeNode {
    /// Whether the node may have children, and `off` is therefore a tape index.
    pub fn is_parent(&self) -> bool {
        matches!(
            self.kind,
            ValueKind::Array
                | ValueKind::Set
                | ValueKind::Map
                | ValueKind::Push
                | ValueKind::Streamed
        )
    }
}

/// All values that one decode step completed, and the bytes they came in.
#[derive(Clone, Default)]
pub struct Frames {
    /// The bytes of exactly these values. A clone is cheap; a slice keeps all of the bytes alive.
    pub bytes: Bytes,
    /// The values with their descendants, in wire order.
    pub tape: Vec<TapeNode>,
    /// The tape index of each reply, in the order the commands were sent.
    pub replies: Vec<u32>,
    /// The tape index of each RESP3 push, which answers no command.
    pub pushes: Vec<u32>,
    /// Large texts that were decoded ahead ([`Frames::decode_text`]), by their tape indices.
    pub texts: Vec<(u32, Text)>,
}

impl Frames {
    /// The memory that these values take: their bytes, the tape over them, and decoded texts.
    pub fn size(&self) -> usize {
        let texts: usize = self.texts.iter().map(|(_, text)| text.size()).sum();
        self.bytes.len() + mem::size_of_val(self.tape.as_slice()) + texts
    }

    /// Decodes the text of the node at `index`, so that whoever takes the reply need not. To be
    /// called with rising indices.
    pub fn decode_text(&mut self, index: u32) {
        if let Some(node) = self.tape.get(index as usize) {
            let text = Text::decode(self.text(node));
            self.texts.push((index, text));
        }
    }

    /// The text of the node at `index`, if it was decoded ahead.
    pub fn decoded(&self, index: u32) -> Option<&Text> {
        let at = self.texts.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.texts.get(at).map(|(_, text)| text)
    }

    /// Whether the first reply is an error.
    pub fn is_error(&self) -> bool {
        let first = self.replies.first().and_then(|root| self.tape.get(*root as usize));
        first.is_some_and(|node| matches!(node.kind, ValueKind::Error | ValueKind::BulkError))
    }

    /// The text of `node`; empty for a node without text, and for a node of another tape whose text
    /// would lie outside of these bytes.
    pub fn text(&self, node: &TapeNode) -> &[u8] {
        let start = node.off as usize;
        match node.kind {
            ValueKind::Boolean | ValueKind::Null | ValueKind::Excess => &[],
            _ if node.is_parent() => &[],
            _ => self.bytes.get(start..start.saturating_add(node.len as usize)).unwrap_or_default(),
        }
    }

    /// The tape index after the value at `index` and everything in it.
    pub fn next(&self, index: u32) -> u32 {
        let after = index.saturating_add(1);
        match self.tape.get(index as usize) {
            Some(node) if node.is_parent() => node.off.max(after),
            _ => after,
        }
    }

    /// The tape indices of the values directly inside of the one at `index`.
    pub fn children(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        let parent = self.tape.get(index as usize).filter(|node| node.is_parent());
        let end = parent.map_or(0, |node| node.off.min(self.tape.len() as u32));
        let first = index.saturating_add(1);
        let child = move |at: u32| (at < end).then_some(at);
        std::iter::successors(child(first), move |at| child(self.next(*at)))
    }
}

impl fmt::Debug for Frames {
    /// Shows counts only, because replies may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("bytes", &self.bytes.len())
            .field("nodes", &self.tape.len())
            .field("replies", &self.replies.len())
            .field("pushes", &self.pushes.len())
            .finish()
    }
}
