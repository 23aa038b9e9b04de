//! `sites/<site>/site.yaml`: the base shape and, merged key by key into it, the shape of each environment.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::model::{Name, Site};

use super::near;
use super::node::{self, Entry, Node};
use super::read::{Fields, Reading};
use super::shape::{self, Known};

/// Reads the document. `environments` are those that `otto.yaml` knows, nothing when that file is unreadable.
pub(super) fn read(
    reading: &mut Reading,
    node: &Node,
    name: &Name,
    folder: &Utf8Path,
    known: &Known<'_>,
    environments: Option<&Vec<&str>>,
) -> Option<Site> {
    let top = super::load::document(reading, node)?;
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
    };
    let Some(field) = top.get("environments") else { return Some(site) };
    let Some(overrides) = reading.map(&field, "a map such as `{prod: {roles: {www: {count: 4}}}}`") else {
        return Some(site);
    };
    for entry in overrides.all() {
        let Some(environment) = reading.key_name(&entry) else { continue };
        if let Some(environments) = environments.filter(|all| !all.contains(&environment.as_str())) {
            let hint = near::suggestion(environment.as_str(), environments.iter().copied());
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
        site.environments.insert(environment, shape);
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
