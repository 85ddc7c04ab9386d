//! The names of fields that objects have in common.
//!
//! Owns what is remembered of them. Hashes of one kind have the same fields, so that the names of one
//! reply are those of the next. They are made once then, as strings by which V8 finds a field at once,
//! and only compared afterwards. A set of names is remembered when it comes for the second time, since
//! many hashes have names of their own (a field for each user). Bounded by [`MOST_SHAPES`] and
//! [`MOST_BYTES`].

use std::cell::RefCell;

use napi::sys;

use super::{Failure, Map, Mode, Values};
use crate::binding::reference::Reference;
use crate::resp::ValueKind;

/// The names that are remembered.
#[derive(Default)]
pub struct Shapes(RefCell<KnownNames>);

#[derive(Default)]
struct KnownNames {
    shapes: Vec<Shape>,
    /// Which one is replaced next, once there are as many as there may be.
    oldest: usize,
    /// Hashes of names that have come once.
    seen: [u64; SEEN],
    next_seen: usize,
    /// The names of the reply at hand. Kept for its memory.
    names: Vec<u8>,
}

/// The names of the fields of some objects.
struct Shape {
    hash: u64,
    /// Each name behind its length.
    names: Box<[u8]>,
    /// The JavaScript array of them.
    made: Reference,
}

impl Values<'_> {
    /// The JavaScript array of the names of the pairs at `index`, if those are remembered or are worth
    /// it.
    pub(super) fn names(
        &self,
        index: u32,
        pairs: u32,
        mode: Mode,
    ) -> Result<Option<sys::napi_value>, Failure> {
        let is_object = matches!(mode.map(), Map::Object) && !mode.has_buffers();
        if !is_object || !(FEWEST_FIELDS..=MOST_FIELDS).contains(&pairs) {
            return Ok(None);
        }
        let mut known = self.sinks.shapes.0.borrow_mut();
        let Some(hash) = known.read(self, index, pairs) else { return Ok(None) };
        if let Some(shape) = known.find(hash) {
            return Ok(Some(shape.made.get()?));
        }
        if !known.is_second(hash) {
            return Ok(None);
        }
        let names = known.names.clone().into_boxed_slice();
        // JavaScript is called now.
        drop(known);
        let mut made = Vec::with_capacity(pairs as usize);
        let mut at = index + 1;
        for _ in 0..pairs {
            made.push(self.build(at, mode)?);
            at = self.frames.next(self.frames.next(at));
        }
        let value = self.call(&self.sinks.learn, &made)?;
        let made = Reference::strong(self.env, value)?;
        self.sinks.shapes.0.borrow_mut().remember(Shape { hash, names, made });
        Ok(Some(value))
    }
}

impl KnownNames {
    /// Gathers the names of the pairs at `index`, and hashes them. `None` if one is no string, or if
    /// they are too long.
    fn read(&mut self, values: &Values, index: u32, pairs: u32) -> Option<u64> {
        self.names.clear();
        let mut at = index + 1;
        for _ in 0..pairs {
            let node = values.frames.tape.get(at as usize)?;
            if !matches!(node.kind, ValueKind::Bulk | ValueKind::Simple) {
                return None;
            }
            self.names.extend_from_slice(&node.len.to_le_bytes());
            self.names.extend_from_slice(values.frames.text(node));
            if self.names.len() > MOST_BYTES {
                return None;
            }
            at = values.frames.next(values.frames.next(at));
        }
        Some(hash(&self.names))
    }

    fn find(&self, hash: u64) -> Option<&Shape> {
        let is_same = |shape: &&Shape| shape.hash == hash && *shape.names == *self.names;
        self.shapes.iter().find(is_same)
    }

    /// Whether names with this hash have come before.
    fn is_second(&mut self, hash: u64) -> bool {
        let is_second = self.seen.contains(&hash);
        if !is_second {
            if let Some(place) = self.seen.get_mut(self.next_seen) {
                *place = hash;
            }
            self.next_seen = (self.next_seen + 1) % SEEN;
        }
        is_second
    }

    fn remember(&mut self, shape: Shape) {
        match self.shapes.get_mut(self.oldest) {
            Some(oldest) => *oldest = shape,
            None => self.shapes.push(shape),
        }
        self.oldest = (self.oldest + 1) % MOST_SHAPES;
    }
}

/// A quick hash of words. Names with the same hash are compared, so a collision costs time only.
fn hash(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(ODD);
    let mut hash = bytes.len() as u64;
    for word in words.by_ref() {
        hash = mix(hash, word.try_into().map_or(0, u64::from_le_bytes));
    }
    words.remainder().iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

/// Objects with fewer fields gain nothing.
const FEWEST_FIELDS: u32 = 4;
/// Objects with more fields are seldom alike, and have more names than one call can bring.
const MOST_FIELDS: u32 = 512;
/// Bytes of the names of one object, their lengths included: 512 names of 28 bytes.
const MOST_BYTES: usize = 16 << 10;
/// With the longest names, all take half a megabyte here and as much in JavaScript.
const MOST_SHAPES: usize = 32;
/// How many sets of names may come between the first and the second time.
const SEEN: usize = 32;
/// An odd number with bits in all places: 2^64 over the golden ratio (Knuth, volume 3, 6.4).
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
