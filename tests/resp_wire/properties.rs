//! What holds for every stream, in whatever portions it comes: values come out as they went in,
//! anything else is refused at the same value, and nothing panics.

use oxidis::resp::{encode, Limits};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::show::{decode, decode_within, Seen};

/// A value in the notation of `show`, and one of its spellings on the wire.
#[derive(Clone, Debug)]
struct Spelled {
    shown: String,
    wire: Vec<u8>,
}

fn spelled(shown: impl Into<String>, wire: impl Into<Vec<u8>>) -> Spelled {
    Spelled { shown: shown.into(), wire: wire.into() }
}

fn sized(mark: char, bytes: &[u8]) -> Vec<u8> {
    let mut wire = format!("{mark}{}\r\n", bytes.len()).into_bytes();
    wire.extend_from_slice(bytes);
    wire.extend_from_slice(b"\r\n");
    wire
}

fn scalar() -> impl Strategy<Value = Spelled> {
    let bytes = || vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n')], 0..40);
    prop_oneof![
        "[ -~]{0,20}".prop_map(|text| {
            spelled(format!("+{}", text.as_bytes().escape_ascii()), format!("+{text}\r\n"))
        }),
        "[ -~]{0,20}".prop_map(|text| {
            spelled(format!("-{}", text.as_bytes().escape_ascii()), format!("-{text}\r\n"))
        }),
        Just(spelled("+OK", "+OK\r\n")),
        any::<i64>().prop_map(|n| spelled(n.to_string(), format!(":{n}\r\n"))),
        (0..100i64).prop_map(|n| spelled(n.to_string(), format!(":+{n}\r\n"))),
        bytes().prop_map(|text| spelled(format!("\"{}\"", text.escape_ascii()), sized('$', &text))),
        bytes().prop_map(|text| spelled(format!("!{}", text.escape_ascii()), sized('!', &text))),
        bytes().prop_map(|text| {
            let text = [b"txt:", &text[..]].concat();
            spelled(format!("=\"{}\"", text.escape_ascii()), sized('=', &text))
        }),
        "-?[0-9]{1,60}".prop_map(|n| spelled(format!("({n}"), format!("({n}\r\n"))),
        any::<f64>()
            .prop_filter("one spelling of nan is enough", |n| !n.is_nan())
            .prop_map(|n| spelled(format!(",{n}"), format!(",{n}\r\n"))),
        any::<f64>()
            .prop_filter("exponents are for finite numbers", |n| n.is_finite())
            .prop_map(|n| spelled(format!(",{n}"), format!(",{n:e}\r\n"))),
        prop::sample::select(&["_\r\n", "$-1\r\n", "*-1\r\n"][..])
            .prop_map(|wire| spelled("_", wire)),
        any::<bool>().prop_map(|on| {
            let shown = if on { "#t" } else { "#f" };
            spelled(shown, format!("{shown}\r\n"))
        }),
        vec(vec(any::<u8>(), 1..9), 0..4).prop_map(|chunks| {
            let shown: Vec<String> =
                chunks.iter().map(|chunk| format!("\"{}\"", chunk.escape_ascii())).collect();
            let mut wire = b"$?\r\n".to_vec();
            chunks.iter().for_each(|chunk| wire.extend(sized(';', chunk)));
            wire.extend_from_slice(b";0\r\n");
            spelled(format!("<{}>", shown.join(" ")), wire)
        }),
    ]
}

