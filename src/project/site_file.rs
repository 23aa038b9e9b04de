//! `sites/<site>/site.yaml`: the base shape and, merged key by key into it, the shape of each environment.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::model::{Name, Pattern, Site};

use super::near;
use super::node::{self, Entry, Kind, Node};
use super::read::{Fields, Reading};
use super::shape::{self, Known};

/// What `otto.yaml` knows of environments.
pub(super) struct Environments<'a> {
    /// By name.
    pub(super) names: Vec<&'a str>,
    /// By pattern.
    pub(super) patterns: Vec<&'a Pattern>,
}

impl Environments<'_> {
    fn know(&self, word: &str) -> bool {
        let by_pattern = || Name::new(word).is_ok_and(|name| self.patterns.iter().any(|pattern| pattern.fits(&name)));
        self.names.contains(&word) || self.patterns.iter().any(|pattern| pattern.as_str() == word) || by_pattern()
    }
}

/// Reads the document, over what all sites share. `environments` is nothing when `otto.yaml` is unreadable.
pub(super) fn read(
    reading: &mut Reading,
    node: &Node,
    name: &Name,
    folder: &Utf8Path,
    known: &Known<'_>,
    environments: Option<&Environments<'_>>,
    shared: Option<&Node>,
) -> Option<Site> {
    let own = super::load::document(reading, node)?;
    let below = shared.and_then(|node| if let Kind::Map(below) = &node.kind { Some(below) } else { None });
    // Without it the file is read as it is: a key that says `null` is then told as empty rather than as absent.
    let entries = below.map_or_else(|| own.entries.to_vec(), |below| node::merged(below, own.entries));
    let top = Fields::top(node.at, &entries);
    let keys: Vec<&str> = shape::KEYS.iter().copied().chain(["environments", "name", "site"]).collect();
    reading.only(&top, &keys);
    own_name(reading, &top, name, known);
    let rest = |entry: &&Entry| !matches!(entry.key.as_str(), "environments" | "name" | "site");
    let base: Vec<Entry> = top.entries.iter().filter(rest).cloned().collect();
    let mut site = Site {
        name: name.clone(),
        folder: folder.to_string(),
        base: shape::read(reading, &Fields::top(node.at, &base), folder, known),
        environments: BTreeMap::new(),
        patterns: Vec::new(),
    };
    let Some(field) = top.get("environments") else { return Some(site) };
    let Some(overrides) = reading.map(&field, "a map such as `{prod: {roles: {www: {count: 4}}}}`") else {
        return Some(site);
    };
    for entry in overrides.all() {
        let pattern = Pattern::new(entry.key);
        let name = if pattern.is_none() { reading.key_name(&entry) } else { None };
        let environment = entry.key;
        if name.is_none() && pattern.is_none() {
            continue;
        }
        if let Some(environments) = environments.filter(|all| !all.know(environment)) {
            let hint = near::suggestion(environment, environments.names.iter().copied());
            reading.warning(&entry, format!("`otto.yaml` knows no environment `{environment}`"), hint);
        }
        let Some(fields) = reading.map(&entry, "a map of what differs") else { continue };
        reading.only(&fields, shape::KEYS);
        let merged = node::merged(&base, fields.entries);
        // Read as a file of its own: the problems of the base come again and are dropped as duplicates later.
        let scope = format!("{}.environments.{environment}", reading.scope);
        let mut inner = Reading::new(reading.file.clone(), scope.clone());
        let shape = shape::read(&mut inner, &Fields::top(node.at, &merged), folder, known);
        reading.problems.append(&mut inner.problems);
        for (key, origin) in inner.origins.0 {
            let in_base = key.strip_prefix(&format!("{scope}.")).map(|rest| format!("{}.{rest}", reading.scope));
            if in_base.is_none_or(|base| reading.origins.0.get(&base) != Some(&origin)) {
                reading.origins.0.insert(key, origin);
            }
        }
        reading.values.0.append(&mut inner.values.0);
        if let Some(name) = name {
            site.environments.insert(name, shape);
        } else if let Some(pattern) = pattern {
            site.patterns.push((pattern, shape));
        }
    }
    Some(site)
}

/// A site is named by its folder; a `name:` or `site:` that says something else would be a second name.
fn own_name(reading: &mut Reading, top: &Fields<'_>, name: &Name, known: &Known<'_>) {
    for key in ["name", "site"] {
        let Some(field) = top.get(key) else { continue };
        let Some(said) = reading.name(&field) else { continue };
        if said == *name {
            continue;
        }
        if known.sites.contains(&said.as_str()) {
            let message = format!("duplicate site `{said}`");
            reading.bad(&field, message, format!("`sites/{said}` has that name; the name of this one is its folder's"));
        } else {
            let message = format!("`{key}` is `{said}`, but the folder is `sites/{name}`");
            reading.bad(&field, message, "rename the folder, or remove the line");
        }
    }
}
