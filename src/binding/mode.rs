//! The mode of a command: how its caller wants the reply turned into JavaScript values.
//!
//! A mode is a number whose bits travel with the command. `lib/mode.js` packs them. The two files
//! have to agree, and a test compares what they do.

/// The bits of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u32);

/// What a RESP3 integer becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// A number, or a BigInt beyond 2^53 - 1, where a number would be rounded.
    Number,
    /// A string.
    Text,
    /// A BigInt.
    BigInt,
    /// A number, which is rounded beyond 2^53 - 1. For programs that cannot take a BigInt.
    Rounded,
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

    /// Whether a flat array of keys and values, which RESP2 sends, becomes a map.
    pub fn pairs_are_map(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether a list of pairs, which RESP3 sends, becomes a flat array, as RESP2 sends it. An array
    /// for each pair would cost more than its two elements.
    pub fn pairs_are_flat(self) -> bool {
        self.0 & 1 << 12 != 0
    }

    /// The mode for the elements of an aggregate. The two bits above are about the reply itself only.
    pub fn inner(self) -> Self {
        Self(self.0 & !(1 | 1 << 12))
    }

    /// Whether strings of any kind become Buffers.
    pub fn has_buffers(self) -> bool {
        self.bulk_buffer() || self.simple_buffer()
    }

    /// The mode in which they become strings.
    pub fn without_buffers(self) -> Self {
        Self(self.0 & !(1 << 1 | 1 << 2))
    }

    /// Whether bulk strings become Buffers.
    pub fn bulk_buffer(self) -> bool {
        self.0 & 1 << 1 != 0
    }

    /// Whether simple strings become Buffers.
    pub fn simple_buffer(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    /// What integers become.
    pub fn integer(self) -> Integer {
        match self.0 >> 3 & 3 {
            1 => Integer::Text,
            2 => Integer::BigInt,
            3 => Integer::Rounded,
            _ => Integer::Number,
        }
    }

    /// Whether doubles become the string that the server has sent.
    pub fn double_text(self) -> bool {
        self.0 & 1 << 5 != 0
    }

    /// Whether big numbers become strings, not BigInts.
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
            // 3 is a command that needs a flat array, from a caller that has mapped maps to `Map`.
            2 | 3 => Map::Array,
            _ => Map::Object,
        }
    }

    /// Whether sets become `Set`s, not arrays.
    pub fn set(self) -> bool {
        self.0 & 1 << 11 != 0
    }
}
