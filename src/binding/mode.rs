//! How a caller wants a reply turned into JavaScript: the bits that travel with each command.
//!
//! `lib/mode.js` packs them; the two files must agree, and a test compares what they do.

/// The bits of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

/// What a RESP3 integer becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// A number; a BigInt where a number would round (beyond 2^53 - 1).
    Number,
    /// A string.
    Text,
    /// A BigInt.
    BigInt,
}

/// What a map becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// A plain object.
    Object,
    /// A `Map`.
    Entries,
    /// A flat array of keys and values.
    Array,
}

/// What a verbatim string becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbatim {
    /// A string, without the format.
    Text,
    /// A Buffer, without the format.
    Buffer,
    /// A `VerbatimString`, which keeps the format.
    Object,
}

impl Mode {
    /// The mode packed into `bits`.
    pub fn new(bits: u32) -> Self {
        Self(bits)
    }

    /// A flat array of pairs (RESP2) stands for a map.
    pub fn pairs_are_map(self) -> bool {
        self.0 & 1 != 0
    }

    /// A list of pairs (RESP3) comes flat, as RESP2 sends it: an array for each pair would cost more
    /// than what is in it.
    pub fn pairs_are_flat(self) -> bool {
        self.0 & 1 << 12 != 0
    }

    /// The mode for what is inside of an aggregate: only the reply itself has a shape.
    pub fn inner(self) -> Self {
        Self(self.0 & !(1 | 1 << 12))
    }

    /// Bulk strings become Buffers.
    pub fn bulk_buffer(self) -> bool {
        self.0 & 1 << 1 != 0
    }

    /// Simple strings become Buffers.
    pub fn simple_buffer(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    /// What integers become.
    pub fn integer(self) -> Integer {
        match self.0 >> 3 & 3 {
            1 => Integer::Text,
            2 => Integer::BigInt,
            _ => Integer::Number,
        }
    }

    /// Doubles become the string that the server sent.
    pub fn double_text(self) -> bool {
        self.0 & 1 << 5 != 0
    }

    /// Big numbers become strings, not BigInts.
    pub fn big_number_text(self) -> bool {
        self.0 & 1 << 6 != 0
    }

    /// What verbatim strings become.
    pub fn verbatim(self) -> Verbatim {
        match self.0 >> 7 & 3 {
            1 => Verbatim::Buffer,
            2 => Verbatim::Object,
            _ => Verbatim::Text,
        }
    }

    /// What maps become.
    pub fn map(self) -> Map {
        match self.0 >> 9 & 3 {
            1 => Map::Entries,
            // A command that wants its map as a list does so beside a mapping to Map as well.
            2 | 3 => Map::Array,
            _ => Map::Object,
        }
    }

    /// Sets become `Set`s, not arrays.
    pub fn set(self) -> bool {
        self.0 & 1 << 11 != 0
    }
}
