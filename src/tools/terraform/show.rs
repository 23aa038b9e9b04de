//! `show -json` of a saved plan, for drift: which addresses differ, and in which fields. Values are not kept: they may
//! be secret.

use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The resource.
    pub address: String,
    /// `create`, `update`, `replace`, `delete`, `forget`.
    pub action: String,
    /// Top-level attributes that differ.
    pub fields: Vec<String>,
}

/// Differences of a plan: what it would change, and what it found changed behind the tool's back.
///
/// # Errors
/// The text is no plan, with the reason.
pub fn changes(text: &str) -> Result<Vec<Change>, String> {
    let plan: Value = serde_json::from_str(text).map_err(|error| format!("no readable plan: {error}"))?;
    let format = plan.get("format_version").and_then(Value::as_str).unwrap_or("");
    if format.split('.').next() != Some("1") {
        return Err(format!("the plan has format `{format}`, otto reads 1.x"));
    }
    let mut found: Vec<Change> = Vec::new();
    for list in ["resource_drift", "resource_changes"] {
        for entry in plan.get(list).and_then(Value::as_array).into_iter().flatten() {
            let Some(change) = change(entry) else { continue };
            if let Some(same) = found.iter_mut().find(|c| c.address == change.address) {
                same.action = change.action;
                same.fields.extend(change.fields);
                same.fields.sort();
                same.fields.dedup();
            } else {
                found.push(change);
            }
        }
    }
    Ok(found)
}

fn change(entry: &Value) -> Option<Change> {
    let address = entry.get("address")?.as_str()?.to_owned();
    let change = entry.get("change")?;
    let actions: Vec<&str> = change.get("actions")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let has = |word: &str| actions.contains(&word);
    let action = match () {
        () if has("delete") && has("create") => "replace",
        () if has("delete") => "delete",
        () if has("create") => "create",
        () if has("update") => "update",
        () if has("forget") => "forget",
        () => return None,
    };
    let (before, after) = (change.get("before"), change.get("after"));
    let of = |side: Option<&Value>, key: &str| side.and_then(|v| v.get(key)).cloned().unwrap_or(Value::Null);
    let mut fields: Vec<String> = [before, after]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys())
        .filter(|key| of(before, key) != of(after, key))
        .cloned()
        .collect();
    fields.sort();
    fields.dedup();
    Some(Change { address, action: action.to_owned(), fields })
}
