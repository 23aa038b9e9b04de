//! A raw state read for its prices: addresses, types, and of the attributes only those that a price table asks for. No
//! provider plugin is needed, and a state of ten thousand resources is read in a moment.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::state::quoted;
use crate::model::ledger::StateResource;

#[derive(Deserialize)]
struct Root<'a> {
    version: u64,
    #[serde(borrow, default)]
    resources: Vec<Resource<'a>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    module: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Vec<Instance<'a>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
}

/// Reads the managed objects of a state, tainted and deposed ones too: they bill until they are gone. `wanted` names
/// the attributes of a type; nothing: the type is left out.
///
/// # Errors
/// The text is no state of format 4, with the reason.
pub fn read<'w>(text: &str, wanted: impl Fn(&str) -> Option<Vec<&'w str>>) -> Result<Vec<StateResource>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let root: Root<'_> = serde_json::from_str(text).map_err(|error| format!("the state cannot be read: {error}"))?;
    if root.version != 4 {
        return Err(format!("version {} of the state format, otto reads 4", root.version));
    }
    let mut all = Vec::new();
    for resource in root.resources.iter().filter(|resource| resource.mode == "managed") {
        let Some(keys) = wanted(&resource.kind) else { continue };
        let module = resource.module.as_deref().filter(|module| !module.is_empty());
        let module = module.map_or(String::new(), |module| format!("{module}."));
        let base = format!("{module}{}.{}", resource.kind, resource.name);
        for instance in &resource.instances {
            let attributes = match instance.attributes {
                Some(raw) => Wanted(&keys)
                    .deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
                    .map_err(|error| format!("{base}: its attributes cannot be read: {error}"))?,
                None => Map::new(),
            };
            all.push(StateResource { address: address(&base, instance), kind: resource.kind.to_string(), attributes });
        }
    }
    Ok(all)
}

fn address(base: &str, instance: &Instance<'_>) -> String {
    let address = match &instance.index_key {
        None | Some(Value::Null) => base.to_owned(),
        Some(Value::String(key)) => format!("{base}[{}]", quoted(key)),
        Some(key) => format!("{base}[{key}]"),
    };
    match &instance.deposed {
        Some(key) => format!("{address} (deposed {key})"),
        None => address,
    }
}

/// An object of which only some keys are kept.
struct Wanted<'k>(&'k [&'k str]);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Map<String, Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if self.0.contains(&key.as_ref()) {
                kept.insert(key.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(kept)
    }
}

/// What a plan would leave behind, out of `terraform show -json` of the plan: what is planned, in the same terms.
///
/// # Errors
/// The text is no such document.
pub fn planned(text: &str) -> Result<Vec<StateResource>, String> {
    below(text, |plan| &plan["planned_values"])
}

/// What was there before the plan, out of the same document.
///
/// # Errors
/// The text is no such document.
pub fn prior(text: &str) -> Result<Vec<StateResource>, String> {
    below(text, |plan| &plan["prior_state"]["values"])
}

fn below(text: &str, part: fn(&Value) -> &Value) -> Result<Vec<StateResource>, String> {
    let plan: Value = serde_json::from_str(text).map_err(|error| format!("the plan is no JSON: {error}"))?;
    let mut all = Vec::new();
    modules(&part(&plan)["root_module"], &mut all);
    Ok(all)
}

fn modules(module: &Value, into: &mut Vec<StateResource>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for one in module["resources"].as_array().into_iter().flatten().filter(|one| one["mode"] == "managed") {
        let attributes = one["values"].as_object().cloned().unwrap_or_default();
        into.push(StateResource { address: text(&one["address"]), kind: text(&one["type"]), attributes });
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        modules(child, into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_kept_and_free_types_are_left_out() {
        let state = r#"{"version":4,"serial":1,"lineage":"l","resources":[
          {"mode":"managed","type":"a_b","name":"c","module":"module.m","instances":[
            {"index_key":"w\"1","attributes":{"id":"1","size":"s","deep":{"x":[1,2]},"secret":"hunter2"}},
            {"index_key":2,"status":"tainted","attributes":{"id":"2","size":null}},
            {"index_key":2,"deposed":"0a1b","attributes":null}]},
          {"mode":"managed","type":"free","name":"x","instances":[{"attributes":{"id":"3"}}]},
          {"mode":"data","type":"a_b","name":"d","instances":[{"attributes":{"id":"4"}}]}]}"#;
        let wanted = |kind: &str| (kind == "a_b").then(|| vec!["id", "size", "deep"]);
        let found = read(state, wanted).expect("a state");
        let addresses: Vec<&str> = found.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["module.m.a_b.c[\"w\\\"1\"]", "module.m.a_b.c[2]", "module.m.a_b.c[2] (deposed 0a1b)"]);
        assert_eq!(
            serde_json::to_string(&found[0].attributes).expect("JSON"),
            r#"{"id":"1","size":"s","deep":{"x":[1,2]}}"#
        );
        assert!(read("{\"version\":3}", wanted).is_err() && read("{\"vers", wanted).is_err());
        assert_eq!(read("", wanted), Ok(Vec::new()));
    }
}
