//! The architecture, checked: who may import whom, how large a file may grow, which names say nothing.
//! The table is the one in `ARCHITECTURE.md`; an exception here means the design is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the crate and the modules that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("project", &["model"]),
    ("process", &["model"]),
    ("net", &["model"]),
    ("store", &["model"]),
    ("ui", &["model"]),
    ("tools", &["model", "process", "net"]),
    ("services", &["model", "net", "process"]),
    ("lifecycle", &["model", "process", "tools", "services"]),
    ("ops", &["model", "project", "process", "net", "store", "tools", "services", "lifecycle"]),
    ("cli", &["model", "project", "ui", "ops", "daemon"]),
];

/// Crates that the pure layer may use.
const MODEL_CRATES: &[&str] = &["std", "core", "serde", "serde_json", "thiserror", "crate", "super", "self"];

const BANNED_NAMES: &[&str] = &["util", "utils", "helpers", "helper", "common", "misc", "manager", "imp"];
const MAX_LINES: usize = 400;
const MAX_MOD_LINES: usize = 80;
const MAX_FN_LINES: usize = 80;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8 source");
                into.push((path, text));
            }
        }
    }
    let mut all = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(!all.is_empty());
    all
}

fn layer(path: &Path) -> Option<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let first = below.components().next()?.as_os_str().to_str()?;
    let name = first.trim_end_matches(".rs");
    (name != "main" && name != "lib").then(|| name.to_owned())
}

/// Names after `crate::` in a source, comments and strings left out as far as a line goes.
fn imported(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        let mut rest = code;
        while let Some(at) = rest.find("crate::") {
            rest = &rest[at + "crate::".len()..];
            if let Some(inner) = rest.strip_prefix('{') {
                let inner = inner.split('}').next().unwrap_or("");
                found.extend(inner.split(',').map(|part| (number + 1, word(part.trim()))));
            } else {
                found.push((number + 1, word(rest)));
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_import_only_from_the_layers_below_them() {
    let table: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(layer) = layer(&path) else { continue };
        let Some(allowed) = table.get(layer.as_str()) else {
            wrong.push(format!("{}: `{layer}` is in no row of the table", path.display()));
            continue;
        };
        for (line, target) in imported(&text) {
            if target != layer && table.contains_key(target.as_str()) && !allowed.contains(&target.as_str()) {
                wrong.push(format!("{}:{line}: {layer} imports {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_model_is_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if layer(&path).as_deref() != Some("model") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if let Some(rest) = code.trim_start().strip_prefix("use ") {
                let root = word(rest);
                if !MODEL_CRATES.contains(&root.as_str()) {
                    wrong.push(format!("{}:{}: uses {root}", path.display(), number + 1));
                }
            }
            for banned in ["std::fs", "std::env", "std::process", "SystemTime", "Instant::", "std::net::Tcp"] {
                if code.contains(banned) {
                    wrong.push(format!("{}:{}: {banned}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_and_functions_stay_small_and_say_what_they_hold() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let shown = path.display();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("");
        let folder = path.parent().and_then(|p| p.file_name()).and_then(|s| s.to_str()).unwrap_or("");
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{shown}: {lines} lines, {MAX_LINES} at most"));
        }
        if stem == "mod" && lines > MAX_MOD_LINES {
            wrong.push(format!("{shown}: {lines} lines, {MAX_MOD_LINES} at most in mod.rs"));
        }
        for name in [stem, folder] {
            if BANNED_NAMES.contains(&name) {
                wrong.push(format!("{shown}: `{name}` says nothing about what is inside"));
            }
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{shown}: no //! header"));
        }
        wrong.extend(
            long_functions(&text)
                .into_iter()
                .map(|(line, length)| format!("{shown}:{line}: a function of {length} lines, {MAX_FN_LINES} at most")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Functions (by rustfmt's layout: the closing brace stands under the `fn` line's indent) over the limit.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let is_fn = [
            "fn ",
            "pub fn ",
            "async fn ",
            "pub async fn ",
            "pub(crate) fn ",
            "pub(crate) async fn ",
            "pub(super) fn ",
            "pub(super) async fn ",
        ]
        .iter()
        .any(|head| trimmed.starts_with(head));
        if !is_fn {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|l| **l == close)
            && length + 1 > MAX_FN_LINES
        {
            found.push((start + 1, length + 1));
        }
    }
    found
}
