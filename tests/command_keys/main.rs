//! The keys that the table finds in a command are those that a real server finds (`COMMAND
//! GETKEYS`), and those that the methods of JavaScript put into it.

#![cfg(unix)]

mod server;

use std::collections::{BTreeMap, BTreeSet};

use oxidis::command::{self, keys, slot};
use oxidis::resp::encode;
use server::{Reply, Server};

/// The calls of all methods, with their keys: see scripts/generate/calls.js.
const CALLS: &str = include_str!("calls.txt");

/// Calls that no method makes, and calls in which keys and arguments are spelt like options.
const MORE: &str = "\
WATCH a b c
WATCH a
WATCH {k}1 {k}2
DEBUG OBJECT a
SORT a BY store GET store LIMIT 0 1 DESC STORE b
SORT a GET by STORE b STORE c
SORT store
SORT_RO a BY store* LIMIT 0 1
MIGRATE host 6379 a 0 100 COPY
MIGRATE host 6379 % 0 100 KEYS a b
MIGRATE host 6379 % 0 100 REPLACE AUTH keys KEYS a b
MIGRATE host 6379 % 0 100 AUTH2 keys keys KEYS keys
GEORADIUS a 1 2 3 km COUNT 1 STORE b
GEORADIUS store 1 2 3 km
GEORADIUSBYMEMBER a m 3 km STOREDIST b
XREAD BLOCK 0 STREAMS a b c 0 0 $
XREAD STREAMS streams 0
XREADGROUP GROUP STREAMS STREAMS COUNT 1 STREAMS a b > >
EVAL return 3 a b c d
EVAL keys 0
EVALSHA_RO sha 1 a
FCALL f 2 a b c
FCALL_RO f 1 a
BITOP NOT a b
BITOP XOR a b c d
ZUNIONSTORE a 3 b c d WEIGHTS 1 2 3
ZINTER 1 a
ZDIFF 2 a b WITHSCORES
BLMPOP 0 2 a b LEFT
LMPOP 1 a RIGHT COUNT 2
BZMPOP 1 3 a b c MIN
SINTERCARD 2 a b LIMIT 1
BLPOP a b c 1.5
BRPOPLPUSH a b 0
MSETNX a 1 b 2 c 3
MGET a a a
PFMERGE a b c
PFDEBUG ENCODING a
PFDEBUG DECODE b
PFDEBUG TODENSE {k}1
HIMPORT SET a f 1 2
HIMPORT SET %00 fields %ff
HIMPORT SET {k}1 f a b c
HMSET a f 1 g 2
HMSET b f %
HMSET {k}1 {k}2 {k}3
SUBSTR a 0 1
SUBSTR b -5 -1
SUBSTR {k}1 0 0
VISMEMBER a e
VISMEMBER b a
VISMEMBER {k}1 %00
ZREVRANGE a 0 1
ZREVRANGE b 0 -1 WITHSCORES
ZREVRANGE {k}1 5 0
ZREVRANGEBYLEX a + -
ZREVRANGEBYLEX b [z (a
ZREVRANGEBYLEX {k}1 + - LIMIT 0 5
ZREVRANGEBYSCORE a 2 1 LIMIT 0 1
ZREVRANGEBYSCORE b +inf -inf
ZREVRANGEBYSCORE {k}1 (5 1 WITHSCORES
LCS a b IDX
OBJECT HELP
MEMORY USAGE a SAMPLES 5
XGROUP CREATE a g $ MKSTREAM
XINFO STREAM a FULL
RESTORE-ASKING a 0 x REPLACE
COPY a b DB 1
";

#[test]
fn keys_are_those_that_the_server_finds() {
    let Some(mut server) = Server::start(|| vec!["--port".into(), "0".into()]) else { return };
    let (mut compared, mut unknown, mut seen) = (0, BTreeSet::new(), BTreeSet::new());
    for call in CALLS.lines().chain(MORE.lines()).map(Call::read) {
        let spec = command::of(&call.encoded);
        let name = spec.map_or("?", |spec| spec.name);
        let found: Vec<_> = call.found();
        let mut question: Vec<&[u8]> = vec![b"COMMAND", b"GETKEYS"];
        question.extend(call.args.iter().map(Vec::as_slice));
        match server.ask(&question) {
            Reply::List(keys) => assert_eq!(found, keys, "{}", call.line),
            // The server is older than the command, or than this form of it.
            Reply::Error(text)
                if text.contains("Invalid command specified")
                    || text.contains("Invalid number of arguments") =>
            {
                unknown.insert(name);
                continue;
            }
            // A shard channel is no key for the server, but has a slot.
            Reply::Error(text) if name == "SPUBLISH" => assert!(text.contains("no key"), "{text}"),
            // The server wants a source key as well; a call without one is allowed.
            Reply::Error(_) if name == "PFMERGE" => assert_eq!(found, call.keys),
            Reply::Error(text) => {
                let none = ["no key arguments", "Invalid arguments", "wrong number of arguments"];
                assert!(none.iter().any(|none| text.contains(none)), "{}: {text}", call.line);
                assert!(found.is_empty(), "{}: {text}", call.line);
            }
        }
        compared += 1;
        seen.insert(name);
    }
    assert!(compared > 900, "{compared} calls");
    // For commands that the server does not know, `keys_are_those_that_the_methods_encode`
    // compares.
    println!(
        "key positions: {compared} calls of {} commands compared; this server does not know {unknown:?}",
        seen.len()
    );
}

#[test]
fn keys_are_those_that_the_methods_encode() {
    for call in CALLS.lines().map(Call::read) {
        match command::of(&call.encoded).map(|spec| spec.name) {
            // It takes a channel, which gets no prefix, so the method does not mark it as a key.
            Some("SPUBLISH") => assert_eq!(call.found(), call.args[1..2], "{}", call.line),
            // Its arguments are a whole command, in which the method marks no key.
            Some("COMMAND GETKEYS" | "COMMAND GETKEYSANDFLAGS") => {}
            // Its argument is a key, but any node can run it.
            Some("CLUSTER KEYSLOT") => assert_eq!(call.found().len(), 0),
            _ => assert_eq!(call.found(), call.keys, "{}", call.line),
        }
    }
}

#[test]
fn every_command_with_keys_is_called_in_several_ways() {
    let mut called: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for call in CALLS.lines().chain(MORE.lines()).map(Call::read) {
        if let Some(spec) = command::of(&call.encoded) {
            called.entry(spec.name).or_default().insert(call.encoded);
        }
    }
    let count = |name: &str| called.get(name).map_or(0, BTreeSet::len);
    let keyed: Vec<_> = command::all().iter().filter(|spec| !spec.keys.is_empty()).collect();
    let lacking: Vec<_> =
        keyed.iter().map(|spec| spec.name).filter(|name| count(name) < CALLS_OF_EACH).collect();
    assert_eq!(lacking, NOT_CALLED, "fewer than {CALLS_OF_EACH} calls in calls.js and MORE");
    let calls: usize = keyed.iter().map(|spec| count(spec.name)).sum();
    println!("{} commands with keys, {calls} different calls of them", keyed.len());
}

#[test]
fn slots_are_those_of_a_server() {
    // Only a node of a cluster tells slots, and it has to listen at a port.
    let settings = || {
        let [port, bus] = free_ports();
        ["--port", &port, "--cluster-enabled", "yes", "--cluster-port", &bus]
            .map(str::to_owned)
            .into()
    };
    let Some(mut server) = Server::start(settings) else { return };
    let calls: Vec<_> = CALLS.lines().map(Call::read).collect();
    let keys: BTreeSet<_> = calls.iter().flat_map(|call| call.args.iter()).collect();
    for key in keys {
        let Reply::Error(text) = server.ask(&[b"CLUSTER", b"KEYSLOT", key]) else {
            panic!("a list for a slot");
        };
        assert_eq!(text, format!(":{}", slot::of(key)), "{}", key.escape_ascii());
    }
}

fn free_ports() -> [String; 2] {
    let listeners = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port().to_string())
}

/// One call alone would not show a wrong position, or a count of keys that is taken for a key.
const CALLS_OF_EACH: usize = 3;

/// Shard channels have slots, but a server finds no keys in these commands.
const NOT_CALLED: &[&str] = &["SSUBSCRIBE", "SUNSUBSCRIBE"];

struct Call {
    line: &'static str,
    args: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    encoded: Vec<u8>,
}

impl Call {
    fn read(line: &'static str) -> Self {
        let (command, keys) = line.split_once('\t').unwrap_or((line, ""));
        let args = words(command);
        let mut encoded = Vec::new();
        encode::command(&mut encoded, &args.iter().map(Vec::as_slice).collect::<Vec<_>>());
        Self { line, args, keys: words(keys), encoded }
    }

    /// The keys that the table finds.
    fn found(&self) -> Vec<Vec<u8>> {
        keys::of(&self.encoded).map(<[u8]>::to_vec).collect()
    }
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').filter(|word| !word.is_empty()).map(word).collect()
}

fn word(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts.filter(|part| !part.is_empty()) {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}
