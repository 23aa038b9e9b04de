//! Typed readers over the tree: each takes a field, returns its value or leaves a problem, and records the origin.
//! A key without a value (`key:` or `key: null`) counts as not there.

use std::collections::BTreeMap;

use crate::model::Name;

use super::near;
use super::node::{Entry, Kind, Node, Place};
use super::origin::{Origin, Origins, Values};
use super::problem::Problem;

/// What the readers of one file collect.
pub(super) struct Reading {
    /// Relative to the project.
    pub(super) file: String,
    /// Before every key of this file in the origins.
    pub(super) scope: String,
    pub(super) problems: Vec<Problem>,
    pub(super) origins: Origins,
    pub(super) values: Values,
}

/// What all sites share.
pub(super) const SHARED_FILE: &str = "sites/_defaults.yaml";

/// A value under a key, or an item of a list.
#[derive(Clone, Debug)]
pub(super) struct Field<'n> {
    /// `roles.www.count`, `domains[1]`.
    pub(super) path: String,
    /// The last part of the path.
    pub(super) key: &'n str,
    /// Where it is reported.
    pub(super) at: Place,
    pub(super) node: &'n Node,
}

/// The keys of a map.
#[derive(Clone, Debug)]
pub(super) struct Fields<'n> {
    path: String,
    at: Place,
    pub(super) entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// The keys of a file's document.
    pub(super) fn top(at: Place, entries: &'n [Entry]) -> Self {
        Self { path: String::new(), at, entries }
    }

    /// A key with a value.
    pub(super) fn get(&self, key: &str) -> Option<Field<'n>> {
        self.entries.iter().find(|entry| entry.key == key && !entry.value.is_null()).map(|entry| self.field(entry))
    }

    /// Every key, those without a value too.
    pub(super) fn all(&self) -> impl Iterator<Item = Field<'n>> {
        self.entries.iter().map(|entry| self.field(entry))
    }

    fn field(&self, entry: &'n Entry) -> Field<'n> {
        Field {
            path: joined(&self.path, &entry.key),
            key: &entry.key,
            // A value on the key's own line is the better place; one on later lines is found by its key.
            at: if entry.value.at.line == entry.at.line { entry.value.at } else { entry.at },
            node: &entry.value,
        }
    }

    /// The path of a key in it, present or not.
    pub(super) fn path_of(&self, key: &str) -> String {
        joined(&self.path, key)
    }
}

