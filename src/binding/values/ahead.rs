//! What is done for replies on the thread that has read them, before the event loop gets them.
//!
//! Owns which texts are decoded ahead: large ones, since the event loop would stand still meanwhile.

use crate::binding::mode::Mode;
use crate::outbox::Whose;
use crate::resp::{Frames, TapeNode, ValueKind};

/// Decodes the large texts of those replies that become strings.
pub fn decode_ahead(frames: &mut Frames, whose: &[Whose]) {
    // Asked of all values first, since most reads bring many small replies.
    let is_large = |node: &TapeNode| node.kind == ValueKind::Bulk && node.len as usize >= AHEAD;
    if frames.bytes.len() < AHEAD || !frames.tape.iter().any(is_large) {
        return;
    }
    let mut texts = Vec::new();
    for (root, whose) in frames.replies.iter().zip(whose) {
        if !whose.is_whole() || Mode::new(whose.mode).bulk_buffer() {
            continue;
        }
        let values = *root..frames.next(*root);
        texts.extend(values.filter(|index| frames.tape.get(*index as usize).is_some_and(is_large)));
    }
    for index in texts {
        frames.decode_text(index);
    }
}

/// From this size on a text is decoded ahead. V8 takes 5 ns for a byte that is not ASCII, so this much
/// holds up the event loop for 0.15 ms. In smaller reads no text is looked for, since that would cost
/// the many small replies of a busy connection time.
pub(super) const AHEAD: usize = 32 << 10;
