//! The picture of the layers stays true: who imports whom, and what stays where it belongs.
//!
//! Reads the sources line by line. A path that starts with `crate::` counts wherever it stands, in
//! a `use` or not; comments and the tests below `#[cfg(test)]` do not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate, and those that it may use. Lower ones come first, so that a reader
/// sees at a glance that nothing points up.
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
    ("pool", &["error", "metrics", "backoff", "resp", "options", "stream", "outbox", "connection"]),
    ("lane", SHARED),
    // A session is an exclusive lane and what its caller leaves behind on it.
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

/// What a lane and a subscriber may use: all below them, but not one another.
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
/// Who says where the nodes are.
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
        for (number, used) in source.imports() {
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

/// The state of a lane must not know who moves its bytes.
#[test]
fn a_lanes_state_knows_no_runtime() {
    for source in sources().iter().filter(|source| source.path.ends_with("lane/state.rs")) {
        for (number, line) in source.code().filter(|(_, line)| line.contains("tokio")) {
            // An instant is a number; under paused time it has to be tokio's.
            assert_eq!(line, "use tokio::time::Instant;", "line {number}");
        }
        let super_uses = source.code().filter(|(_, line)| line.starts_with("use super::"));
        for (number, line) in super_uses {
            let is_pure = ["batch", "outcome", "refusal"]
                .iter()
                .any(|module| line.starts_with(&format!("use super::{module}::")));
            assert!(is_pure, "line {number}: {line}");
        }
    }
}

#[test]
fn an_import_is_found_wherever_it_stands() {
    let text = "//! crate::not_this\nuse crate::{lane, pool::Pool};\n    crate::client::start(); // crate::no\n\
                #[cfg(test)]\nmod tests;\nuse crate::resp;\n#[cfg(test)]\nmod more {\n    use crate::binding;\n";
    let (path, module) = ("src/lane/x.rs".to_owned(), "lane".to_owned());
    let source = Source { path, module, text: text.to_owned() };
    let found: Vec<_> = source.imports();
    let expected = [(2, "lane"), (2, "pool"), (3, "client"), (6, "resp")];
    assert_eq!(found, expected.map(|(line, module)| (line, module.to_owned())));
    assert!(has_word("unsafe {", "unsafe") && !has_word("unsafe_code", "unsafe"));
}

struct Source {
    path: String,
    module: String,
    text: String,
}

impl Source {
    /// The lines that are no comment, with their numbers, up to the unit tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = |line: &str| line.trim_start().starts_with("#[cfg(test)]");
        let in_tests = self.path.contains("/tests");
        let mut lines = self.text.lines().map(str::trim).enumerate().peekable();
        std::iter::from_fn(move || {
            loop {
                let (at, line) = lines.next()?;
                if in_tests {
                    return None;
                }
                if is_test(line) {
                    // A module of its own, or one at the end of this file.
                    let (_, next) = lines.next()?;
                    if next.ends_with('{') && next.starts_with("mod ") {
                        return None;
                    }
                    continue;
                }
                if !line.starts_with("//") {
                    return Some((at + 1, line.split(" //").next().unwrap_or_default()));
                }
            }
        })
    }

    /// The modules of this crate that the code names, one by one also where they stand in braces.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (number, line) in self.code() {
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

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut sources = Vec::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if module != "lib" {
            let text = fs::read_to_string(&file).unwrap();
            sources.push(Source { path: format!("src/{path}"), module, text });
        }
    }
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
