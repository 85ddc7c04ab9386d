//! The decoder's work and memory follow the bytes received. Proven by counting, not by a clock.
//!
//! These tests look inside the decoder. `tests/resp_wire` tests what it decodes.

use bytes::BytesMut;

use crate::resp::{Decoder, Frames, Limits, TapeNode};

/// Feeds `wire` in portions of `size` bytes. Returns the number of values, the number of bytes
/// examined, and the largest number of nodes that the tape had room for.
fn feed(wire: &[u8], size: usize) -> (usize, usize, usize) {
    let mut decoder = Decoder::new(Limits::default());
    let mut buf = BytesMut::new();
    let (mut values, mut room) = (0, 0);
    for portion in wire.chunks(size) {
        buf.extend_from_slice(portion);
        while let Some(frames) = decoder.decode(&mut buf).unwrap() {
            values += frames.replies.len() + frames.pushes.len();
        }
        room = room.max(decoder.builder.capacity());
    }
    assert!(!decoder.is_mid_value());
    (values, decoder.examined, room)
}

fn many(part: &str, times: usize) -> String {
    part.repeat(times)
}

/// Asserts that every token is looked at once when it is fresh (at most 19 bytes), and its line
/// once more.
fn assert_linear(wire: &str, tokens: usize) {
    for size in [1, 7, 4096, wire.len()] {
        let (values, examined, _) = feed(wire.as_bytes(), size);
        assert_eq!(values, 1, "portions of {size}");
        let bound = 2 * wire.len() + 20 * tokens;
        assert!(examined <= bound, "{examined} of {} in portions of {size}", wire.len());
    }
}

#[test]
fn a_string_body_is_never_searched() {
    let wire = format!("${}\r\n{}\r\n", 10 << 20, many("x", 10 << 20));
    for size in [1, 4096, wire.len()] {
        let (values, examined, _) = feed(wire.as_bytes(), size);
        assert_eq!(values, 1);
        assert!(examined < 64, "{examined} bytes examined in portions of {size}");
    }
}

#[test]
fn a_long_array_is_read_once() {
    let count = 100_000;
    assert_linear(&format!("*{count}\r\n{}", many("$5\r\nvalue\r\n", count)), count + 1);
    assert_linear(&format!("*{count}\r\n{}", many("+short line\r\n", count)), count + 1);
}

#[test]
fn a_long_line_is_searched_once() {
    assert_linear(&format!("-{}\r\n", many("e", 64 << 10)), 1);
    assert_linear(&format!("({}\r\n", many("7", 64 << 10)), 1);
    assert_linear(&format!(":{}1\r\n", many("0", 60_000)), 1);
}

#[test]
fn chunks_and_nesting_and_attributes_are_read_once() {
    let count = 10_000;
    assert_linear(&format!("$?\r\n{};0\r\n", many(";1\r\nx\r\n", count)), count + 2);
    let nested = format!("*?\r\n{}.\r\n", many("*1\r\n*1\r\n:1\r\n", count));
    assert_linear(&nested, 3 * count + 2);
    let attributes = many("|1\r\n+a\r\n:1\r\n", count);
    assert_linear(&format!("{attributes}+OK\r\n"), 3 * count + 1);
}

#[test]
fn announced_sizes_reserve_nothing() {
    let node = std::mem::size_of::<TapeNode>();
    for wire in ["*300000000\r\n", "%150000000\r\n", "~300000000\r\n", "$536870912\r\n"] {
        let mut decoder = Decoder::new(Limits::default());
        let mut buf = BytesMut::from(wire);
        assert!(decoder.decode(&mut buf).unwrap().is_none(), "{wire:?}");
        let room = decoder.builder.capacity() * node;
        assert!(room < 1024, "{room} bytes reserved for {wire:?}");
        assert!(buf.capacity() < 1024, "{wire:?}");
    }
}

