//! The tape under construction.
//!
//! Owns the nodes of the current step, the stack of aggregates that are open, and the lists of
//! replies and pushes. It sees values, never bytes: the decoder calls a method for each value, in
//! the order of the wire, and learns whether a top-level value has ended. The stack is a `Vec`, so
//! that nesting costs heap and nothing recurses.

use std::mem;

use crate::resp::tape::{TapeNode, ValueKind};

/// Collects values into a tape. A `root` is the node of a top-level value.
#[derive(Default)]
pub struct Builder {
    tape: Vec<TapeNode>,
    replies: Vec<u32>,
    pushes: Vec<u32>,
    /// Tape index of the first node that belongs to no finished root.
    root: u32,
    /// Whether the root being built is a push.
    is_push: bool,
    open: Vec<OpenAggregate>,
    /// The streamed string whose chunks are arriving.
    string: Option<u32>,
    /// Whether an attribute has ended and the value it belongs to has not begun.
    attributed: bool,
    /// Whether the root being built has too many values, so that a node [`ValueKind::Excess`]
    /// stands for it.
    excess: bool,
    /// Nodes and replies of the step before: the best guess for the next one.
    guess: (usize, usize),
}

/// What becomes of an aggregate once all of its children have come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It becomes a value of its parent. Its length is known, so its children are counted down.
    Counted,
    /// It becomes a value of its parent at its end token (`.`). Its children are counted up.
    Streamed,
    /// It is removed with all of its children, since attributes answer no command.
    Attribute,
}

/// An aggregate whose children are arriving.
struct OpenAggregate {
    /// Its index on the tape.
    node: u32,
    kind: ValueKind,
    /// Children that are still to come; of a streamed aggregate, those that have come.
    children: u64,
    role: Role,
}

/// What a finished step hands over: the tape, and the indices of replies and of pushes.
pub type Finished = (Vec<TapeNode>, Vec<u32>, Vec<u32>);

impl Builder {
    /// Makes room for as many nodes as the step before had, but never for more than `unread` bytes
    /// can hold.
    pub fn reserve(&mut self, unread: usize) {
        let fit = unread / SHORT_VALUE;
        let allowed = (unread + PREALLOCATION) / mem::size_of::<TapeNode>();
        self.tape.reserve(self.guess.0.min(fit).min(allowed));
        self.replies.reserve(self.guess.1.min(fit));
    }

    /// How many aggregates are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// How many nodes the tape has.
    pub fn len(&self) -> usize {
        self.tape.len()
    }

    /// How many nodes the unfinished root has.
    pub fn unfinished(&self) -> usize {
        self.tape.len().saturating_sub(self.root as usize)
    }

    /// Whether the unfinished root is thrown away.
    #[inline]
    pub fn is_excess(&self) -> bool {
        self.excess
    }

    /// Throws away what has come of the unfinished root, and marks it as excess. Its further values
    /// are still to be passed, so that its end is found. Call this again before each of them, so
    /// that they do not pile up.
    #[cold]
    pub fn shed(&mut self) {
        let string = self.string.map(|_| self.string_len());
        self.tape.truncate(self.root as usize);
        let (kind, num) = (ValueKind::Excess, string.unwrap_or_default());
        if !mem::replace(&mut self.excess, true) {
            self.tape.shrink_to_fit();
        }
        self.tape.push(TapeNode { kind, len: 0, off: 0, num });
        self.string = string.map(|_| self.root);
    }

    /// Whether the chunks of a streamed string are arriving.
    #[inline]
    pub fn in_string(&self) -> bool {
        self.string.is_some()
    }

    /// How many bytes of the streamed string have come.
    pub fn string_len(&self) -> u64 {
        let node = self.string.and_then(|index| self.tape.get(index as usize));
        node.map_or(0, |node| node.num)
    }

    /// Adds a value without children; true if it ended a top-level value.
    #[inline(always)]
    pub fn leaf(&mut self, node: TapeNode) -> bool {
        self.attributed = false;
        self.tape.push(node);
        self.settle()
    }

    /// Opens an aggregate of `len` elements (of a map: pairs) and `children` values; true if it is
    /// empty and ended a top-level value.
    pub fn begin(&mut self, kind: ValueKind, role: Role, len: u32, children: u64) -> bool {
        self.attributed = false;
        self.is_push |= kind == ValueKind::Push;
        self.open.push(OpenAggregate { node: self.tape.len() as u32, kind, children, role });
        self.tape.push(TapeNode { kind, len, off: 0, num: 0 });
        role != Role::Streamed && children == 0 && self.close() && self.settle()
    }

