//! Arguments come back as they were encoded, and reading any bytes as a command stays within them.
//!
//! The input is used twice: as an encoded batch, and, split at its zero bytes, as arguments.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use oxidis::resp::{encode, Decoder, Limits};

fuzz_target!(|data: &[u8]| {
    let taken: usize = encode::args(data).map(<[u8]>::len).sum();
    assert!(taken <= data.len());
    if let Some(len) = encode::command_len(data) {
        assert!(len <= data.len());
        assert_eq!(encode::command_len(&data[..len]), Some(len));
        assert_eq!(encode::command_len(&data[..len - 1]), None);
    }

    let args: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let mut out = Vec::new();
    encode::command(&mut out, &args);
    assert_eq!(encode::command_len(&out), Some(out.len()));
    assert!(encode::args(&out).eq(args.iter().copied()));

    let frames = Decoder::new(Limits::default()).decode(&mut BytesMut::from(&out[..]));
    let frames = frames.expect("a command is RESP").expect("a command is complete");
    assert_eq!(frames.next(0) as usize, args.len() + 1);
});
