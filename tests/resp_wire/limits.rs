//! What the decoder refuses: malformed bytes, and more than a reply may cost.

use oxidis::resp::Limits;

use crate::show::{decode, decode_every_way, decode_within};

fn assert_refused(wire: &str) {
    let seen = decode_every_way(format!("+OK\r\n{wire}").as_bytes());
    assert_eq!(seen.line(), "+OK", "what came before the error is lost: {wire:?}");
    assert!(seen.failed, "{wire:?}");
}

/// The text of the error that `wire` ends in.
fn refusal(limits: Limits, wire: &str) -> String {
    let (seen, message) = decode_within(limits, wire.as_bytes(), &[]);
    assert!(seen.failed, "{:.60}: {seen:?}", wire);
    message
}

#[test]
fn malformed_bytes_are_refused() {
    for wire in [
        // Type bytes.
        "HTTP/1.1 400 Bad Request\r\n",
        "\0",
        "\r\n",
        "\n",
        "OK\r\n",
        ";1\r\na\r\n",
        // Lines.
        "+OK\n",
        "+O\nK\r\n",
        "+O\rK\r\n",
        "-ERR\n\r\n",
        ":1\n",
        ":1\r:",
        "$1\na\n",
        "*1\n:1\r\n",
        // Numbers.
        ":\r\n",
        ":-\r\n",
        ":1a\r\n",
        ": 1\r\n",
        ":1.0\r\n",
        ":9223372036854775808\r\n",
        ":-9223372036854775809\r\n",
        ":99999999999999999999\r\n",
        ",\r\n",
        ",1,5\r\n",
        ",infinity\r\n",
        ",0x1\r\n",
        "(\r\n",
        "(1.5\r\n",
        "(-\r\n",
        "#\r\n",
        "#true\r\n",
        "#T\r\n",
        "_0\r\n",
        // Lengths.
        "$\r\n",
        "$-2\r\n",
        "$+1\r\na\r\n",
        "$1x\r\na\r\n",
        "$-1x\r\n",
        "$18446744073709551616\r\n",
        "*-2\r\n",
        "*\r\n",
        "*x\r\n",
        "*18446744073709551616\r\n",
        "*18446744073709551615\r\n",
        "%9223372036854775808\r\n",
        "%-1\r\n",
        "~-1\r\n",
        ">-1\r\n",
        "|-1\r\n",
        "!-1\r\n",
        "=-1\r\n",
        "!?\r\n",
        "=?\r\n",
        ">?\r\n",
        "|?\r\n",
        // Strings.
        "$5\r\nhello!\r\n",
        "$5\r\nhell\r\n+\r\n",
        "$1\r\na\n\n",
        "!3\r\nERRR\r\n",
        "=3\r\ntxt\r\n",
        "=1\r\na\r\n:1\r\n",
        "=8\r\ntxt-text\r\n",
        // Aggregates.
        ".\r\n",
        "*1\r\n.\r\n",
        "*?\r\n.x\r\n",
        "%?\r\n+a\r\n.\r\n",
        "%?\r\n+a\r\n:1\r\n+b\r\n.\r\n",
        "*?\r\n|1\r\n+a\r\n+b\r\n.\r\n",
        "*?\r\n*1\r\n.\r\n",
        "*1\r\n>1\r\n+a\r\n",
        "|1\r\n+a\r\n>0\r\n",
        "$?\r\n+a\r\n",
        "$?\r\n.\r\n",
        "$?\r\n;-1\r\n",
        "$?\r\n;1\r\nab\r\n",
    ] {
        assert_refused(wire);
    }
}

