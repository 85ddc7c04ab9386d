//! Every type of RESP2 and RESP3, as bytes and as the value they mean.

use crate::show::decode_every_way;

/// Asserts that each stream decodes to the replies beside it, however it is cut.
fn assert_replies(table: &[(&str, &str)]) {
    for (wire, replies) in table {
        let seen = decode_every_way(wire.as_bytes());
        assert!(!seen.failed && !seen.cut, "{wire:?}: {seen:?}");
        assert_eq!(seen.line(), *replies, "{wire:?}");
        assert_eq!(seen.pushes, [""; 0], "{wire:?}");
    }
}

#[test]
fn resp2_types() {
    assert_replies(&[
        ("+OK\r\n", "+OK"),
        ("+\r\n", "+"),
        ("+PONG\r\n+OKAY\r\n", "+PONG +OKAY"),
        ("-ERR unknown command\r\n", "-ERR unknown command"),
        (":0\r\n", "0"),
        (":1000\r\n:-1\r\n:+5\r\n:-0\r\n", "1000 -1 5 0"),
        (":9223372036854775807\r\n", "9223372036854775807"),
        (":-9223372036854775808\r\n", "-9223372036854775808"),
        ("$5\r\nhello\r\n", "\"hello\""),
        ("$0\r\n\r\n", "\"\""),
        ("$4\r\n\r\n\r\n\r\n", "\"\\r\\n\\r\\n\""),
        ("$10\r\n0123456789\r\n", "\"0123456789\""),
        ("*0\r\n", "[]"),
        ("*2\r\n$3\r\nfoo\r\n:7\r\n", "[\"foo\" 7]"),
        ("*2\r\n*1\r\n+a\r\n*2\r\n*0\r\n-E b\r\n", "[[+a] [[] -E b]]"),
    ]);
}

#[test]
fn resp3_types() {
    assert_replies(&[
        ("_\r\n", "_"),
        ("#t\r\n#f\r\n", "#t #f"),
        (",1\r\n,1.5\r\n,1.5e3\r\n,-0\r\n", ",1 ,1.5 ,1500 ,-0"),
        (",inf\r\n,-inf\r\n,nan\r\n,-nan\r\n", ",inf ,-inf ,NaN ,NaN"),
        ("(3492890328409238509324850943850943825024385\r\n", {
            "(3492890328409238509324850943850943825024385"
        }),
        ("(-1\r\n", "(-1"),
        ("!21\r\nSYNTAX invalid syntax\r\n", "!SYNTAX invalid syntax"),
        ("!7\r\nE a\r\nb \r\n", "!E a\\r\\nb "),
        ("=15\r\ntxt:Some string\r\n", "=\"txt:Some string\""),
        ("=4\r\nmkd:\r\n", "=\"mkd:\""),
        ("%0\r\n", "{}"),
        ("%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", "{+first: 1 +second: 2}"),
        ("~3\r\n+orange\r\n#t\r\n:100\r\n", "~[+orange #t 100]"),
        ("~0\r\n", "~[]"),
        ("%1\r\n*1\r\n:1\r\n%1\r\n~0\r\n_\r\n", "{[1]: {~[]: _}}"),
    ]);
}

#[test]
fn a_map_keeps_the_order_and_the_duplicates_of_the_wire() {
    assert_replies(&[("%3\r\n+z\r\n:1\r\n+a\r\n:2\r\n+z\r\n:3\r\n", "{+z: 1 +a: 2 +z: 3}")]);
}

#[test]
fn nulls_of_either_protocol_are_one_value() {
    assert_replies(&[
        ("$-1\r\n*-1\r\n_\r\n", "_ _ _"),
        ("*3\r\n$-1\r\n*-1\r\n_\r\n", "[_ _ _]"),
        ("%1\r\n_\r\n$-1\r\n", "{_: _}"),
    ]);
}

