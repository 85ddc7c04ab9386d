//! A name means one thing: no two modules define a type of the same name.
//!
//! A reader who meets `Verdict` or `Inner` in an error or in a search has to know which one is
//! meant. Associated types and aliases do not count, since they name no type of their own.

mod sources;

use std::collections::BTreeMap;

use sources::sources;

/// Files that stand in for another one on other platforms, and define the same types on purpose.
const STAND_INS: &[&str] = &["src/binding/poll_none.rs"];

#[test]
fn no_two_modules_define_a_type_of_one_name() {
    let mut positions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        if STAND_INS.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in source.code() {
            if let Some(name) = defined(line) {
                let position = format!("{}:{number}", source.path);
                positions.entry(name.to_owned()).or_default().push(position);
            }
        }
    }
    assert!(positions.len() > 100, "the types were not found");
    let doubled: Vec<String> = positions
        .into_iter()
        .filter(|(_, positions)| positions.len() > 1)
        .map(|(name, positions)| format!("{name}: {}", positions.join(", ")))
        .collect();
    assert!(doubled.is_empty(), "rename all but one of each:\n{}", doubled.join("\n"));
}

#[test]
fn stand_ins_exist() {
    let all = sources();
    for path in STAND_INS {
        assert!(all.iter().any(|source| source.path == *path), "{path} is gone");
    }
}

#[test]
fn a_definition_is_found_whatever_its_visibility() {
    for (line, name) in [
        ("struct Lane {", "Lane"),
        ("pub struct Secret(Zeroizing<String>);", "Secret"),
        ("pub(super) enum Socket {", "Socket"),
        ("pub(in crate::connection) enum HandshakeOutcome {", "HandshakeOutcome"),
        ("pub trait Watcher: Send {", "Watcher"),
        ("pub unsafe trait Marker {}", "Marker"),
        ("pub struct Args<'a> {", "Args"),
        ("union Bits {", "Bits"),
    ] {
        assert_eq!(defined(line), Some(name), "{line}");
    }
    for line in
        ["type Change = fn();", "impl Lane {", "let struct_name = 1;", "fn enumerate() {", "pub"]
    {
        assert_eq!(defined(line), None, "{line}");
    }
}

/// The type that a line of code defines, if it defines one.
fn defined(line: &str) -> Option<&str> {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub") {
        rest = match after.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1,
            None => after,
        };
    }
    rest = rest.trim_start();
    rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let keywords = ["struct ", "enum ", "trait ", "union "];
    let name = keywords.iter().find_map(|keyword| rest.strip_prefix(keyword))?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some(&name[..end.unwrap_or(name.len())])
}
