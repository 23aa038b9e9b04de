//! What a saved plan would do, attribute by attribute, out of `terraform show -json`. Sensitive values stay behind: what
//! leaves this file shows `***` in their place.

use serde_json::Value;

use crate::model::plan::{FieldChange, ResourceChange};

const HIDDEN: &str = "***";
const UNKNOWN: &str = "(known after apply)";
/// Characters of a shown value.
const BOUND: usize = 200;

/// Changes of resources and outputs, in the order of the document; what stays as it is, and what is only read, is left out.
///
/// # Errors
/// A document that is no plan.
pub fn changes(document: &str) -> Result<Vec<ResourceChange>, String> {
    let plan: Value = serde_json::from_str(document).map_err(|error| format!("the plan is no JSON: {error}"))?;
    let resources = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    if plan["format_version"].is_null() {
        return Err("the document says no `format_version`: it is no plan".to_owned());
    }
    let mut all: Vec<ResourceChange> = resources
        .iter()
        .filter_map(|resource| one(resource["address"].as_str().unwrap_or_default().to_owned(), &resource["change"]))
        .collect();
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        all.extend(one(format!("output.{name}"), change));
    }
    Ok(all)
}

/// What changed behind the tool's back, out of the same document of a refresh-only plan. Not told: attributes that are
/// `ignored` (`TYPE.ATTRIBUTE`, `*` for anything), and such that were unset and now are read as empty.
///
/// # Errors
/// A document that is no plan.
pub fn drift(document: &str, ignored: &[String]) -> Result<Vec<ResourceChange>, String> {
    let plan: Value = serde_json::from_str(document).map_err(|error| format!("the plan is no JSON: {error}"))?;
    if plan["format_version"].is_null() {
        return Err("the document says no `format_version`: it is no plan".to_owned());
    }
    let found = plan["resource_drift"].as_array().into_iter().flatten();
    Ok(found
        .filter_map(|one| {
            let (mut change, kind) = (one["change"].clone(), one["type"].as_str().unwrap_or_default());
            change["after"] = reconciled(&change["before"], &change["after"]);
            let mut found = self::one(one["address"].as_str().unwrap_or_default().to_owned(), &change)?;
            if found.action != "update" {
                return Some(found);
            }
            found.fields.retain(|field| !ignored.iter().any(|ignored| fits(ignored, kind, &field.path)));
            (!found.fields.is_empty()).then_some(found)
        })
        .collect())
}

/// What is there now, with what only says nothing in another way as it was said before: providers write no value as null when
/// they made a thing, and as `[]`, `{}`, `""`, `false` or 0 when they look at it again.
fn reconciled(before: &Value, after: &Value) -> Value {
    match (before, after) {
        _ if alike(before, after) => before.clone(),
        (Value::Object(old), Value::Object(new)) => {
            let keys = new.iter().map(|(key, value)| (key.clone(), reconciled(&before[key], value)));
            let gone = old.iter().filter(|(key, value)| !new.contains_key(*key) && alike(value, &Value::Null));
            keys.chain(gone.map(|(key, value)| (key.clone(), value.clone()))).collect()
        }
        _ => after.clone(),
    }
}

fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, value) | (value, Value::Null) => says_nothing(value),
        (Value::Object(a), Value::Object(b)) => {
            a.keys().chain(b.keys()).all(|key| alike(&one[key.as_str()], &other[key.as_str()]))
        }
        // Blocks of a set have no order of their own.
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && a.iter().all(Value::is_object) => {
            let mut left: Vec<&Value> = b.iter().collect();
            for item in a {
                let Some(at) = left.iter().position(|other| alike(item, other)) else { return false };
                left.swap_remove(at);
            }
            true
        }
        (a, b) => a == b,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(says_nothing),
    }
}

/// Whether `TYPE.ATTRIBUTE` names this attribute, or one that it lies in.
fn fits(ignored: &str, kind: &str, path: &str) -> bool {
    let path = format!("{kind}.{path}");
    match ignored.split_once('*') {
        Some((start, end)) => path.len() >= start.len() + end.len() && path.starts_with(start) && path.ends_with(end),
        None => path.strip_prefix(ignored).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    }
}

