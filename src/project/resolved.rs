//! A site as it is written, and as it is meant: what all sites share, its own file, what differs in an environment.

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::node::{Entry, Kind, Node, merged, object};
use super::problem::Problem;
use super::read::SHARED_FILE;
use super::yaml;
use crate::model::pattern::longest;
use crate::model::{Name, Pattern};

/// The text of `sites/<site>/site.yaml`.
///
/// # Errors
/// A file that cannot be read.
pub fn written(folder: &Utf8Path, site: &Name) -> Result<String, Problem> {
    let file = format!("sites/{site}/site.yaml");
    std::fs::read_to_string(folder.join(&file)).map_err(|error| Problem::of(file, format!("cannot be read: {error}")))
}

/// The document of a site in an environment, everything merged and the defaults of roles filled in.
///
/// # Errors
/// A file that cannot be read.
pub fn resolved(folder: &Utf8Path, site: &Name, environment: &Name) -> Result<Value, Problem> {
    let own = entries(&format!("sites/{site}/site.yaml"), &written(folder, site)?)?;
    let shared = match std::fs::read_to_string(folder.join(SHARED_FILE)) {
        Ok(text) => entries(SHARED_FILE, &text)?,
        Err(_) => Vec::new(),
    };
    let mut all = merged(&shared, &own);
    if let Some(place) = all.iter().position(|entry| entry.key == "environments") {
        let environments = all.remove(place).value;
        if let Some(over) = differing(&environments, environment) {
            all = merged(&all, over);
        }
    }
    let mut document = object(&all);
    if let Some(Value::Object(roles)) = document.get_mut("roles") {
        roles.values_mut().filter_map(Value::as_object_mut).for_each(fill);
    }
    Ok(Value::Object(document))
}

fn fill(role: &mut Map<String, Value>) {
    for (key, value) in [("count", json!(1)), ("size", json!("small"))] {
        if role.get(key).is_none_or(Value::is_null) {
            role.insert(key.to_owned(), value);
        }
    }
}

/// What differs in an environment: by its name, else by the longest pattern that fits.
fn differing<'n>(environments: &'n Node, environment: &Name) -> Option<&'n [Entry]> {
    let Kind::Map(all) = &environments.kind else { return None };
    let map = |entry: &'n Entry| if let Kind::Map(inner) = &entry.value.kind { Some(inner.as_slice()) } else { None };
    if let Some(exact) = all.iter().find(|entry| entry.key == environment.as_str()) {
        return map(exact);
    }
    let patterns: Vec<(Pattern, usize)> =
        all.iter().enumerate().filter_map(|(n, entry)| Some((Pattern::new(&entry.key)?, n))).collect();
    longest(&patterns, environment).and_then(|(_, n)| map(&all[*n]))
}

fn entries(file: &str, text: &str) -> Result<Vec<Entry>, Problem> {
    let mut problems = Vec::new();
    match yaml::parse(file, text, &mut problems).map(|node| node.kind) {
        Some(Kind::Map(entries)) => Ok(entries),
        _ => Err(problems.into_iter().next().unwrap_or_else(|| Problem::of(file, "no keys with values"))),
    }
}
