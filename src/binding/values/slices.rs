//! Builds a large reply in slices, over several turns of the event loop.
//!
//! Owns how far the reply is built, and how much one turn builds. What is built of a reply stands in
//! JavaScript: an object of `lib/boundary/slices.js` for each array or map that is not complete yet.
//! This refers to these objects, because no handle outlives a turn. Aggregates within the reply are
//! built as a whole, unless they are large themselves.
//!
//! Invariant: what is built of a reply belongs to its own [`HalfBuilt`], so no other reply can get it.

use std::time::Duration;

use napi::sys;

use super::{Failure, Map, Mode, Values, ARGUMENTS};
use crate::binding::reference::Reference;
use crate::binding::scope::Scope;
use crate::outbox::Whose;
use crate::resp::{Frames, TapeNode, ValueKind};

/// How much may still be built before the event loop goes on.
#[derive(Debug, Clone, Copy)]
pub struct Portion {
    /// In short values. Below 0 if the last reply was larger than what was left.
    left: f64,
    /// How many short values one of the frames at hand is worth, on the average.
    price: f64,
}

impl Portion {
    /// What is built in one turn: 2 to 5 ms, as measured.
    pub const TURN: Self = Self { left: SLICE, price: 1.0 };
    /// Enough for everything.
    pub const ALL: Self = Self { left: f64::INFINITY, price: 1.0 };

    /// What is built next are values of `frames`.
    pub fn begin(&mut self, frames: &Frames) {
        let values = frames.tape.len().max(1) as f64;
        self.price = 1.0 + frames.bytes.len() as f64 / values / BYTES_OF_VALUE;
    }

    /// So many values are built for a caller with this mode.
    pub fn spend(&mut self, values: usize, mode: Mode) {
        self.left -= self.cost(values, mode);
    }

    /// Takes all values of `frames` at once, for these callers, if so much is left. False if it is
    /// not, and then nothing was taken.
    pub fn take(&mut self, frames: &Frames, whose: &[Whose]) -> bool {
        let buffers =
            whose.iter().map(|whose| whose.mode).find(|mode| Mode::new(*mode).bulk_buffer());
        let cost = self.cost(frames.tape.len(), Mode::new(buffers.unwrap_or(0)));
        let is_enough = cost < self.left;
        if is_enough {
            self.left -= cost;
        }
        is_enough
    }

    /// Whether the event loop should go on.
    pub fn is_spent(&self) -> bool {
        self.left <= 0.0
    }

    /// This portion after `time` in which nothing was built.
    pub fn after(self, time: Duration) -> Self {
        let grown = self.left.max(0.0) + time.as_secs_f64() * GROWTH;
        Self { left: grown.min(SLICE), ..self }
    }

    fn cost(&self, values: usize, mode: Mode) -> f64 {
        let kind = if mode.bulk_buffer() { BUFFER } else { 1.0 };
        values as f64 * self.price * kind
    }
}

/// A reply that is not complete yet.
#[derive(Default)]
pub struct HalfBuilt {
    /// The aggregates that are being filled, the innermost last.
    levels: Vec<Level>,
}

/// An aggregate that is being filled.
struct Level {
    /// What is built of it.
    filled: Reference,
    /// The tape index of its next child.
    next: u32,
    /// Children that are still to come.
    left: u32,
    mode: Mode,
    /// Whether the elements of children are put in their place.
    is_flat: bool,
    /// Whether it has fields, not elements.
    has_names: bool,
}

/// What an aggregate becomes. `lib/boundary/slices.js` has the same numbers.
#[derive(Debug, Clone, Copy)]
enum Container {
    List = 0,
    Object = 1,
    Map = 2,
    Set = 3,
}

impl HalfBuilt {
    /// Whether the reply at `root` is to be built in slices: an aggregate that costs more than a turn
    /// should build.
    pub fn is_for(values: &Values, root: u32, mode: Mode, portion: &Portion) -> bool {
        portion.cost(values.count(root), mode) > SLICE && values.container(root, mode).is_some()
    }

    /// Builds on at the reply at `root` until it is complete, or until `portion` is spent. `None` if
    /// it is not complete then.
    pub fn go_on(
        &mut self,
        values: &Values,
        root: u32,
        mode: Mode,
        portion: &mut Portion,
    ) -> Result<Option<sys::napi_value>, Failure> {
        if self.levels.is_empty() {
            self.levels.extend(Level::open(values, root, mode)?);
        }
        while let Some(level) = self.levels.last_mut() {
            if level.left == 0 {
                let value = values.call(&values.sinks.finish, &[level.filled.get()?])?;
                self.levels.pop();
                match self.levels.last() {
                    Some(parent) => parent.add(values, &[value])?,
                    None => return Ok(Some(value)),
                }
            } else if portion.is_spent() {
                return Ok(None);
            } else {
                let inner = level.mode.inner();
                if let Some(child) = level.fill(values, portion)? {
                    self.levels.extend(Level::open(values, child, inner)?);
                }
            }
        }
        // It is no aggregate after all.
        values.build(root, mode).map(Some)
    }
}