    /// Closes a streamed aggregate at its end token. `None` if that token may not stand here, else
    /// whether it ended a top-level value.
    pub fn end(&mut self) -> Option<bool> {
        let open = self.open.last().filter(|open| open.role == Role::Streamed)?;
        if self.attributed || (open.kind == ValueKind::Map && open.children % 2 == 1) {
            return None;
        }
        // Of a reply that is not kept, the node may be gone.
        if let Some(node) = self.tape.get_mut(open.node as usize) {
            node.len = (open.children >> u32::from(open.kind == ValueKind::Map)) as u32;
        }
        Some(self.close() && self.settle())
    }

    /// Opens a streamed string. Chunks come until [`Builder::end_string`].
    pub fn begin_string(&mut self) {
        self.attributed = false;
        self.string = Some(self.tape.len() as u32);
        self.tape.push(TapeNode { kind: ValueKind::Streamed, len: 0, off: 0, num: 0 });
    }

    /// Adds one chunk of the streamed string.
    pub fn chunk(&mut self, node: TapeNode) {
        if let Some(string) = self.string.and_then(|index| self.tape.get_mut(index as usize)) {
            string.len += 1;
            string.num += u64::from(node.len);
        }
        self.tape.push(node);
    }

    /// Closes the streamed string; true if it ended a top-level value.
    pub fn end_string(&mut self) -> bool {
        let after = self.tape.len() as u32;
        if let Some(string) = self.string.take().and_then(|at| self.tape.get_mut(at as usize)) {
            string.off = after;
        }
        self.settle()
    }

    /// Hands over the finished roots, which took the first `bytes` bytes of the buffer; `None` if
    /// there are none. Unfinished nodes stay, and count from the new front of the buffer. Each of
    /// them was added in this step, so no node is moved twice.
    pub fn take(&mut self, bytes: usize) -> Option<Finished> {
        let nodes = mem::take(&mut self.root);
        if nodes == 0 {
            return None;
        }
        let rest = self.tape.split_off((nodes as usize).min(self.tape.len()));
        let tape = mem::replace(&mut self.tape, rest);
        for node in &mut self.tape {
            let before = if node.is_parent() { nodes } else { bytes as u32 };
            node.off = node.off.saturating_sub(before);
        }
        for open in &mut self.open {
            open.node -= nodes;
        }
        if let Some(string) = &mut self.string {
            *string -= nodes;
        }
        self.guess = (tape.len(), self.replies.len());
        Some((tape, mem::take(&mut self.replies), mem::take(&mut self.pushes)))
    }

    /// Counts a value that has ended in its parent, and closes the parents whose last child it was;
    /// true if that ended a top-level value.
    #[inline(always)]
    fn settle(&mut self) -> bool {
        while let Some(parent) = self.open.last_mut() {
            if parent.role == Role::Streamed {
                parent.children += 1;
                return false;
            }
            parent.children -= 1;
            if parent.children > 0 || !self.close() {
                return false;
            }
        }
        let roots = if self.is_push { &mut self.pushes } else { &mut self.replies };
        roots.push(self.root);
        if mem::take(&mut self.excess) {
            self.tape.truncate(self.root as usize + 1);
        }
        self.is_push = false;
        self.root = self.tape.len() as u32;
        true
    }

    /// Closes the innermost aggregate; true if it became a value, false for an attribute.
    fn close(&mut self) -> bool {
        let Some(open) = self.open.pop() else { return false };
        if open.role == Role::Attribute {
            self.tape.truncate(open.node as usize);
            self.attributed = true;
            return false;
        }
        let after = self.tape.len() as u32;
        if let Some(node) = self.tape.get_mut(open.node as usize) {
            node.off = after;
        }
        true
    }

    /// The number of nodes that the tape has room for.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.tape.capacity()
    }
}

/// Bytes of an ordinary short value on the wire (`:1` and its CRLF). A guess above one node for
/// each four bytes is too high.
const SHORT_VALUE: usize = 4;

/// Bytes of tape that may be reserved beyond the bytes received: 64 KiB, as the reader allows
/// itself for its buffer (`connection::reader`).
const PREALLOCATION: usize = 64 << 10;
