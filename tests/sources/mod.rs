//! The sources of the crate, line by line, for tests that compare them with a rule.
//!
//! Comments do not count, and neither do unit tests: files and folders called `tests`, and what
//! follows `#[cfg(test)]` at the end of a file.

// Every test binary compiles its own copy and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

/// One file below `src`.
pub struct Source {
    /// Its path from the root of the repository.
    pub path: String,
    /// The module of the crate that it belongs to.
    pub module: String,
    pub text: String,
}

impl Source {
    /// The lines of code with their numbers, without indentation.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = |line: &str| line.trim_start().starts_with("#[cfg(test)]");
        let in_tests = self.path.contains("/tests/") || self.path.ends_with("/tests.rs");
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
}

/// All files but `src/lib.rs`.
pub fn sources() -> Vec<Source> {
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
