//! The decoded form: a flat tape of nodes over the received bytes.
//!
//! Owns the node layout and the ways to walk it. Nodes stand in pre-order, the order of the wire:
//! a map stays in the order the server sent it, and duplicate keys stay visible. A node never
//! holds text, only where the text is. Nothing here panics, whatever index or node it is given.

use std::fmt;

use bytes::Bytes;

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
    /// `_`, `$-1` or `*-1`: no value. All three are taken in either protocol.
    Null,
    /// `*`: values in order.
    Array,
    /// `~`: values the server calls distinct; nothing here checks that they are.
    Set,
    /// `%`: pairs in the server's order.
    Map,
    /// `>`: a message outside the order of replies; only ever the root of a push.
    Push,
    /// `$?`: a byte string sent in chunks, each a [`ValueKind::Bulk`] child.
    Streamed,
}

/// One value of the tape.
#[derive(Clone, Copy, Debug)]
pub struct TapeNode {
    /// What the value is, and so what the other fields mean.
    pub kind: ValueKind,
    /// Length of a text in bytes; children of an array, set, push or streamed string; PAIRS of a
    /// map (twice as many children follow).
    pub len: u32,
    /// Where a text starts in [`Frames::bytes`]; for a node with children, the tape index one past
    /// its last descendant.
    pub off: u32,
    /// An integer's value (`as i64`), a double's bits ([`f64::from_bits`]), 1 or 0 of a boolean,
    /// the total bytes of a streamed string. Integers and doubles keep their text too.
    pub num: u64,
}

impl TapeNode {
    /// Whether children follow, that is whether `off` is a tape index.
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
    /// The bytes of exactly these values. Cheap to clone; a slice of it keeps all of it alive.
    pub bytes: Bytes,
    /// The values with their descendants, in wire order.
    pub tape: Vec<TapeNode>,
    /// The tape index of each reply, in the order the commands were sent.
    pub replies: Vec<u32>,
    /// The tape index of each RESP3 push, which answers no command.
    pub pushes: Vec<u32>,
}

impl Frames {
    /// Whether the first reply is an error.
    pub fn is_error(&self) -> bool {
        let first = self.replies.first().and_then(|root| self.tape.get(*root as usize));
        first.is_some_and(|node| matches!(node.kind, ValueKind::Error | ValueKind::BulkError))
    }

    /// The text of `node`: empty for a node without text, and for one that is not of this tape.
    pub fn text(&self, node: &TapeNode) -> &[u8] {
        let start = node.off as usize;
        match node.kind {
            ValueKind::Boolean | ValueKind::Null => &[],
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
}

impl Frames {
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
    /// Counts only: replies may hold secrets, and logs get copied.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("bytes", &self.bytes.len())
            .field("nodes", &self.tape.len())
            .field("replies", &self.replies.len())
            .field("pushes", &self.pushes.len())
            .finish()
    }
}
