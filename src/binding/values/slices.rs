//! Builds a large reply in slices, over several turns of the event loop.
//!
//! Owns how far the reply is built. What is built of it stands in JavaScript, as a stack of arrays and
//! objects that are not complete yet (`lib/boundary/slices.js`), since no handle outlives a turn.
//! Aggregates within the reply are built as a whole, unless they are large themselves.

use super::{Built, Failure, Map, Mode, Values, ARGUMENTS};
use crate::resp::{TapeNode, ValueKind};

/// How much may still be built before the event loop goes on.
#[derive(Debug, Clone, Copy)]
pub struct Portion {
    values: usize,
}

/// A reply that is not complete yet.
#[derive(Default)]
pub struct HalfBuilt {
    /// The aggregates that are being filled, the innermost last.
    levels: Vec<Level>,
}

/// An aggregate that is being filled.
struct Level {
    /// The tape index of its next child.
    next: u32,
    /// Children that are still to come.
    left: u32,
    mode: Mode,
    /// Whether the elements of children are put in their place.
    is_flat: bool,
}

/// What an aggregate becomes. `lib/boundary/slices.js` has the same numbers.
#[derive(Debug, Clone, Copy)]
enum Container {
    List = 0,
    Object = 1,
    Map = 2,
    Set = 3,
}

impl Portion {
    /// What is built in one turn.
    pub const TURN: Self = Self { values: 16 << 10 };
    /// Enough for everything.
    pub const ALL: Self = Self { values: usize::MAX };

    /// So many values are built.
    pub fn spend(&mut self, values: usize) {
        self.values = self.values.saturating_sub(values);
    }

    /// Strings of so many bytes are built.
    pub fn spend_bytes(&mut self, bytes: usize) {
        self.spend(bytes / BYTES_OF_VALUE);
    }

    /// Whether the event loop should go on.
    pub fn is_spent(&self) -> bool {
        self.values == 0
    }
}

impl HalfBuilt {
    /// Whether the reply at `root` is to be built in slices: it has more values than one turn should
    /// build.
    pub fn is_for(values: &Values, root: u32, mode: Mode) -> bool {
        let is_large = values.count(root) > Portion::TURN.values;
        let node = values.frames.tape.get(root as usize).filter(|_| is_large);
        node.is_some_and(|node| Container::of(node, mode).is_some())
    }

    /// Builds on at the reply at `root` until `portion` is spent; true if it is complete then.
    pub fn go_on(
        &mut self,
        values: &Values,
        root: u32,
        mode: Mode,
        portion: &mut Portion,
    ) -> Result<bool, Failure> {
        if self.levels.is_empty() {
            self.open(values, root, mode)?;
        }
        while let Some(level) = self.levels.last_mut() {
            if level.left == 0 {
                self.levels.pop();
                values.call(&values.sinks.shut, &[])?;
            } else if portion.is_spent() {
                return Ok(false);
            } else {
                let inner = level.mode.inner();
                if let Some(child) = level.fill(values, portion)? {
                    self.open(values, child, inner)?;
                }
            }
        }
        Ok(true)
    }

    fn open(&mut self, values: &Values, index: u32, mode: Mode) -> Result<(), Failure> {
        let Some(node) = values.frames.tape.get(index as usize) else { return Ok(()) };
        let Some((container, left)) = Container::of(node, mode) else { return Ok(()) };
        let is_flat = node.kind == ValueKind::Array && mode.pairs_are_flat();
        self.levels.push(Level { next: index + 1, left, mode, is_flat });
        values.call(&values.sinks.open, &[values.number(f64::from(container as u8))?])?;
        Ok(())
    }
}

impl Level {
    /// Adds some values. Returns the next child if that has to be opened first.
    fn fill(&mut self, values: &Values, portion: &mut Portion) -> Result<Option<u32>, Failure> {
        let mut some = Vec::with_capacity(ARGUMENTS.min(self.left as usize));
        let inner = self.mode.inner();
        let mut large = None;
        while self.left > 0 && some.len() < ARGUMENTS && !portion.is_spent() {
            let (at, count) = (self.next, values.count(self.next));
            self.next = values.frames.next(at);
            self.left -= 1;
            let Some(node) = values.frames.tape.get(at as usize) else { continue };
            let is_spread = self.is_flat && node.kind == ValueKind::Array;
            if count > LARGE && !is_spread && Container::of(node, inner).is_some() {
                large = Some(at);
                break;
            }
            portion.spend(count);
            portion.spend_bytes(values.frames.text(node).len());
            if is_spread {
                some.extend(values.elements(at, node.len, inner)?);
            } else {
                some.push(values.build(at, inner)?);
            }
        }
        for some in some.chunks(ARGUMENTS) {
            values.call(&values.sinks.fill, some)?;
        }
        Ok(large)
    }
}

impl Container {
    /// What `node` becomes, and how many children it has; `None` if it is no aggregate.
    fn of(node: &TapeNode, mode: Mode) -> Option<(Self, u32)> {
        let of_pairs = match mode.map() {
            Map::Array => Self::List,
            Map::Object => Self::Object,
            Map::Entries => Self::Map,
        };
        match node.kind {
            ValueKind::Array | ValueKind::Push if mode.pairs_are_map() && node.len % 2 == 0 => {
                Some((of_pairs, node.len))
            }
            ValueKind::Array | ValueKind::Push => Some((Self::List, node.len)),
            ValueKind::Set if mode.set() => Some((Self::Set, node.len)),
            ValueKind::Set => Some((Self::List, node.len)),
            ValueKind::Map => Some((of_pairs, node.len.saturating_mul(2))),
            _ => None,
        }
    }
}

impl Values<'_> {
    /// How many values the one at `index` is, with everything in it.
    pub fn count(&self, index: u32) -> usize {
        self.frames.next(index).saturating_sub(index) as usize
    }

    /// The reply that was built in slices and is complete.
    pub fn complete(&self) -> Built {
        Ok(self.call(&self.sinks.complete, &[])?)
    }

    /// Forgets what is built of a reply, since the rest cannot be built.
    pub fn abandon(&self) {
        let _ = self.call(&self.sinks.abandon, &[]);
    }
}

/// Values of an aggregate within a reply from which on it is not built as a whole. A turn may exceed
/// its portion by this much, which is a sixteenth.
const LARGE: usize = 1024;
/// Bytes that cost as much as a value. A short string takes about 100 ns, in which 512 bytes are
/// copied.
const BYTES_OF_VALUE: usize = 512;
