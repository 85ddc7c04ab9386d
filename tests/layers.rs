//! The table of layers is true: modules import from below only, and what belongs to one module stays
//! there.
//!
//! A path that starts with `crate::` counts as an import wherever it stands, in a `use` or not.

mod sources;

use std::collections::BTreeSet;

use sources::{sources, Source};

/// Each module of the crate, and the modules that it may use. A module stands behind all that it may
/// use.
const LAYERS: &[(&str, &[&str])] = &[
    // 0
    ("error", &[]),
    ("metrics", &[]),
    ("backoff", &[]),
    // 1: pure
    ("error_replies", &["error"]),
    ("resp", &["error"]),
    ("options", &["error", "resp"]),
    ("command", &["error", "resp"]),
    // 2: I/O, and the way back
    ("stream", &["error", "options"]),
    ("outbox", &["error", "resp"]),
    ("connection", &["error", "error_replies", "resp", "options", "command", "stream"]),
    // 3: resources
    ("pool", POOL),
    ("lane", SHARED),
    // A session is an exclusive lane, and a record of what its caller has changed on it.
    ("session", &["error", "resp", "command", "pool", "lane"]),
    ("pubsub", SHARED),
    // 4: topology
    ("topology", TOPOLOGY),
    ("sentinel", SOURCES),
    ("cluster", SOURCES),
    // 5
    ("client", BELOW_CLIENT),
    // 6
    ("binding", BELOW_BINDING),
];

/// What a pool may use.
const POOL: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "error_replies",
    "resp",
    "options",
    // What commands leave on a connection that is to be made again.
    "command",
    "stream",
    "outbox",
    "connection",
];
/// What a lane and a subscriber may use: all modules below them, but not each other.
const SHARED: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "error_replies",
    "resp",
    "options",
    "command",
    "stream",
    "outbox",
    "connection",
    "pool",
];
const TOPOLOGY: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "error_replies",
    "resp",
    "options",
    "command",
    "stream",
    "outbox",
    "connection",
    "pool",
    "lane",
    "session",
    "pubsub",
];
/// What may be used by the modules that find out where the nodes are.
const SOURCES: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "resp",
    "options",
    "command",
    "connection",
    "pool",
    "topology",
];
const BELOW_CLIENT: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "error_replies",
    "resp",
    "options",
    "command",
    "stream",
    "outbox",
    "connection",
    "pool",
    "lane",
    "session",
    "pubsub",
    "topology",
    "sentinel",
    "cluster",
];
const BELOW_BINDING: &[&str] = &[
    "error",
    "metrics",
    "backoff",
    "error_replies",
    "resp",
    "options",
    "command",
    "stream",
    "outbox",
    "connection",
    "pool",
    "lane",
    "session",
    "pubsub",
    "topology",
    "sentinel",
    "cluster",
    "client",
];

/// Words that only these modules may contain.
const RESERVED: &[(&str, &[&str])] = &[
    ("napi", &["binding"]),
    ("napi_derive", &["binding"]),
    ("unsafe", &["binding"]),
    ("bb8", &["pool"]),
    ("rustls", &["stream", "options", "connection", "pool"]),
    ("tokio_rustls", &["stream"]),
    ("TcpStream", &["stream"]),
    ("UnixStream", &["stream"]),
];

/// Modules without I/O, clock or runtime.
const PURE: &[&str] =
    &["error", "metrics", "backoff", "error_replies", "resp", "options", "command"];

#[test]
fn modules_import_from_below_only() {
    let mut offences = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = LAYERS.iter().find(|(module, _)| *module == source.module) else {
            offences.push(format!("{}: `{}` is in no layer", source.path, source.module));
            continue;
        };
        for (number, used) in imports(&source) {
            let is_fine = used == source.module || allowed.contains(&used.as_str());
            if !is_fine {
                let Source { path, module, .. } = &source;
                offences.push(format!("{path}:{number}: `{module}` may not use `{used}`"));
            }
        }
    }
    assert_eq!(offences, Vec::<String>::new());
}

