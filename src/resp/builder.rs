//! The tape under construction.
//!
//! Owns the nodes of the current step, the stack of aggregates still open, and which roots are
//! replies and which pushes. Sees values, never bytes: the decoder says what came, in wire order,
//! and learns whether a top-level value has ended. The stack is a `Vec`; nothing recurses.

use std::mem;

use crate::resp::tape::{TapeNode, ValueKind};

/// Collects values into a tape.
#[derive(Default)]
pub struct Builder {
    tape: Vec<TapeNode>,
    replies: Vec<u32>,
    pushes: Vec<u32>,
    /// Tape index of the first node that belongs to no finished root.
    root: u32,
    /// Whether the root being built is a push.
    is_push: bool,
    open: Vec<Open>,
    /// The streamed string whose chunks are arriving.
    string: Option<u32>,
    /// Whether an attribute has ended and the value it belongs to has not begun.
    attributed: bool,
    /// Nodes and roots of the step before: the best guess for the next one.
    guess: (usize, usize),
}

/// What an open aggregate does when its children have come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Becomes a value of its parent; its children are counted down.
    Counted,
    /// Becomes a value of its parent at the end mark; its children are counted up.
    Streamed,
    /// Vanishes with all its children: attributes answer nobody.
    Attribute,
}

struct Open {
    node: u32,
    /// Children still to come, or those that came if streamed.
    children: u64,
    role: Role,
}

/// What a finished step hands over: tape, replies, pushes.
pub type Finished = (Vec<TapeNode>, Vec<u32>, Vec<u32>);

impl Builder {
    /// Makes room for what `unread` bytes most probably hold, and never for more than they can.
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

    /// A value without children has come; true if it ended a top-level value.
    #[inline(always)]
    pub fn leaf(&mut self, node: TapeNode) -> bool {
        self.attributed = false;
        self.tape.push(node);
        self.settle()
    }

    /// An aggregate of `len` elements (pairs of a map) and `children` values has begun; true if it
    /// is empty and ended a top-level value.
    pub fn begin(&mut self, kind: ValueKind, role: Role, len: u32, children: u64) -> bool {
        self.attributed = false;
        self.is_push |= kind == ValueKind::Push;
        self.open.push(Open { node: self.tape.len() as u32, children, role });
        self.tape.push(TapeNode { kind, len, off: 0, num: 0 });
        role != Role::Streamed && children == 0 && self.close() && self.settle()
    }

    /// The end mark of a streamed aggregate has come; `None` if it may not stand here, else whether
    /// it ended a top-level value.
    pub fn end(&mut self) -> Option<bool> {
        let open = self.open.last().filter(|open| open.role == Role::Streamed)?;
        let node = self.tape.get_mut(open.node as usize)?;
        if self.attributed || (node.kind == ValueKind::Map && open.children % 2 == 1) {
            return None;
        }
        node.len = (open.children >> u32::from(node.kind == ValueKind::Map)) as u32;
        Some(self.close() && self.settle())
    }

    /// A streamed string has begun: chunks come until [`Builder::end_string`].
    pub fn begin_string(&mut self) {
        self.attributed = false;
        self.string = Some(self.tape.len() as u32);
        self.tape.push(TapeNode { kind: ValueKind::Streamed, len: 0, off: 0, num: 0 });
    }

    /// One chunk of the streamed string has come.
    pub fn chunk(&mut self, node: TapeNode) {
        if let Some(string) = self.string.and_then(|index| self.tape.get_mut(index as usize)) {
            string.len += 1;
            string.num += u64::from(node.len);
        }
        self.tape.push(node);
    }

    /// The streamed string is complete; true if it ended a top-level value.
    pub fn end_string(&mut self) -> bool {
        let after = self.tape.len() as u32;
        if let Some(string) = self.string.take().and_then(|at| self.tape.get_mut(at as usize)) {
            string.off = after;
        }
        self.settle()
    }

    /// Hands over the finished roots, which took the first `bytes` bytes of the buffer; `None` if
    /// there are none. What is unfinished stays, now counted from there: it began in this step, so
    /// no node is ever moved twice.
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

    /// A value has ended: counts it in its parent, ends the parents it was the last child of; true
    /// if that ended a top-level value.
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
        self.is_push = false;
        self.root = self.tape.len() as u32;
        true
    }

    /// Ends the innermost aggregate; true if that made a value.
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

    /// Nodes there is room for.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.tape.capacity()
    }
}

/// Bytes of an ordinary short value on the wire (`:1` and its CRLF); a guess beyond one node per
/// that many bytes is too high.
const SHORT_VALUE: usize = 4;

/// Bytes that may be reserved beyond those received: one read of the reader's size.
const PREALLOCATION: usize = 64 << 10;
