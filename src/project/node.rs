//! A small YAML tree in which every key and value knows its place. Made by `yaml`, read by `read`.

use serde_json::{Map, Value};

/// Line and column, from 1, and which file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    /// In `sites/_defaults.yaml` rather than in the file that is read.
    pub(super) shared: bool,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Its text; `plain` is unquoted, so that `2` is a number and `"2"` is not.
    Scalar { text: String, plain: bool },
    /// In order.
    List(Vec<Node>),
    /// In order, without duplicates.
    Map(Vec<Entry>),
}

/// One key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Place,
    pub(super) value: Node,
}

impl Node {
    /// Marks it and all below it as coming from the file that all sites share.
    pub(super) fn mark_shared(&mut self) {
        self.at.shared = true;
        match &mut self.kind {
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter_mut().for_each(Self::mark_shared),
            Kind::Map(entries) => {
                for entry in entries {
                    entry.at.shared = true;
                    entry.value.mark_shared();
                }
            }
        }
    }

    /// The scalar that a plain text means (YAML 1.2 core schema); lists and maps are no scalar.
    pub(super) fn scalar(&self) -> Option<Value> {
        let Kind::Scalar { text, plain } = &self.kind else { return None };
        if !plain {
            return Some(Value::String(text.clone()));
        }
        Some(plain_scalar(text))
    }

    /// It says nothing.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null(text))
    }

    /// As JSON, for values that otto only passes on.
    pub(super) fn json(&self) -> Value {
        match &self.kind {
            Kind::Scalar { .. } => self.scalar().unwrap_or_default(),
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Map(entries) => Value::Object(object(entries)),
        }
    }

    /// What a person would call it: `a list`, `the number 5`, `the text "x"`.
    pub(super) fn described(&self) -> String {
        match (&self.kind, self.scalar()) {
            (Kind::List(_), _) => "a list".to_owned(),
            (Kind::Map(_), _) => "a map".to_owned(),
            (_, Some(Value::Null)) => "empty".to_owned(),
            (_, Some(Value::Number(number))) => format!("the number {number}"),
            (_, Some(Value::Bool(flag))) => format!("`{flag}`"),
            (Kind::Scalar { text, .. }, _) => format!("the text {:?}", shortened(text)),
        }
    }
}

/// A map's entries as JSON.
pub(super) fn object(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect()
}

/// `over` laid on `base`: maps key by key, `null` takes a key away, everything else replaces.
pub(super) fn merged(base: &[Entry], over: &[Entry]) -> Vec<Entry> {
    let mut all = base.to_vec();
    for entry in over {
        let known = all.iter().position(|e| e.key == entry.key);
        match (known, entry.value.is_null()) {
            (Some(n), true) => drop(all.remove(n)),
            (None, true) => {}
            (None, false) => all.push(entry.clone()),
            (Some(n), false) => match (&all[n].value.kind, &entry.value.kind) {
                (Kind::Map(below), Kind::Map(above)) => all[n].value.kind = Kind::Map(merged(below, above)),
                _ => all[n] = entry.clone(),
            },
        }
    }
    all
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= 40 && line.len() == text.len() {
        return line.to_owned();
    }
    format!("{}…", line.chars().take(40).collect::<String>())
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What an unquoted text means, by the YAML library's own rules.
fn plain_scalar(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    // Small numbers are plain, and words that begin otherwise are text: no need to ask for each of a large project's.
    let digits = text.len() < 10 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if let (true, Ok(number)) = (digits, text.parse::<u32>()) {
        return Value::from(number);
    }
    let asks = text.starts_with(|c: char| c.is_ascii_digit() || "+-.tTfF".contains(c));
    let meant = if asks { serde_yaml::from_str(text).ok() } else { None };
    match meant {
        Some(meant @ (Value::Bool(_) | Value::Number(_))) => meant,
        // Infinities have no JSON and come back as null: they stay the text that they are.
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Value {
        let kind = Kind::Scalar { text: text.into(), plain: true };
        Node { at: Place::default(), kind }.json()
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, json) in [
            ("", "null"),
            ("~", "null"),
            ("true", "true"),
            ("yes", r#""yes""#),
            ("off", r#""off""#),
            ("12", "12"),
            ("-3", "-3"),
            ("+3", "3"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            ("1.2.3", r#""1.2.3""#),
            ("12-3", r#""12-3""#),
            ("e5", r#""e5""#),
            (".", r#"".""#),
            ("10.0.0.5", r#""10.0.0.5""#),
            (".inf", r#"".inf""#),
            ("1e999", r#""1e999""#),
        ] {
            assert_eq!(plain(text).to_string(), json, "{text}");
        }
    }
}