fn one(address: String, change: &Value) -> Option<ResourceChange> {
    let actions: Vec<&str> = change["actions"].as_array()?.iter().filter_map(Value::as_str).collect();
    let action = match actions[..] {
        ["create"] => "create",
        ["update"] => "update",
        ["delete"] => "delete",
        ["delete", "create"] | ["create", "delete"] => "replace",
        _ => return None,
    };
    let mut fields = Vec::new();
    let sides = Sides {
        before: &change["before"],
        after: &change["after"],
        unknown: &change["after_unknown"],
        before_hidden: &change["before_sensitive"],
        after_hidden: &change["after_sensitive"],
    };
    compare("", &sides, &mut fields);
    Some(ResourceChange { address, action: action.to_owned(), fields })
}

struct Sides<'a> {
    before: &'a Value,
    after: &'a Value,
    unknown: &'a Value,
    before_hidden: &'a Value,
    after_hidden: &'a Value,
}

impl<'a> Sides<'a> {
    fn keys(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for side in [self.before, self.after, self.unknown] {
            let keys = side.as_object().into_iter().flat_map(|map| map.keys());
            all.extend(keys.cloned());
        }
        all.sort();
        all.dedup();
        all
    }

    fn below(&self, key: &str) -> Sides<'a> {
        Sides {
            before: &self.before[key],
            after: &self.after[key],
            unknown: &self.unknown[key],
            before_hidden: inner(self.before_hidden, key),
            after_hidden: inner(self.after_hidden, key),
        }
    }
}

/// What is hidden as a whole hides all below it.
fn inner<'a>(hidden: &'a Value, key: &str) -> &'a Value {
    if *hidden == Value::Bool(true) { hidden } else { &hidden[key] }
}

fn compare(path: &str, sides: &Sides<'_>, into: &mut Vec<FieldChange>) {
    let keys = sides.keys();
    if keys.is_empty() {
        leaf(path, sides, into);
        return;
    }
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        compare(&path, &sides.below(&key), into);
    }
}

fn leaf(path: &str, sides: &Sides<'_>, into: &mut Vec<FieldChange>) {
    let unknown = *sides.unknown == Value::Bool(true);
    if sides.before == sides.after && !unknown {
        return;
    }
    let hidden = |mark: &Value| holds_true(mark);
    let shown = |value: &Value, mark: &Value| match value {
        Value::Null => None,
        _ if hidden(mark) => Some(HIDDEN.to_owned()),
        value => Some(bounded(&value.to_string())),
    };
    let before = shown(sides.before, sides.before_hidden);
    // A value that was secret does not stop being one by becoming another.
    let after = match (unknown, hidden(sides.before_hidden)) {
        (true, _) => Some(UNKNOWN.to_owned()),
        (false, true) => (!sides.after.is_null()).then(|| HIDDEN.to_owned()),
        (false, false) => shown(sides.after, sides.after_hidden),
    };
    into.push(FieldChange { path: path.to_owned(), before, after });
}