#[test]
fn every_module_may_use_only_those_listed_before_it() {
    for (at, (module, allowed)) in LAYERS.iter().enumerate() {
        let below: BTreeSet<_> = LAYERS[..at].iter().map(|(module, _)| *module).collect();
        for used in *allowed {
            assert!(below.contains(used), "`{module}` points up, at `{used}`");
        }
    }
    let uses = |a: &str, b: &str| LAYERS.iter().any(|(m, used)| *m == a && used.contains(&b));
    for (one, other) in [("session", "pubsub"), ("pubsub", "lane")] {
        assert!(!uses(one, other) && !uses(other, one));
    }
    assert!(!uses("lane", "session"));
}

#[test]
fn what_belongs_to_one_module_stays_there() {
    let mut offences = Vec::new();
    for source in sources() {
        for (number, line) in source.code() {
            for (word, owners) in RESERVED {
                if has_word(line, word) && !owners.contains(&source.module.as_str()) {
                    offences.push(format!("{}:{number}: `{word}`", source.path));
                }
            }
            let is_pure = PURE.contains(&source.module.as_str());
            if is_pure && has_word(line, "tokio") {
                offences.push(format!("{}:{number}: a pure module uses tokio", source.path));
            }
        }
    }
    assert_eq!(offences, Vec::<String>::new());
}

/// The queue of a lane must not know who moves its bytes.
#[test]
fn a_lanes_queue_knows_no_runtime() {
    let sources = sources();
    let queue: Vec<_> =
        sources.iter().filter(|source| source.path.starts_with("src/lane/queue/")).collect();
    assert!(!queue.is_empty(), "the queue was not found");
    for source in queue {
        let path = &source.path;
        for (number, line) in source.code().filter(|(_, line)| line.contains("tokio")) {
            // An instant is a number; under paused time it has to be tokio's.
            assert_eq!(line, "use tokio::time::Instant;", "{path}:{number}");
        }
        let neighbour =
            if path.ends_with("/mod.rs") { "use super::" } else { "use super::super::" };
        let neighbours = source.code().filter(|(_, line)| line.starts_with(neighbour));
        for (number, line) in neighbours {
            let is_pure = ["batch", "command", "outcome", "refusal"]
                .iter()
                .any(|module| line.starts_with(&format!("{neighbour}{module}::")));
            assert!(is_pure, "{path}:{number}: {line}");
        }
    }
}

#[test]
fn an_import_is_found_wherever_it_stands() {
    let text = "//! crate::not_this\nuse crate::{lane, pool::Pool};\n    crate::client::start(); // crate::no\n\
                #[cfg(test)]\nmod tests;\nuse crate::resp;\n#[cfg(test)]\nmod more {\n    use crate::binding;\n";
    let (path, module) = ("src/lane/x.rs".to_owned(), "lane".to_owned());
    let source = Source { path, module, text: text.to_owned() };
    let found: Vec<_> = imports(&source);
    let expected = [(2, "lane"), (2, "pool"), (3, "client"), (6, "resp")];
    assert_eq!(found, expected.map(|(line, module)| (line, module.to_owned())));
    assert!(has_word("unsafe {", "unsafe") && !has_word("unsafe_code", "unsafe"));
}

/// The modules of this crate that the code of `source` names, one by one also where they stand in
/// braces.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.code() {
        for (at, _) in line.match_indices("crate::") {
            let path = &line[at + "crate::".len()..];
            match path.strip_prefix('{') {
                Some(list) => {
                    let names = list.split(['}', ';']).next().unwrap_or_default();
                    names.split(',').for_each(|name| found.push((number, word(name.trim()))));
                }
                None => found.push((number, word(path))),
            }
        }
    }
    found.retain(|(_, module)| !module.is_empty());
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
