//! A state file as Terraform and OpenTofu write it (version 4): which addresses it knows, which are tainted, whether
//! an id occurs in it. Read only; otto never writes one.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, io};

use camino::Utf8Path;
use serde_json::Value;

use super::parse::Report;

/// What was found where a state should be.
#[derive(Clone, Debug, PartialEq)]
pub enum StateFile {
    /// No file: nothing was ever applied here, or it was removed.
    Missing,
    /// A file of 0 bytes: the tool was killed before it wrote anything. **What it made is in no state.**
    Empty,
    /// There is something, and it is no readable state: truncated, encrypted, or of a later version.
    Unreadable {
        /// Why.
        why: String,
    },
    /// A state.
    Read(State),
}

/// One state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Grows with every write.
    pub serial: u64,
    /// Which history it belongs to.
    pub lineage: String,
    /// The version of the tool that wrote it.
    pub tool_version: String,
    /// The addresses of providers in it, as written.
    pub providers: BTreeSet<String>,
    /// Addresses of managed resources with a current object, module and index included.
    pub addresses: BTreeSet<String>,
    /// Those of them that the next apply will replace.
    pub tainted: BTreeSet<String>,
    /// Addresses with an old object that still has to be taken down.
    pub deposed: BTreeSet<String>,
    /// Every text and number in any object and every index key: what an id is looked up in.
    pub leaves: BTreeSet<String>,
    /// Managed objects that are current, in the order of the state.
    pub objects: Vec<Object>,
    /// The same by address, of objects that are neither tainted nor deposed: what an interrupted creation made is not
    /// among them.
    pub healthy: BTreeMap<String, BTreeSet<String>>,
}

/// One current object of a managed resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// With module and index.
    pub address: String,
    /// The resource's type.
    pub kind: String,
    /// Its attribute `id`; empty without one.
    pub id: String,
    /// Resources that it stands on, without an index.
    pub depends: Vec<String>,
}

/// What an unclean end leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsure {
    /// In flight and in no state: may exist all the same, only a look-up tells.
    pub absent: Vec<String>,
    /// Half made or half taken down, and in the state as if it were whole: to be made anew (`-replace=`).
    pub unfinished: Vec<String>,
}

impl Unsure {
    /// Nothing is open.
    pub fn is_empty(&self) -> bool {
        self.absent.is_empty() && self.unfinished.is_empty()
    }
}

impl StateFile {
    /// Reads a file.
    pub fn read(path: &Utf8Path) -> Self {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Unreadable { why: format!("{path}: {error}") },
        }
    }

    /// Reads a text: a file's, or what `state pull` prints.
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Empty;
        }
        let root: Value = match serde_json::from_str(text) {
            Ok(root) => root,
            Err(error) => {
                return Self::Unreadable { why: format!("cut off or damaged after {} bytes: {error}", text.len()) };
            }
        };
        if root.get("encrypted_data").is_some() {
            return Self::Unreadable { why: "encrypted by OpenTofu".to_owned() };
        }
        match root.get("version").and_then(Value::as_u64) {
            Some(4) => Self::Read(State::of(&root)),
            Some(other) => Self::Unreadable { why: format!("version {other} of the state format, otto reads 4") },
            None => Self::Unreadable { why: "no state: it has no version".to_owned() },
        }
    }

    /// The state, if there is one.
    pub fn state(&self) -> Option<&State> {
        match self {
            Self::Read(state) => Some(state),
            _ => None,
        }
    }

    /// What of a stream's open ends this state does not settle. A state that holds a resource as healthy proves nothing
    /// about it: a kill while its provisioner ran leaves it untainted, and the next plan is "no changes".
    pub fn unsure(&self, report: &Report) -> Unsure {
        let has = |address: &String| self.state().is_some_and(|state| state.addresses.contains(address));
        let tainted = |address: &String| self.state().is_some_and(|state| state.tainted.contains(address));
        Unsure {
            absent: report.in_flight.iter().chain(&report.made).filter(|address| !has(address)).cloned().collect(),
            unfinished: report.unfinished.iter().filter(|a| has(a) && !tainted(a)).cloned().collect(),
        }
    }

    /// It was cut: what was made may be in no state.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Empty | Self::Unreadable { .. })
    }
}