fn holds_true(mark: &Value) -> bool {
    match mark {
        Value::Bool(flag) => *flag,
        Value::Array(items) => items.iter().any(holds_true),
        Value::Object(map) => map.values().any(holds_true),
        _ => false,
    }
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= BOUND {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(BOUND).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_in_another_way_is_no_drift() {
        let of = |before: Value, after: Value| {
            let change = serde_json::json!({"actions": ["update"], "before": before, "after": after});
            let plan =
                serde_json::json!({"format_version": "1.2", "resource_drift": [{"address": "a.b", "change": change}]});
            drift(&plan.to_string(), &[]).expect("a plan")
        };
        let rule = |port: u16, own: Value| serde_json::json!({"port": port, "self": own, "groups": []});
        let before =
            serde_json::json!({"id": "1", "records": null, "rules": [rule(80, Value::Null), rule(443, Value::Null)]});
        let after = serde_json::json!({"id": "1", "records": [], "tags": {}, "rules": [rule(443, false.into()), rule(80, false.into())]});
        assert!(of(before.clone(), after.clone()).is_empty());
        assert!(of(after.clone(), before.clone()).is_empty());
        let mut other = after.clone();
        other["rules"][0]["self"] = true.into();
        other["records"] = serde_json::json!(["10.0.0.1"]);
        let found = of(before.clone(), other);
        let paths: Vec<&str> = found.iter().flat_map(|one| &one.fields).map(|field| field.path.as_str()).collect();
        assert_eq!(paths, ["records", "rules"]);
        for (was, is) in [(serde_json::json!(["a", "b"]), serde_json::json!(["b", "a"])), (true.into(), Value::Null)] {
            assert_eq!(of(serde_json::json!({"list": was}), serde_json::json!({"list": is})).len(), 1);
        }
    }

    #[test]
    fn values_are_told_and_secrets_are_not() {
        let plan = serde_json::json!({
            "format_version": "1.2",
            "resource_changes": [
                {"address": "a.same", "change": {"actions": ["no-op"], "before": {}, "after": {}}},
                {"address": "a.new", "change": {"actions": ["create"], "before": null,
                    "after": {"name": "x", "key": "hunter2", "map": {"inner": "hunter2", "open": 1}},
                    "after_unknown": {"id": true, "map": {}},
                    "before_sensitive": false, "after_sensitive": {"key": true, "map": {"inner": true}}}},
                {"address": "a.list", "change": {"actions": ["delete", "create"],
                    "before": {"all": ["hunter2"], "size": 1}, "after": {"all": ["hunter3"], "size": 1},
                    "after_unknown": {}, "before_sensitive": {"all": [true]}, "after_sensitive": {"all": [false]}}},
            ],
            "output_changes": {"password": {"actions": ["update"], "before": "hunter2", "after": "hunter3",
                "after_unknown": false, "before_sensitive": true, "after_sensitive": true}},
        });
        let found = changes(&plan.to_string()).expect("changes");
        let told = serde_json::to_string(&found).expect("JSON");
        assert!(!told.contains("hunter"), "{told}");
        let actions: Vec<_> = found.iter().map(|c| (c.address.as_str(), c.action.as_str())).collect();
        assert_eq!(actions, [("a.new", "create"), ("a.list", "replace"), ("output.password", "update")]);
        let field = |path: &str| found[0].fields.iter().find(|f| f.path == path).and_then(|f| f.after.clone());
        assert_eq!(field("name").as_deref(), Some("\"x\""));
        assert_eq!(field("id").as_deref(), Some(UNKNOWN));
        assert_eq!(field("map.inner").as_deref(), Some(HIDDEN));
        assert_eq!(field("map.open").as_deref(), Some("1"));
        assert!(changes("{}").is_err());
    }

    #[test]
    fn what_follows_from_other_things_is_no_drift() {
        let change =
            |before: Value, after: Value| serde_json::json!({"actions": ["update"], "before": before, "after": after});
        let one = |kind: &str, change: Value| serde_json::json!({"address": format!("{kind}.a"), "type": kind, "change": change});
        let plan = serde_json::json!({"format_version": "1.2", "resource_drift": [
            one("tag", change(serde_json::json!({"hosts_count": 0, "name": "x"}), serde_json::json!({"hosts_count": 2, "name": "x"}))),
            one("wall", change(serde_json::json!({"hosts": null, "state": "waiting"}), serde_json::json!({"hosts": [], "state": "done"}))),
            one("host", change(serde_json::json!({"state": "on", "tags": ["a"]}), serde_json::json!({"state": "off", "tags": null}))),
        ]});
        let told = |ignored: &[&str]| {
            let ignored: Vec<String> = ignored.iter().map(|text| (*text).to_owned()).collect();
            let found = drift(&plan.to_string(), &ignored).expect("drift");
            found.iter().map(|c| (c.address.clone(), c.fields.len())).collect::<Vec<_>>()
        };
        let all = |list: &[(&str, usize)]| list.iter().map(|(a, n)| ((*a).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(told(&[]), all(&[("tag.a", 1), ("wall.a", 1), ("host.a", 2)]));
        assert_eq!(told(&["tag.*_count", "wall.state"]), all(&[("host.a", 2)]));
        assert_eq!(told(&["host.tags", "wall.*", "tag.hosts"]), all(&[("tag.a", 1), ("host.a", 1)]));
    }
}