impl Reading {
    pub(super) fn new(file: impl Into<String>, scope: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            scope: scope.into(),
            problems: Vec::new(),
            origins: Origins::default(),
            values: Values::default(),
        }
    }

    /// The file that a place is in.
    fn file_of(&self, at: Place) -> String {
        if at.shared { SHARED_FILE.to_owned() } else { self.file.clone() }
    }

    /// A problem at a place.
    pub(super) fn problem(&mut self, at: Place, key: &str, message: String, hint: impl Into<String>) {
        let problem = Problem::of(self.file_of(at), message).at(at.line, at.column).key(key).hint(hint);
        self.problems.push(problem);
    }

    /// A warning at a field.
    pub(super) fn warning(&mut self, field: &Field<'_>, message: String, hint: impl Into<String>) {
        self.problem(field.at, &field.path, message, hint);
        if let Some(last) = self.problems.last_mut() {
            last.warning = true;
        }
    }

    /// A problem of a field.
    pub(super) fn bad(&mut self, field: &Field<'_>, message: String, hint: impl Into<String>) {
        self.problem(field.at, &field.path, message, hint);
    }

    /// `<key> is <what was found>: expected <what>`.
    pub(super) fn unexpected(&mut self, field: &Field<'_>, expected: &str) {
        let message = format!("`{}` is {}", field.path, field.node.described());
        self.bad(field, message, format!("expected {expected}"));
    }

    /// A key that has to be there.
    pub(super) fn required<'n>(&mut self, fields: &Fields<'n>, key: &str, example: &str) -> Option<Field<'n>> {
        let found = fields.get(key);
        if found.is_none() {
            let path = fields.path_of(key);
            let written = fields.entries.iter().find(|entry| entry.key == key);
            let at = written.map_or(fields.at, |entry| entry.at);
            let message = if written.is_some() { format!("`{path}` is empty") } else { format!("no `{path}`") };
            self.problem(at, &path, message, format!("such as `{example}`"));
        }
        found
    }

    /// Every key is one of these.
    pub(super) fn only(&mut self, fields: &Fields<'_>, known: &[&str]) {
        for entry in fields.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let hint = near::suggestion(&entry.key, known.iter().copied());
            self.problem(entry.at, &fields.path_of(&entry.key), format!("unknown key `{}`", entry.key), hint);
        }
    }

    /// Remembers where a field's value comes from.
    pub(super) fn note(&mut self, field: &Field<'_>) {
        let origin = Origin::File { file: self.file_of(field.at), line: field.at.line, column: field.at.column };
        let key = joined(&self.scope, &field.path);
        match &field.node.kind {
            Kind::Scalar { text, .. } => drop(self.values.0.insert(key.clone(), text.clone())),
            Kind::List(_) => drop(self.values.0.insert(key.clone(), field.node.json().to_string())),
            Kind::Map(_) => {}
        }
        self.origins.0.insert(key, origin);
    }

    /// Remembers that a value is the default.
    pub(super) fn defaulted(&mut self, path: &str, value: &str) {
        let key = joined(&self.scope, path);
        self.values.0.insert(key.clone(), value.to_owned());
        self.origins.0.insert(key, Origin::Default);
    }

    pub(super) fn map<'n>(&mut self, field: &Field<'n>, expected: &str) -> Option<Fields<'n>> {
        self.note(field);
        match &field.node.kind {
            Kind::Map(entries) => Some(Fields { path: field.path.clone(), at: field.at, entries }),
            _ if field.node.is_null() => Some(Fields { path: field.path.clone(), at: field.at, entries: &[] }),
            _ => {
                self.unexpected(field, expected);
                None
            }
        }
    }

    /// The items of a list, empty ones reported.
    pub(super) fn list<'n>(&mut self, field: &Field<'n>, expected: &str) -> Option<Vec<Field<'n>>> {
        let Kind::List(items) = &field.node.kind else {
            self.unexpected(field, expected);
            return None;
        };
        self.note(field);
        let fields = items.iter().enumerate().map(|(n, node)| Field {
            path: format!("{}[{n}]", field.path),
            key: field.key,
            at: node.at,
            node,
        });
        let (empty, rest): (Vec<_>, Vec<_>) = fields.partition(|item| item.node.is_null());
        for item in empty {
            self.unexpected(&item, "a value");
        }
        Some(rest)
    }

    /// Any scalar, as it is written.
    pub(super) fn text(&mut self, field: &Field<'_>, expected: &str) -> Option<String> {
        match &field.node.kind {
            Kind::Scalar { text, .. } if !text.trim().is_empty() && !text.contains(char::is_control) => {
                self.note(field);
                Some(text.clone())
            }
            _ => {
                self.unexpected(field, expected);
                None
            }
        }
    }

    /// A text that a parser accepts.
    pub(super) fn parsed<T>(
        &mut self,
        field: &Field<'_>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let found = match &field.node.kind {
            Kind::Scalar { text, .. } => parse(text),
            _ => None,
        };
        if found.is_some() {
            self.note(field);
        } else {
            self.unexpected(field, expected);
        }
        found
    }

    pub(super) fn name(&mut self, field: &Field<'_>) -> Option<Name> {
        let text = self.text(field, "a name such as `hello`")?;
        self.checked_name(field, &text)
    }

    /// The key itself as a name.
    pub(super) fn key_name(&mut self, field: &Field<'_>) -> Option<Name> {
        self.checked_name(field, field.key)
    }

    fn checked_name(&mut self, field: &Field<'_>, text: &str) -> Option<Name> {
        match Name::new(text) {
            Ok(name) => Some(name),
            Err(_) => {
                self.bad(field, format!("`{text}` is no name"), NAME_RULE);
                None
            }
        }
    }

    /// A list of names without repetition, each of them known.
    pub(super) fn names(&mut self, field: &Field<'_>, what: &str, known: &[&str], example: &str) -> Vec<Name> {
        let mut all: Vec<Name> = Vec::new();
        for item in self.list(field, &format!("a list such as `{example}`")).unwrap_or_default() {
            let Some(name) = self.name(&item) else { continue };
            if all.contains(&name) {
                self.bad(&item, format!("`{name}` is listed twice in `{}`", field.path), "remove one");
            } else if !known.contains(&name.as_str()) {
                let hint = near::suggestion(name.as_str(), known.iter().copied());
                self.bad(&item, format!("unknown {what} `{name}`"), hint);
            } else {
                all.push(name);
            }
        }
        all
    }

    /// A whole number within bounds.
    pub(super) fn whole(&mut self, field: &Field<'_>, from: u32, to: u32) -> Option<u32> {
        let number = field.node.scalar().and_then(|value| u32::try_from(value.as_u64()?).ok());
        match number {
            Some(number) if (from..=to).contains(&number) => {
                self.note(field);
                Some(number)
            }
            _ => {
                self.unexpected(field, &format!("a whole number from {from} to {to}"));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, field: &Field<'_>) -> Option<bool> {
        let flag = field.node.scalar().and_then(|value| value.as_bool());
        if flag.is_some() {
            self.note(field);
        } else {
            self.unexpected(field, "`true` or `false`");
        }
        flag
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(&mut self, field: &Field<'_>, words: &[(&str, T)]) -> Option<T> {
        let listed: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let expected = format!("one of {}", listed.join(", "));
        self.parsed(field, &expected, |text| words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value))
    }

    /// A map of texts.
    pub(super) fn texts(&mut self, field: &Field<'_>, expected: &str) -> BTreeMap<String, String> {
        let Some(fields) = self.map(field, expected) else { return BTreeMap::new() };
        let mut all = BTreeMap::new();
        for inner in fields.all() {
            if let Some(text) = self.text(&inner, "a text") {
                all.insert(inner.key.to_owned(), text);
            }
        }
        all
    }

    /// A free map for the tools, passed on as it is.
    pub(super) fn vars(&mut self, field: &Field<'_>) -> serde_json::Map<String, serde_json::Value> {
        let Some(fields) = self.map(field, "a map of variables") else { return serde_json::Map::new() };
        for inner in fields.all() {
            self.note(&inner);
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !inner.key.chars().all(word) || !inner.key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                let hint = "letters, digits and underscores, as Ansible and Terraform want them";
                self.bad(&inner, format!("`{}` is no name of a variable", inner.key), hint);
            }
        }
        super::node::object(fields.entries)
    }
}

/// What [`Name`] asks, in words.
pub(super) const NAME_RULE: &str =
    "a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end";

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