/// An aggregate of `children`, with its count or streamed.
fn aggregate(mark: char, streamed: bool, children: &[Spelled]) -> Spelled {
    let pairs = if mark == '%' { 2 } else { 1 };
    let children = &children[..children.len() / pairs * pairs];
    let mut wire = match streamed {
        true => format!("{mark}?\r\n").into_bytes(),
        false => format!("{mark}{}\r\n", children.len() / pairs).into_bytes(),
    };
    children.iter().for_each(|child| wire.extend_from_slice(&child.wire));
    if streamed {
        wire.extend_from_slice(b".\r\n");
    }
    let shown: Vec<&str> = children.iter().map(|child| child.shown.as_str()).collect();
    let shown = match mark {
        '*' => format!("[{}]", shown.join(" ")),
        '%' => {
            let pairs: Vec<String> = shown.chunks(2).map(|pair| pair.join(": ")).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        _ => format!("{mark}[{}]", shown.join(" ")),
    };
    spelled(shown, wire)
}

fn value() -> impl Strategy<Value = Spelled> {
    let mark = || prop::sample::select(&['*', '~', '%'][..]);
    scalar().prop_recursive(5, 60, 8, move |child| {
        prop_oneof![
            4 => (mark(), any::<bool>(), vec(child.clone(), 0..8))
                .prop_map(|(mark, streamed, children)| aggregate(mark, streamed, &children)),
            1 => (child.clone(), child.clone(), child).prop_map(|(name, about, value)| {
                let wire = [b"|1\r\n", &name.wire[..], &about.wire, &value.wire].concat();
                spelled(value.shown, wire)
            }),
        ]
    })
}

/// A stream of replies and pushes, with what must be seen of it.
fn stream() -> impl Strategy<Value = (Vec<u8>, Seen)> {
    let push = vec(value(), 0..4).prop_map(|children| aggregate('>', false, &children));
    let root = prop_oneof![
        3 => value().prop_map(|value| (false, value)),
        1 => push.prop_map(|push| (true, push)),
    ];
    vec(root, 0..12).prop_map(|roots| {
        let mut seen = Seen::default();
        let mut wire = Vec::new();
        for (is_push, root) in roots {
            wire.extend(root.wire);
            if is_push { &mut seen.pushes } else { &mut seen.replies }.push(root.shown);
        }
        (wire, seen)
    })
}

/// Bytes that pass the first checks more often than random ones do.
fn nearly_resp() -> impl Strategy<Value = Vec<u8>> {
    #[rustfmt::skip]
    const PARTS: &[&str] = &[
        "*2\r\n", "*0\r\n", "*?\r\n", ".\r\n", "%1\r\n", "%?\r\n", "~1\r\n", ">1\r\n", "|1\r\n",
        "|0\r\n", "$3\r\nabc\r\n", "$3\r\nabcd\r\n", "$-1\r\n", "$?\r\n", ";1\r\na\r\n", ";0\r\n",
        "+OK\r\n", "-ERR\r\n", ":1\r\n", ":99999999999999999999\r\n", "_\r\n", "#t\r\n", ",1.5\r\n",
        ",nan\r\n", "(123\r\n", "=5\r\ntxt:a\r\n", "=5\r\ntxt;a\r\n", "!1\r\nE\r\n", "\r\n", "\n",
        "\r", "$", "*", "1", "-", "*1000000000\r\n", "$4294967297\r\n", "*1\r\n",
    ];
    let part = prop_oneof![
        12 => prop::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// Ascending positions to cut `len` bytes at.
fn portions(len: usize, seeds: &[prop::sample::Index]) -> Vec<usize> {
    let mut cuts: Vec<usize> = seeds.iter().map(|seed| seed.index(len + 1)).collect();
    cuts.sort_unstable();
    cuts
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    vec(any::<prop::sample::Index>(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn values_come_out_as_they_went_in((wire, expected) in stream(), cuts in cuts()) {
        prop_assert_eq!(&decode(&wire, &[]), &expected);
        prop_assert_eq!(&decode(&wire, &portions(wire.len(), &cuts)), &expected);
    }

    #[test]
    fn any_bytes_mean_the_same_however_they_are_cut(
        wire in prop_oneof![nearly_resp(), vec(any::<u8>(), 0..200)],
        cuts in cuts(),
    ) {
        let whole = decode(&wire, &[]);
        prop_assert_eq!(&decode(&wire, &portions(wire.len(), &cuts)), &whole);
        let bytes: Vec<usize> = (1..wire.len()).collect();
        prop_assert_eq!(&decode(&wire, &bytes), &whole);
    }

    #[test]
    fn a_damaged_stream_means_the_same_however_it_is_cut(
        (mut wire, _) in stream(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cuts in cuts(),
    ) {
        if !wire.is_empty() {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        let whole = decode(&wire, &[]);
        prop_assert_eq!(&decode(&wire, &portions(wire.len(), &cuts)), &whole);
    }

    #[test]
    fn a_reply_that_is_thrown_away_means_the_same_however_it_is_cut(
        wire in prop_oneof![stream().prop_map(|(wire, _)| wire), nearly_resp()],
        cuts in cuts(),
        reply in 1..600usize,
    ) {
        let limits = Limits { reply, ..Limits::default() };
        let whole = decode_within(limits, &wire, &[]).0;
        prop_assert_eq!(&decode_within(limits, &wire, &portions(wire.len(), &cuts)).0, &whole);
        let bytes: Vec<usize> = (1..wire.len()).collect();
        prop_assert_eq!(&decode_within(limits, &wire, &bytes).0, &whole);
        // What is kept is what a larger limit shows, in the same place.
        let all = decode(&wire, &[]);
        for (kept, shown) in whole.replies.iter().zip(&all.replies) {
            prop_assert!(kept == shown || kept == "excess", "{} is not {}", kept, shown);
        }
    }

    #[test]
    fn commands_are_found_again(commands in vec(vec(vec(any::<u8>(), 0..60), 1..6), 1..6)) {
        let mut batch = Vec::new();
        for command in &commands {
            let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            encode::command(&mut batch, &args);
        }
        // The decoder reads what the encoder writes.
        prop_assert_eq!(decode(&batch, &[]).replies.len(), commands.len());
        let mut rest = &batch[..];
        for command in &commands {
            prop_assert!(encode::args(rest).eq(command.iter().map(Vec::as_slice)));
            rest = &rest[encode::command_len(rest).unwrap()..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn reading_any_bytes_as_a_command_stays_within_them(
        batch in prop_oneof![nearly_resp(), vec(any::<u8>(), 0..100)],
    ) {
        let taken: usize = encode::args(&batch).map(<[u8]>::len).sum();
        prop_assert!(taken <= batch.len());
        prop_assert!(encode::command_len(&batch).is_none_or(|len| len <= batch.len()));
    }
}
