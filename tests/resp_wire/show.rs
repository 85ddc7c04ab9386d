//! Decoded values as one line of text, and streams decoded in chosen portions.
//!
//! The notation: `+simple`, `-error`, `!bulk error`, integers bare, `"bulk"`, `="verbatim"`,
//! `(big`, `,double`, `#t`, `_` for null, `[array]`, `~[set]`, `{key: value}`, `>[push]`,
//! `<"chunk" "chunk">` for a streamed string, and `excess` for a reply of too many values.

use bytes::BytesMut;
use oxidis::resp::{Decoder, Frames, Limits, ValueKind};

/// All that a stream decoded to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub replies: Vec<String>,
    pub pushes: Vec<String>,
    /// Whether it ended in a protocol error.
    pub failed: bool,
    /// Whether it ended inside a value; not compared after an error.
    pub cut: bool,
}

impl Seen {
    /// The replies in one line.
    pub fn line(&self) -> String {
        self.replies.join(" ")
    }
}

/// Decodes `wire` in the portions that end at `cuts` (ascending) and at its end.
pub fn decode(wire: &[u8], cuts: &[usize]) -> Seen {
    decode_within(Limits::default(), wire, cuts).0
}

/// Decodes as [`decode`] does, within `limits`; also returns the text of the error.
pub fn decode_within(limits: Limits, wire: &[u8], cuts: &[usize]) -> (Seen, String) {
    let mut decoder = Decoder::new(limits);
    let mut buf = BytesMut::new();
    let mut seen = Seen::default();
    let mut from = 0;
    for to in cuts.iter().copied().chain([wire.len()]) {
        buf.extend_from_slice(&wire[from..to]);
        from = to;
        loop {
            match decoder.decode(&mut buf) {
                Ok(Some(frames)) => collect(&frames, &mut seen),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.code(), "PROTOCOL");
                    assert!(decoder.decode(&mut buf).is_err(), "an error was forgotten");
                    seen.failed = true;
                    return (seen, error.message().to_owned());
                }
            }
        }
        // Only of a reply that is thrown away, all bytes may be gone before its end has come.
        assert!(decoder.is_mid_value() || buf.is_empty());
    }
    seen.cut = decoder.is_mid_value();
    (seen, String::new())
}

/// Decodes `wire` whole, byte by byte, and in two portions cut at each position; all must agree.
pub fn decode_every_way(wire: &[u8]) -> Seen {
    let whole = decode(wire, &[]);
    let bytes: Vec<usize> = (1..wire.len()).collect();
    assert_eq!(decode(wire, &bytes), whole, "byte by byte: {}", wire.escape_ascii());
    for cut in bytes {
        assert_eq!(decode(wire, &[cut]), whole, "cut at {cut}: {}", wire.escape_ascii());
    }
    whole
}

fn collect(frames: &Frames, seen: &mut Seen) {
    let mut roots: Vec<u32> = frames.replies.iter().chain(&frames.pushes).copied().collect();
    roots.sort_unstable();
    let mut next = 0;
    for root in roots {
        assert_eq!(root, next, "the roots and their descendants make up the tape");
        next = frames.next(root);
    }
    assert_eq!(next as usize, frames.tape.len());
    assert!(next > 0, "frames without a value");
    seen.replies.extend(frames.replies.iter().map(|root| show(frames, *root)));
    seen.pushes.extend(frames.pushes.iter().map(|root| show(frames, *root)));
}

fn show(frames: &Frames, index: u32) -> String {
    let node = &frames.tape[index as usize];
    let text = frames.text(node).escape_ascii().to_string();
    match node.kind {
        ValueKind::Simple => format!("+{text}"),
        ValueKind::Error => format!("-{text}"),
        ValueKind::BulkError => format!("!{text}"),
        ValueKind::Integer => (node.num as i64).to_string(),
        ValueKind::Bulk => format!("\"{text}\""),
        ValueKind::Verbatim => format!("=\"{text}\""),
        ValueKind::BigNumber => format!("({text}"),
        ValueKind::Double => format!(",{}", f64::from_bits(node.num)),
        ValueKind::Boolean => (if node.num == 1 { "#t" } else { "#f" }).to_owned(),
        ValueKind::Null => "_".to_owned(),
        ValueKind::Excess => "excess".to_owned(),
        ValueKind::Array => format!("[{}]", children(frames, index).join(" ")),
        ValueKind::Set => format!("~[{}]", children(frames, index).join(" ")),
        ValueKind::Push => format!(">[{}]", children(frames, index).join(" ")),
        ValueKind::Map => {
            let flat = children(frames, index);
            let pairs: Vec<String> = flat.chunks(2).map(|pair| pair.join(": ")).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        ValueKind::Streamed => {
            let chunks = children(frames, index);
            let size: u32 = frames.tape[index as usize + 1..node.off as usize]
                .iter()
                .map(|chunk| chunk.len)
                .sum();
            assert_eq!(node.num, u64::from(size), "the length of all chunks");
            format!("<{}>", chunks.join(" "))
        }
    }
}

fn children(frames: &Frames, index: u32) -> Vec<String> {
    let node = &frames.tape[index as usize];
    let mut shown = Vec::new();
    let mut child = index + 1;
    while child < node.off {
        shown.push(show(frames, child));
        child = frames.next(child);
    }
    let expected = if node.kind == ValueKind::Map { node.len * 2 } else { node.len };
    assert_eq!(shown.len(), expected as usize, "children of a {:?}", node.kind);
    shown
}