#[test]
fn an_error_shows_what_came_instead() {
    let limits = Limits::default();
    let message = refusal(limits, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n");
    assert_eq!(message, "the server sent an unknown type byte: \"HTTP/1.1 400 Bad Request\\r\\n\"");
    let message = refusal(limits, &"\u{1}".repeat(100));
    assert_eq!(message.matches("\\x01").count(), 32);
}

#[test]
fn an_error_shows_nothing_of_the_values_around_it() {
    let message = refusal(Limits::default(), "$6\r\nsecretsecret\r\n");
    assert_eq!(message, "the server sent a string longer than it said: \"se\"");
    let message = refusal(Limits { bulk: 5, ..Limits::default() }, "$6\r\nsecret\r\n");
    assert_eq!(message, "the server sent a string above 5 bytes: \"$6\\r\\n\"");
}

#[test]
fn depth_has_a_limit_and_costs_no_stack() {
    let nest = |depth: usize| format!("{}:1\r\n", "*1\r\n".repeat(depth));
    let seen = decode(nest(128).as_bytes(), &[]);
    assert_eq!(seen.line(), format!("{}1{}", "[".repeat(128), "]".repeat(128)));
    let message = refusal(Limits::default(), &nest(129));
    assert!(message.contains("deeper than 128"), "{message}");
    assert!(decode(nest(50_000).as_bytes(), &[]).failed);
    for part in ["|1\r\n", "*?\r\n", "%1\r\n", "~1\r\n"] {
        assert!(decode(part.repeat(129).as_bytes(), &[]).failed, "{part:?}");
    }
    assert!(decode(format!("{}$?\r\n", "*1\r\n".repeat(128)).as_bytes(), &[]).failed);
    assert!(decode(format!("{}*0\r\n", "*1\r\n".repeat(128)).as_bytes(), &[]).failed);

    // A limit that allows it shows that depth costs heap only.
    let deep = Limits { depth: 100_000, ..Limits::default() };
    let half = format!("{}*1\r\n", "*1\r\n".repeat(50_000));
    let (seen, _) = decode_within(deep, half.as_bytes(), &[half.len() / 2]);
    assert!(seen.cut && !seen.failed);
}

#[test]
fn counts_beyond_the_reply_limit_are_refused_at_once() {
    for wire in ["*2147483648\r\n", "*1000000000\r\n", "%4294967296\r\n", "%500000000\r\n"] {
        let message = refusal(Limits::default(), wire);
        assert!(message.contains("more elements"), "{message}");
    }
    let seen = decode_every_way(b"*300000000\r\n:1\r\n");
    assert!(seen.cut && !seen.failed, "a count that could come true is waited for");
}

#[test]
fn a_line_has_a_limit() {
    let limits = Limits { line: 10, ..Limits::default() };
    for mark in ["+", "-", "(", ":"] {
        let whole = format!("{mark}1234567890\r\n");
        for cut in 1..whole.len() {
            assert!(!decode_within(limits, whole.as_bytes(), &[cut]).0.failed);
        }
        let long = format!("{mark}12345678901\r\n");
        for cut in 1..long.len() {
            assert!(decode_within(limits, long.as_bytes(), &[cut]).0.failed);
        }
        assert!(decode_within(limits, format!("{mark}12345678901").as_bytes(), &[]).0.failed);
    }
    let default = format!("+{}", "x".repeat((64 << 10) + 1));
    assert!(refusal(Limits::default(), &default).contains("65536"));
    assert!(!decode(&default.as_bytes()[..default.len() - 1], &[]).failed);
}

#[test]
fn a_string_has_a_limit_and_all_its_chunks_share_it() {
    assert!(decode(b"$536870912\r\n", &[]).cut);
    assert!(refusal(Limits::default(), "$536870913\r\n").contains("536870912"));
    assert!(decode(b"!536870913\r\n", &[]).failed);
    assert!(decode(b"=536870913\r\n", &[]).failed);
    let limits = Limits { bulk: 5, ..Limits::default() };
    let (seen, _) = decode_within(limits, b"$?\r\n;3\r\nabc\r\n;2\r\nde\r\n;0\r\n", &[]);
    assert_eq!(seen.line(), "<\"abc\" \"de\">");
    assert!(refusal(limits, "$?\r\n;3\r\nabc\r\n;3\r\n").contains("above 5 bytes"));
}

#[test]
fn a_reply_has_a_limit_its_attributes_included() {
    let limits = Limits { reply: 40, ..Limits::default() };
    let fits = format!("*4\r\n{}", ":123456\r\n".repeat(4));
    assert_eq!(fits.len(), 40);
    for cut in 1..fits.len() {
        let twice = format!("{fits}{fits}");
        let (seen, message) = decode_within(limits, twice.as_bytes(), &[cut]);
        assert_eq!(seen.replies.len(), 2, "{message}");
    }
    for wire in [
        format!("*4\r\n{}:1234567\r\n", ":123456\r\n".repeat(3)),
        format!("*?\r\n{}", ":123456\r\n".repeat(5)),
        "|1\r\n+a\r\n+b\r\n".repeat(4),
        "*2\r\n:1\r\n$30\r\n".to_owned(),
        "$?\r\n;20\r\naaaaaaaaaaaaaaaaaaaa\r\n;10\r\n".to_owned(),
    ] {
        for cut in 1..wire.len() {
            let (seen, message) = decode_within(limits, wire.as_bytes(), &[cut]);
            assert!(seen.failed && message.contains("40 bytes"), "{wire:?}: {message}");
        }
    }
}

#[test]
fn a_reply_of_too_many_values_is_thrown_away_alone() {
    let limits = Limits { reply: 1_000, ..Limits::default() };
    let nulls = |count: usize| "_\r\n".repeat(count);
    let kept = format!("*30\r\n{}", nulls(30));
    let excess = [
        format!("*40\r\n{}", nulls(40)),
        format!("*?\r\n{}.\r\n", nulls(40)),
        format!("%20\r\n{}", nulls(40)),
        format!("*2\r\n~39\r\n{}:1\r\n", nulls(39)),
        format!("*2\r\n%?\r\n{}.\r\n$3\r\nabc\r\n", nulls(40)),
        format!("|1\r\n+a\r\n*40\r\n{}:1\r\n", nulls(40)),
        format!("*1\r\n$?\r\n{};0\r\n", ";1\r\na\r\n".repeat(40)),
        format!("*2\r\n*40\r\n{}$?\r\n;3\r\nabc\r\n;2\r\nde\r\n;0\r\n", nulls(40)),
    ];
    for excess in excess {
        let wire = format!("{kept}{excess}{kept}{excess}+OK\r\n");
        let shown = format!("[{}]", ["_"; 30].join(" "));
        let (whole, message) = decode_within(limits, wire.as_bytes(), &[]);
        let expected = [&shown, "excess", &shown, "excess", "+OK"];
        assert_eq!(whole.replies, expected, "{excess:?}: {message}");
        let bytes: Vec<usize> = (1..wire.len()).collect();
        assert_eq!(decode_within(limits, wire.as_bytes(), &bytes).0, whole, "{excess:?}");
        for cut in bytes {
            let (seen, message) = decode_within(limits, wire.as_bytes(), &[cut]);
            assert_eq!(seen, whole, "{excess:?} cut at {cut}: {message}");
        }
    }
    let push = format!(">40\r\n{}+OK\r\n", nulls(40));
    let (seen, _) = decode_within(limits, push.as_bytes(), &[100]);
    assert_eq!((seen.pushes, seen.replies), (vec!["excess".to_owned()], vec!["+OK".to_owned()]));
}

#[test]
fn a_reply_that_is_thrown_away_has_a_limit_too() {
    let limits = Limits { reply: 1_000, ..Limits::default() };
    for wire in [
        format!("*?\r\n{}", "_\r\n".repeat(400)),
        format!("*300\r\n{}$200\r\n", "_\r\n".repeat(290)),
        format!("*300\r\n{}", "+a\r\n".repeat(300)),
    ] {
        let (whole, message) = decode_within(limits, wire.as_bytes(), &[]);
        assert!(whole.failed && message.contains("above 1000 bytes"), "{wire:.20}: {message}");
        let bytes: Vec<usize> = (1..wire.len()).collect();
        assert_eq!(decode_within(limits, wire.as_bytes(), &bytes).1, message);
        for cut in bytes {
            assert_eq!(decode_within(limits, wire.as_bytes(), &[cut]).1, message, "at {cut}");
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let limits = Limits::default();
    assert_eq!(limits, Limits { bulk: 536_870_912, depth: 128, line: 65_536, reply: 1 << 30 });
}