impl State {
    fn of(root: &Value) -> Self {
        let text = |name: &str| root.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut state = Self {
            serial: root.get("serial").and_then(Value::as_u64).unwrap_or(0),
            lineage: text("lineage"),
            tool_version: text("terraform_version"),
            ..Self::default()
        };
        for resource in root.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let managed = resource.get("mode").and_then(Value::as_str) == Some("managed");
            let base = base_address(resource);
            state.providers.extend(resource.get("provider").and_then(Value::as_str).map(str::to_owned));
            for instance in resource.get("instances").and_then(Value::as_array).into_iter().flatten() {
                let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
                state.instance(&base, kind, instance, managed);
            }
        }
        state
    }

    fn instance(&mut self, base: &str, kind: &str, instance: &Value, managed: bool) {
        let index = instance.get("index_key").filter(|key| !key.is_null());
        let whole = instance.get("status").and_then(Value::as_str) != Some("tainted")
            && instance.get("deposed").is_none_or(Value::is_null);
        let address = match index {
            None => base.to_owned(),
            Some(Value::String(key)) => format!("{base}[{}]", quoted(key)),
            Some(key) => format!("{base}[{key}]"),
        };
        for part in [index, instance.get("attributes")].into_iter().flatten() {
            leaves(part, &mut self.leaves);
            if whole {
                leaves(part, self.healthy.entry(address.clone()).or_default());
            }
        }
        if !managed {
            return;
        }
        if instance.get("deposed").is_some_and(|key| !key.is_null()) {
            self.deposed.insert(address);
            return;
        }
        if instance.get("status").and_then(Value::as_str) == Some("tainted") {
            self.tainted.insert(address.clone());
        }
        let texts = instance.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let id = instance.pointer("/attributes/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let depends = texts.filter_map(Value::as_str).map(str::to_owned).collect();
        self.objects.push(Object { address: address.clone(), kind: kind.to_owned(), id, depends });
        self.addresses.insert(address);
    }

    /// Only these objects of it.
    pub fn only(&self, addresses: &BTreeSet<String>) -> Self {
        let mut some = self.clone();
        some.addresses.retain(|address| addresses.contains(address));
        some.healthy.retain(|address, _| addresses.contains(address));
        some.objects.retain(|object| addresses.contains(&object.address));
        some.leaves = some.healthy.values().flatten().cloned().collect();
        (some.tainted, some.deposed) = (BTreeSet::new(), BTreeSet::new());
        some
    }

    /// It knows no resource at all: nothing is left of a deployment.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.deposed.is_empty()
    }

    /// `terraform` or `tofu`, as far as the registry of its providers tells.
    pub fn written_by(&self) -> Option<&'static str> {
        let from = |registry: &str| self.providers.iter().any(|provider| provider.contains(registry));
        match () {
            () if from("registry.opentofu.org/") => Some("tofu"),
            () if from("registry.terraform.io/") => Some("terraform"),
            () => None,
        }
    }

    /// An id (or name, or path) occurs in some object as a value of its own.
    pub fn knows(&self, id: &str) -> bool {
        !id.is_empty() && self.leaves.contains(id)
    }
}

fn base_address(resource: &Value) -> String {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default();
    let module = if text("module").is_empty() { String::new() } else { format!("{}.", text("module")) };
    let data = if text("mode") == "data" { "data." } else { "" };
    format!("{module}{data}{}.{}", text("type"), text("name"))
}

/// A key as the event stream writes it in an address: in quotes, with HCL's escapes.
pub(super) fn quoted(key: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if !text.is_empty() => drop(into.insert(text.clone())),
        Value::Number(number) => drop(into.insert(number.to_string())),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l-1","outputs":{},"resources":[
      {"mode":"managed","type":"terraform_data","name":"boot","instances":[
        {"index_key":"www-1","attributes":{"id":"abc","input":{"value":{"path":"/x/www-1"}},"n":42}},
        {"index_key":"a\"b${c}","status":"tainted","attributes":{"id":"def"}}]},
      {"module":"module.m[0]","mode":"managed","type":"a_b","name":"c","instances":[
        {"index_key":2,"attributes":null},{"index_key":3,"deposed":"0a1b2c3d","attributes":{"id":"old"}}]},
      {"mode":"data","type":"a_d","name":"e","instances":[{"attributes":{"id":"seen"}}]}],"check_results":null}"#;

    #[test]
    fn addresses_carry_module_and_index() {
        let StateFile::Read(state) = StateFile::parse(STATE) else { panic!("a state") };
        let shown: Vec<_> = state.addresses.iter().map(String::as_str).collect();
        assert_eq!(
            shown,
            ["module.m[0].a_b.c[2]", "terraform_data.boot[\"a\\\"b$${c}\"]", "terraform_data.boot[\"www-1\"]"]
        );
        assert_eq!(state.tainted.len(), 1);
        assert_eq!(state.deposed.iter().collect::<Vec<_>>(), ["module.m[0].a_b.c[3]"]);
        assert_eq!((state.serial, state.lineage.as_str()), (7, "l-1"));
        for known in ["abc", "www-1", "/x/www-1", "42", "old", "seen"] {
            assert!(state.knows(known), "{known}");
        }
        assert!(!state.knows("ab") && !state.knows("") && !state.is_empty());
    }

    #[test]
    fn empty_truncated_and_foreign_are_told_apart() {
        assert_eq!(StateFile::parse(""), StateFile::Empty);
        assert!(matches!(StateFile::parse(&STATE[..200]), StateFile::Unreadable { .. }));
        assert!(matches!(StateFile::parse(r#"{"version":5}"#), StateFile::Unreadable { .. }));
        assert!(matches!(StateFile::parse(r#"{"encrypted_data":"x","serial":1}"#), StateFile::Unreadable { .. }));
        assert!(matches!(StateFile::parse("{}"), StateFile::Unreadable { .. }));
        assert_eq!(StateFile::read("/nowhere/at/all".into()), StateFile::Missing);
        assert!(StateFile::parse("").is_damaged() && !StateFile::Missing.is_damaged());
    }
}
