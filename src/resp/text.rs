//! Text in the forms in which JavaScript engines keep it.
//!
//! Owns turning UTF-8 into the smallest of these forms. It is pure, so that it runs on whatever
//! thread has the time. Bytes that are no UTF-8 become U+FFFD, one for each maximal part of a
//! sequence, as the Encoding Standard of WHATWG says; so do Node and V8.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// What a text is made of.
#[derive(Clone, PartialEq, Eq)]
pub enum Text {
    /// The bytes themselves: all of them are ASCII.
    Ascii,
    /// One byte for each character. All are below U+0100.
    Latin1(Bytes),
    /// One or two units for each character.
    Utf16(Arc<[u16]>),
}

impl Text {
    /// The text that `bytes` are in UTF-8.
    pub fn decode(bytes: &[u8]) -> Self {
        if bytes.is_ascii() {
            return Self::Ascii;
        }
        match latin1(bytes) {
            Some(latin1) => Self::Latin1(latin1.into()),
            None => utf16(&String::from_utf8_lossy(bytes)),
        }
    }

    /// The memory that the text takes beside the bytes that it was made of.
    pub fn size(&self) -> usize {
        match self {
            Self::Ascii => 0,
            Self::Latin1(bytes) => bytes.len(),
            Self::Utf16(units) => 2 * units.len(),
        }
    }
}

impl fmt::Debug for Text {
    /// Shows the form only, because replies may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascii => "Ascii",
            Self::Latin1(_) => "Latin1",
            Self::Utf16(_) => "Utf16",
        })
    }
}

/// The characters of `bytes`; `None` if one is above U+00FF, or if the bytes are no UTF-8.
fn latin1(mut bytes: &[u8]) -> Option<Vec<u8>> {
    // The highest of many bytes is found sixteen or more at a time, the first high one is not.
    let highest = |part: &[u8]| part.iter().fold(0, |highest: u8, byte| highest.max(*byte));
    if bytes.chunks(PART).any(|part| highest(part) > LAST_OF_LATIN1) {
        return None;
    }
    let mut out = Vec::with_capacity(starts(bytes));
    while let Some((word, rest)) = bytes.split_first_chunk::<WORD>() {
        let word_bits = u64::from_le_bytes(*word);
        if word_bits & NO_ASCII == 0 {
            out.extend_from_slice(word);
            bytes = rest;
        } else if word_bits & PAIR_BITS == PAIRS {
            out.extend_from_slice(&four_pairs(word_bits));
            bytes = rest;
        } else {
            bytes = character(bytes, &mut out)?;
        }
    }
    while !bytes.is_empty() {
        bytes = character(bytes, &mut out)?;
    }
    Some(out)
}

/// Decodes the first character of `bytes`, and returns the rest.
fn character<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    match bytes {
        [byte @ ..=0x7f, rest @ ..] => {
            out.push(*byte);
            Some(rest)
        }
        // Of 110000xx 10yyyyyy, the two lowest bits and the six behind them.
        [lead @ 0xc2..=LAST_OF_LATIN1, next @ 0x80..=0xbf, rest @ ..] => {
            out.push(lead << 6 | next & 0x3f);
            Some(rest)
        }
        _ => None,
    }
}

/// The characters of a word of four pairs, as `character` decodes each.
fn four_pairs(word: u64) -> [u8; 4] {
    let decoded = word << 6 & 0x00c0_00c0_00c0_00c0 | word >> 8 & 0x003f_003f_003f_003f;
    let [a, _, b, _, c, _, d, _] = decoded.to_le_bytes();
    [a, b, c, d]
}

/// How many characters begin in `bytes`.
fn starts(bytes: &[u8]) -> usize {
    // Bytes within a character are 0x80 to 0xbf, -0x80 to -0x41 as signed numbers.
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

fn utf16(text: &str) -> Text {
    let pairs = text.bytes().filter(|byte| *byte >= FIRST_OF_FOUR).count();
    let mut out = Vec::with_capacity(starts(text.as_bytes()) + pairs);
    for char in text.chars() {
        match u16::try_from(u32::from(char)) {
            Ok(unit) => out.push(unit),
            Err(_) => out.extend_from_slice(char.encode_utf16(&mut [0; 2])),
        }
    }
    Text::Utf16(out.into())
}

/// No byte of valid UTF-8 is above this if all its characters are below U+0100.
const LAST_OF_LATIN1: u8 = 0xc3;
/// Of a text that is no Latin-1, no more bytes than these are looked at in vain.
const PART: usize = 4096;
/// How many bytes are decoded together.
const WORD: usize = 8;
/// The bits that no ASCII byte has.
const NO_ASCII: u64 = 0x8080_8080_8080_8080;
/// The bits by which four pairs are known, each a byte 0xc2 or 0xc3 and one of 0x80 to 0xbf, and what
/// they are then. The first byte is the lowest.
const PAIR_BITS: u64 = 0xc0fe_c0fe_c0fe_c0fe;
const PAIRS: u64 = 0x80c2_80c2_80c2_80c2;
/// The first byte of a sequence of four is this or above. It becomes two units.
const FIRST_OF_FOUR: u8 = 0xf0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &Text, bytes: &[u8]) -> String {
        match text {
            Text::Ascii => bytes.iter().copied().map(char::from).collect(),
            Text::Latin1(bytes) => bytes.iter().copied().map(char::from).collect(),
            Text::Utf16(units) => String::from_utf16(units).unwrap(),
        }
    }

    #[test]
    fn the_smallest_form_is_chosen() {
        assert_eq!(Text::decode(b"plain"), Text::Ascii);
        assert_eq!(
            Text::decode("\u{80}é\u{ff}".as_bytes()),
            Text::Latin1(vec![0x80, 0xe9, 0xff].into())
        );
        assert!(matches!(Text::decode("\u{100}".as_bytes()), Text::Utf16(_)));
        assert_eq!(Text::decode("😀".as_bytes()), Text::Utf16(Arc::new([0xd83d, 0xde00])));
        assert_eq!(Text::decode(b"\xff"), Text::Utf16(Arc::new([0xfffd])));
    }

    #[test]
    fn every_character_is_decoded_at_every_place_of_a_word() {
        for code in 0x80..=0xffu8 {
            for before in 0..18 {
                for run in [1, 2, 3, 4, 5, 9] {
                    let char = char::from(code);
                    let text = format!("{}{}b", "a".repeat(before), char.to_string().repeat(run));
                    let mut expected = vec![b'a'; before];
                    expected.extend(vec![code; run]);
                    expected.push(b'b');
                    assert_eq!(Text::decode(text.as_bytes()), Text::Latin1(expected.into()));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_stays_what_it_is(text in "(\\PC|[\u{80}-\u{ff}]|[a-z]){0,40}") {
            let decoded = Text::decode(text.as_bytes());
            prop_assert_eq!(shown(&decoded, text.as_bytes()), text);
        }

        #[test]
        fn any_bytes_become_what_the_standard_library_makes_of_them(
            bytes in proptest::collection::vec(proptest::sample::select(
                &[0x41u8, 0x80, 0xbf, 0xc2, 0xc3, 0xe0, 0xed, 0xa0, 0xef, 0xf0, 0x9f, 0xf4, 0xff][..],
            ), 0..12),
        ) {
            let decoded = Text::decode(&bytes);
            prop_assert_eq!(shown(&decoded, &bytes), String::from_utf8_lossy(&bytes));
        }
    }
}