/// The largest memory of buffer and tape while `wire` comes in portions of a read.
fn peak(limits: Limits, wire: &[u8]) -> usize {
    let mut decoder = Decoder::new(limits);
    let mut buf = BytesMut::new();
    let mut peak = 0;
    for portion in wire.chunks(4096) {
        buf.extend_from_slice(portion);
        assert!(decoder.decode(&mut buf).unwrap().is_none(), "the reply is not finished");
        let tape = decoder.builder.capacity() * std::mem::size_of::<TapeNode>();
        peak = peak.max(buf.capacity() + tape);
    }
    assert!(decoder.is_mid_value());
    peak
}

#[test]
fn the_tape_of_an_unfinished_reply_counts_towards_its_limit() {
    let limits = Limits { reply: 1 << 20, ..Limits::default() };
    let nulls = many("_\r\n", 300_000);
    for start in ["*?\r\n", "|1\r\n+a\r\n*?\r\n", "*2\r\n%?\r\n", "*300001\r\n"] {
        // Buffer and tape grow by doubling.
        let peak = peak(limits, format!("{start}{nulls}").as_bytes());
        assert!(peak <= 2 * limits.reply, "{peak} bytes for {start:?}");
    }
    let chunks = format!("$?\r\n{}", many(";1\r\na\r\n", 100_000));
    assert!(peak(limits, chunks.as_bytes()) <= 2 * limits.reply);
}

#[test]
fn a_large_step_reserves_little_for_a_small_one() {
    let mut decoder = Decoder::new(Limits::default());
    let mut buf = BytesMut::from(many(":1\r\n", 100_000).as_str());
    assert_eq!(decoder.decode(&mut buf).unwrap().unwrap().replies.len(), 100_000);
    buf.extend_from_slice(b":1\r\n*2\r\n");
    let frames = decoder.decode(&mut buf).unwrap().unwrap();
    assert!(frames.tape.capacity() <= 8, "{}", frames.tape.capacity());
}

#[test]
fn what_is_wanted_is_the_rest_of_a_string() {
    let mut decoder = Decoder::new(Limits::default());
    let mut buf = BytesMut::from("+OK\r\n$100\r\nabc");
    assert!(decoder.decode(&mut buf).unwrap().is_some());
    assert!(decoder.is_mid_value());
    assert_eq!(decoder.wanted(), 99);
    buf.extend_from_slice(&[b'x'; 97]);
    assert!(decoder.decode(&mut buf).unwrap().is_none());
    assert_eq!(decoder.wanted(), 2);
    buf.extend_from_slice(b"\r\n*1\r\n");
    assert!(decoder.decode(&mut buf).unwrap().is_some());
    assert_eq!(decoder.wanted(), 0);
    assert!(decoder.is_mid_value());
}

#[test]
fn a_decoder_handed_a_shorter_buffer_does_not_panic() {
    for wire in ["*2\r\n:1\r\n:", "$10\r\nabc", "+abc", "$?\r\n;3\r\na"] {
        let mut decoder = Decoder::new(Limits::default());
        let mut buf = BytesMut::from(wire);
        assert!(decoder.decode(&mut buf).unwrap().is_none());
        buf.clear();
        assert!(decoder.decode(&mut buf).unwrap().is_none());
        buf.extend_from_slice(b":1\r\n");
        let _ = decoder.decode(&mut buf);
    }
}

#[test]
fn a_tape_answers_foreign_nodes_and_indices_with_nothing() {
    let mut decoder = Decoder::new(Limits::default());
    let mut buf = BytesMut::from("*2\r\n+a\r\n*0\r\n:5\r\n");
    let frames: Frames = decoder.decode(&mut buf).unwrap().unwrap();
    assert_eq!((frames.next(0), frames.next(1), frames.next(2), frames.next(3)), (3, 2, 3, 4));
    assert_eq!(frames.next(u32::MAX), u32::MAX);
    let text = frames.tape[1];
    assert_eq!(frames.text(&text), b"a");
    assert_eq!(frames.text(&TapeNode { off: u32::MAX, ..text }), b"");
    assert_eq!(frames.text(&TapeNode { len: u32::MAX, ..text }), b"");
}