#[test]
fn streamed_strings() {
    assert_replies(&[
        ("$?\r\n;0\r\n", "<>"),
        ("$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", "<\"Hell\" \"o wor\" \"d\">"),
        ("*2\r\n$?\r\n;2\r\n\r\n\r\n;0\r\n:1\r\n", "[<\"\\r\\n\"> 1]"),
        ("%1\r\n$?\r\n;1\r\na\r\n;0\r\n$?\r\n;0\r\n+x\r\n", "{<\"a\">: <>} +x"),
    ]);
}

#[test]
fn streamed_aggregates_become_plain_ones() {
    assert_replies(&[
        ("*?\r\n.\r\n", "[]"),
        ("*?\r\n:1\r\n:2\r\n:3\r\n.\r\n", "[1 2 3]"),
        ("~?\r\n+a\r\n.\r\n", "~[+a]"),
        ("%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n", "{+a: 1 +b: 2}"),
        ("%?\r\n.\r\n", "{}"),
        ("*?\r\n*2\r\n:1\r\n*?\r\n.\r\n%?\r\n+k\r\n~?\r\n.\r\n.\r\n.\r\n", "[[1 []] {+k: ~[]}]"),
        ("*2\r\n*?\r\n.\r\n:1\r\n", "[[] 1]"),
    ]);
}

#[test]
fn attributes_are_skipped_at_any_depth() {
    assert_replies(&[
        ("|1\r\n+ttl\r\n:3600\r\n+OK\r\n", "+OK"),
        ("|0\r\n:1\r\n", "1"),
        ("|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n:1\r\n:2\r\n", "1 2"),
        ("*3\r\n:1\r\n|1\r\n+ttl\r\n:3\r\n:2\r\n|0\r\n*0\r\n", "[1 2 []]"),
        ("|1\r\n+a\r\n|1\r\n+b\r\n*1\r\n:1\r\n%1\r\n+c\r\n:1\r\n$2\r\nhi\r\n", "\"hi\""),
        ("*?\r\n|1\r\n+a\r\n$?\r\n;0\r\n:1\r\n.\r\n", "[1]"),
        ("%1\r\n|1\r\n+a\r\n:0\r\n+k\r\n|1\r\n+a\r\n:0\r\n+v\r\n", "{+k: +v}"),
        ("|1\r\n+a\r\n*?\r\n:1\r\n.\r\n_\r\n", "_"),
    ]);
}

#[test]
fn pushes_never_take_the_place_of_a_reply() {
    let wire = b"+a\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n:1\r\n\
        >3\r\n+message\r\n+c\r\n|1\r\n+x\r\n+y\r\n+m\r\n\
        |1\r\n+a\r\n:1\r\n>1\r\n+late\r\n*1\r\n:2\r\n>0\r\n";
    let seen = decode_every_way(wire);
    assert_eq!(seen.replies, ["+a", "1", "[2]"]);
    assert_eq!(seen.pushes, [">[+invalidate [\"k\"]]", ">[+message +c +m]", ">[+late]", ">[]"]);
    assert!(!seen.failed && !seen.cut);
}

#[test]
fn a_reply_of_hello_is_read() {
    let wire = b"%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n$7\r\nmodules\r\n*0\r\n";
    let seen = decode_every_way(wire);
    assert_eq!(seen.line(), "{\"server\": \"redis\" \"proto\": 3 \"modules\": []}");
}

#[test]
fn every_unfinished_stream_is_known_as_such() {
    let wire = b"*3\r\n$2\r\nab\r\n%1\r\n+k\r\n$?\r\n;1\r\nx\r\n;0\r\n|1\r\n+a\r\n:1\r\n,1.5\r\n";
    for cut in 1..wire.len() {
        let seen = decode_every_way(&wire[..cut]);
        assert!(seen.cut && !seen.failed && seen.replies.is_empty(), "cut at {cut}: {seen:?}");
    }
    assert!(!decode_every_way(wire).cut);
}
