//! Many short strings, packed into one.
//!
//! Owns that text. Making a string costs Node-API about 35 ns, and JavaScript about 15 if it cuts the
//! string out of a longer one. Up to twelve characters it makes a copy then, so that nothing but the
//! string itself stays alive (V8, `SlicedString::kMinLength`). Longer strings are made one by one.
//!
//! `lib/boundary/packed.js` reads the text: the number of values, then for each its length and its
//! characters, or [`APART`] for a value that is passed beside the text.

use napi::sys;

use super::{Built, Failure, Mode, Values, ARGUMENTS};
use crate::resp::{Frames, TapeNode, ValueKind};

/// Which values are packed.
#[derive(Clone, Copy)]
struct Run {
    /// The tape index of the first one; of pairs, that of the first key.
    first: u32,
    /// How many there are.
    count: u32,
    /// Whether they are the values of pairs.
    is_of_pairs: bool,
    mode: Mode,
}

/// Values on their way into one text.
struct Packed {
    text: Vec<u8>,
    /// Arguments of the JavaScript function that unpacks them: what goes in front, the text, and the
    /// values beside it.
    arguments: Vec<sys::napi_value>,
}

impl Values<'_> {
    /// An array of the children of the aggregate at `index`.
    pub(super) fn list_of(&self, index: u32, count: u32, mode: Mode) -> Built {
        if !self.is_packable(index, count, mode) {
            return self.list(self.elements(index, count, mode)?);
        }
        let (mut list, mut first, mut left) = (self.null()?, index + 1, count);
        while left > 0 {
            let count = left.min(ARGUMENTS as u32);
            left -= count;
            let (packed, after) =
                self.pack(list, Run { first, count, is_of_pairs: false, mode })?;
            list = self.call(&self.sinks.unpack, &packed)?;
            first = after;
        }
        Ok(list)
    }

    /// An object of the pairs of the aggregate at `index`, whose fields have `names`.
    pub(super) fn shaped(
        &self,
        names: sys::napi_value,
        index: u32,
        pairs: u32,
        mode: Mode,
    ) -> Built {
        let run = Run { first: index + 1, count: pairs, is_of_pairs: true, mode };
        let (packed, _) = self.pack(names, run)?;
        self.call(&self.sinks.shaped, &packed)
    }

    /// The arguments that make JavaScript unpack the values of `run`, with `front` in front. Also the
    /// tape index behind these values.
    fn pack(
        &self,
        front: sys::napi_value,
        run: Run,
    ) -> Result<(Vec<sys::napi_value>, u32), Failure> {
        let mut packed = Packed {
            text: Vec::with_capacity((run.count as usize + 1) * PLACE),
            arguments: vec![front, self.null()?],
        };
        // Looking at all characters together costs less than looking at those of each string.
        let mut after = packed.fill(self, run, false)?;
        if !packed.text.is_ascii() {
            after = packed.fill(self, run, true)?;
        }
        let text = self.text(&packed.text)?;
        if let Some(place) = packed.arguments.get_mut(1) {
            *place = text;
        }
        Ok((packed.arguments, after))
    }
}

impl Packed {
    /// Packs the values of `run`. `is_careful`: some may be short and no ASCII. Returns the tape index
    /// behind them.
    fn fill(&mut self, values: &Values, run: Run, is_careful: bool) -> Result<u32, Failure> {
        let Run { first, count, is_of_pairs, mode } = run;
        let frames = values.frames;
        self.text.clear();
        self.arguments.truncate(2);
        // Their number, seven bits a character.
        self.text.extend([(count >> 7) as u8, (count & 0x7f) as u8]);
        let mut at = first;
        for _ in 0..count {
            if is_of_pairs {
                at = frames.next(at);
            }
            let node = frames.tape.get(at as usize).filter(|node| is_short(node, mode));
            match node.filter(|node| !is_careful || frames.text(node).is_ascii()) {
                Some(node) => self.add(frames, node),
                None => {
                    self.text.push(APART);
                    self.arguments.push(values.build(at, mode)?);
                }
            }
            at = frames.next(at);
        }
        Ok(at)
    }

    /// Adds the text of `node`, which is short.
    fn add(&mut self, frames: &Frames, node: &TapeNode) {
        let (start, length) = (node.off as usize, node.len as usize);
        let room = frames.bytes.get(start.wrapping_sub(1)..start + LONGEST);
        match room.and_then(<[u8]>::first_chunk::<PLACE>) {
            // Copying always as much takes a third of the time.
            Some(place) => {
                let mut place = *place;
                place[0] = length as u8;
                let end = self.text.len() + 1 + length;
                self.text.extend_from_slice(&place);
                self.text.truncate(end);
            }
            None => {
                self.text.push(length as u8);
                self.text.extend_from_slice(frames.text(node));
            }
        }
    }
}

impl Values<'_> {
    /// Whether most children of the aggregate at `index` are short strings. The first ones are looked
    /// at, because those of one reply are much alike.
    fn is_packable(&self, index: u32, count: u32, mode: Mode) -> bool {
        if count < FEWEST {
            return false;
        }
        let (mut at, mut short) = (index + 1, 0);
        for _ in 0..LOOKED_AT {
            let node = self.frames.tape.get(at as usize);
            short += u32::from(node.is_some_and(|node| is_short(node, mode)));
            at = self.frames.next(at);
        }
        2 * short >= LOOKED_AT
    }
}

/// Whether `node` becomes a string that is short enough, if it is ASCII.
fn is_short(node: &TapeNode, mode: Mode) -> bool {
    let becomes_string = match node.kind {
        ValueKind::Bulk => !mode.bulk_buffer(),
        ValueKind::Simple => !mode.simple_buffer(),
        _ => false,
    };
    becomes_string && node.len as usize <= LONGEST
}

/// The most characters of a string of which V8 makes a copy when it is cut out of another one.
const LONGEST: usize = 12;
/// A packed string of that length, behind the byte of its length.
const PLACE: usize = LONGEST + 1;
/// Says that a value is beside the text. No length of a packed string.
const APART: u8 = 13;
/// Below this many values the packing costs as much as it saves.
const FEWEST: u32 = 8;
const LOOKED_AT: u32 = FEWEST;