impl Level {
    /// The aggregate at `index`, with nothing in it yet. `None` if it is none.
    fn open(values: &Values, index: u32, mode: Mode) -> Result<Option<Self>, Failure> {
        let Some((container, left)) = values.container(index, mode) else { return Ok(None) };
        let number = values.number(f64::from(container as u8))?;
        let filled = values.call(&values.sinks.begin, &[number])?;
        let filled = Reference::strong(values.env, filled)?;
        let node = values.frames.tape.get(index as usize);
        let is_flat = mode.pairs_are_flat()
            && node.is_some_and(|node| node.kind == ValueKind::Array && !pairs_are_map(node, mode));
        let has_names = matches!(container, Container::Object | Container::Map);
        Ok(Some(Self { filled, next: index + 1, left, mode, is_flat, has_names }))
    }

    /// Adds some values. Returns the next child if that has to be opened first.
    fn fill(&mut self, values: &Values, portion: &mut Portion) -> Result<Option<u32>, Failure> {
        let _scope = Scope::open(values.env)?;
        let mut some = Vec::with_capacity(ARGUMENTS.min(self.left as usize));
        let inner = self.mode.inner();
        let mut large = None;
        while self.left > 0 && some.len() < ARGUMENTS && !portion.is_spent() {
            let (at, count) = (self.next, values.count(self.next));
            self.next = values.frames.next(at);
            self.left -= 1;
            let node = values.frames.tape.get(at as usize);
            let spread = node.filter(|node| self.is_flat && node.kind == ValueKind::Array);
            let is_large = spread.is_none() && portion.cost(count, inner) > LARGE;
            if is_large && values.container(at, inner).is_some() {
                large = Some(at);
                break;
            }
            portion.spend(count, inner);
            if self.has_names {
                portion.spend(1, inner);
            }
            match spread {
                Some(node) => some.extend(values.elements(at, node.len, inner)?),
                None => some.push(values.build(at, inner)?),
            }
        }
        self.add(values, &some)?;
        Ok(large)
    }

    fn add(&self, values: &Values, some: &[sys::napi_value]) -> Result<(), Failure> {
        let filled = self.filled.get()?;
        for some in some.chunks(ARGUMENTS) {
            let mut arguments = Vec::with_capacity(some.len() + 1);
            arguments.push(filled);
            arguments.extend_from_slice(some);
            values.call(&values.sinks.fill, &arguments)?;
        }
        Ok(())
    }
}

impl Container {
    /// What `node` becomes, and how many children it has; `None` if it is no aggregate. `Values::build`
    /// decides in the same way.
    fn of(node: &TapeNode, mode: Mode) -> Option<(Self, u32)> {
        let of_pairs = match mode.map() {
            Map::Array => Self::List,
            Map::Object => Self::Object,
            Map::Entries => Self::Map,
        };
        match node.kind {
            ValueKind::Array | ValueKind::Push if pairs_are_map(node, mode) => {
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

fn pairs_are_map(list: &TapeNode, mode: Mode) -> bool {
    mode.pairs_are_map() && list.len % 2 == 0
}

impl Values<'_> {
    /// How many values the one at `index` is, with everything in it.
    pub fn count(&self, index: u32) -> usize {
        self.frames.next(index).saturating_sub(index) as usize
    }

    fn container(&self, index: u32, mode: Mode) -> Option<(Container, u32)> {
        self.frames.tape.get(index as usize).and_then(|node| Container::of(node, mode))
    }
}

/// Short values of a turn.
const SLICE: f64 = 16384.0;
/// Short values in a second without building: a whole portion in 2 ms, which is about the time that
/// building it takes. So small replies are never cut that come in quick succession, while others get
/// half of the time.
const GROWTH: f64 = SLICE / 0.002;
/// Short values of an aggregate within a reply from which on it is not built as a whole. A turn may
/// exceed its portion by this much, which is a sixteenth.
const LARGE: f64 = 1024.0;
/// Bytes that cost as much as a short value. A string of 300 bytes takes four times as long as a
/// short one, garbage collection included.
const BYTES_OF_VALUE: f64 = 128.0;
/// Short values that cost as much as a short Buffer. A field costs twice as much as an element.
const BUFFER: f64 = 4.0;
