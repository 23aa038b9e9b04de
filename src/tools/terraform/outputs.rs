//! The outputs that otto stands on: `hosts` and `endpoint`, checked field by field, then against what was asked.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Host, HostSpec, Name};

const FIELDS: &[&str] =
    &["name", "role", "address", "private_address", "user", "port", "connection", "probe", "vars", "image"];

/// What a root declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// In the root's order.
    pub hosts: Vec<Host>,
    /// Where users reach the site, if the root says so.
    pub endpoint: Option<String>,
    /// Fields that otto does not know, one line each: most often a slip of the pen.
    pub warnings: Vec<String>,
}

/// The outputs are not what the contract says: every problem, one a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("\n"))]
pub struct OutputsError {
    /// Which host, which field, what was found, what is wanted.
    pub problems: Vec<String>,
}

/// The difference between declared and asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Asked, not declared.
    pub missing: Vec<String>,
    /// Declared, not asked.
    pub extra: Vec<String>,
    /// Declared with another role: name, asked, declared.
    pub roles: Vec<(String, String, String)>,
}

impl Difference {
    /// What forbids going on, as one sentence; extra hosts do not.
    pub fn problem(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("output `hosts` lacks {}, which was asked for", self.missing.join(", ")));
        }
        for (name, asked, declared) in &self.roles {
            parts.push(format!("output `hosts` gives {name} the role `{declared}`, asked was `{asked}`"));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Declared {
    /// Compares by name.
    pub fn against(&self, asked: &[HostSpec]) -> Difference {
        let mut difference = Difference::default();
        for want in asked {
            match self.hosts.iter().find(|host| host.name == want.name) {
                None => difference.missing.push(want.name.clone()),
                Some(host) if host.role != want.role => {
                    difference.roles.push((want.name.clone(), want.role.clone(), host.role.clone()));
                }
                Some(_) => {}
            }
        }
        let known = |name: &str| asked.iter().any(|want| want.name == name);
        difference.extra = self.hosts.iter().map(|h| h.name.clone()).filter(|name| !known(name)).collect();
        difference
    }
}

/// Reads the values of the last `outputs` message (or of `output -json`, its `value`s).
///
/// # Errors
/// All problems at once.
pub fn declared(outputs: &Map<String, Value>, sensitive: &[String]) -> Result<Declared, OutputsError> {
    let mut declared = Declared::default();
    let mut problems = Vec::new();
    match outputs.get("hosts") {
        Some(Value::Array(items)) => {
            let mut seen = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                let before = problems.len();
                let host = host(index, item, &mut problems, &mut declared.warnings);
                if !seen.insert(host.name.clone()) && problems.len() == before {
                    problems.push(format!("output `hosts`: two hosts are named `{}`", host.name));
                }
                declared.hosts.push(host);
            }
        }
        Some(Value::Object(_)) => problems.push(
            "output `hosts` is a map, wanted is a list of objects: write `value = [for name, host in ... : {...}]`"
                .to_owned(),
        ),
        Some(other) => problems.push(format!("output `hosts` is {}, wanted is a list of objects", shown(other))),
        None if sensitive.iter().any(|name| name == "hosts") => {
            problems.push("output `hosts` is sensitive, so its value is hidden: use `nonsensitive(...)`".to_owned());
        }
        None => {
            problems.push("the root declares no output `hosts`: add one (a list of name, role, address)".to_owned())
        }
    }
    match outputs.get("endpoint") {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) if text.is_empty() => {}
        Some(Value::String(text)) if text.contains("://") => declared.endpoint = Some(text.clone()),
        Some(Value::String(text)) => declared.endpoint = Some(format!("http://{text}/")),
        Some(other) => problems.push(format!("output `endpoint` is {}, wanted is a URL", shown(other))),
    }
    if problems.is_empty() { Ok(declared) } else { Err(OutputsError { problems }) }
}

fn host(index: usize, item: &Value, problems: &mut Vec<String>, warnings: &mut Vec<String>) -> Host {
    let named = item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let mut fields =
        Fields { item, label: named.map_or_else(|| format!("host {}", index + 1), str::to_owned), problems };
    if let Some(map) = item.as_object() {
        let unknown = map.keys().filter(|key| !FIELDS.contains(&key.as_str()));
        warnings
            .extend(unknown.map(|key| format!("output `hosts`, {}: unknown field `{key}` is ignored", fields.label)));
    } else {
        fields.problem(&format!("is {}, wanted is an object", shown(item)));
    }
    let required = |fields: &mut Fields, name: &str| fields.text(name, true).unwrap_or_default();
    let host = Host {
        identity: None,
        jump: None,
        name: required(&mut fields, "name"),
        role: required(&mut fields, "role"),
        address: required(&mut fields, "address"),
        private_address: fields.text("private_address", false),
        user: fields.text("user", false),
        port: fields.port(),
        connection: fields.text("connection", false),
        probe: fields.text("probe", false),
        vars: fields.vars(),
        // The store pins images; a root's word does not count.
        image: None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !host.name.chars().all(plain) || host.name.starts_with(['-', '.']) {
        fields.problem(&format!("`name` is `{}`, wanted are letters, digits, `-`, `_`, `.`", host.name));
    }
    if !host.role.is_empty() && Name::new(&host.role).is_err() {
        fields.problem(&format!("`role` is `{}`, which is no role name", host.role));
    }
    if host.address.contains(|c: char| c.is_whitespace() || c == '/') {
        fields.problem(&format!("`address` is `{}`, wanted is an IP address or a host name", host.address));
    }
    if let Err(probe) = host.probe() {
        fields.problem(&format!("`probe` is `{probe}`, wanted is `ssh`, `none`, `tcp:8080` or `http:/path`"));
    }
    host
}

/// The fields of one host, with its problems.
struct Fields<'a> {
    item: &'a Value,
    label: String,
    problems: &'a mut Vec<String>,
}

impl Fields<'_> {
    fn problem(&mut self, what: &str) {
        self.problems.push(format!("output `hosts`, {}: {what}", self.label));
    }

    fn text(&mut self, name: &str, required: bool) -> Option<String> {
        match self.item.get(name) {
            None | Some(Value::Null) if !required => None,
            None | Some(Value::Null) if !self.item.is_object() => None,
            None | Some(Value::Null) => {
                self.problem(&format!("`{name}` is missing"));
                None
            }
            Some(Value::String(text)) if text.trim().is_empty() => {
                if required {
                    self.problem(&format!("`{name}` is empty"));
                }
                None
            }
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.problem(&format!("`{name}` is {}, wanted is a text", shown(other)));
                None
            }
        }
    }

    /// A number, or a number written as text: collections of one type turn numbers into texts.
    fn port(&mut self) -> Option<u16> {
        let value = self.item.get("port").filter(|value| !value.is_null())?;
        let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let port = number.and_then(|n| u16::try_from(n).ok()).filter(|port| *port > 0);
        if port.is_none() {
            self.problem(&format!("`port` is {}, wanted is 1 to 65535", shown(value)));
        }
        port
    }

    fn vars(&mut self) -> Map<String, Value> {
        match self.item.get("vars") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(other) => {
                self.problem(&format!("`vars` is {}, wanted is a map", shown(other)));
                Map::new()
            }
        }
    }
}

/// What was found, short.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "a map".to_owned(),
        Value::String(text) => format!("the text `{}`", crate::tools::said::one_line(text)),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(hosts: Value) -> Result<Declared, OutputsError> {
        let mut outputs = Map::new();
        outputs.insert("hosts".into(), hosts);
        declared(&outputs, &[])
    }

    #[test]
    fn a_good_output_is_read() {
        let mut outputs = Map::new();
        outputs.insert("endpoint".into(), json!("http://127.0.0.1:20001/"));
        outputs.insert(
            "hosts".into(),
            json!([{"name":"www-1","role":"www","address":"127.70.0.1","connection":"local","probe":"tcp:8080","vars":{"http_port":8080},"user":null,"boot":"x"},
                   {"name":"lb-1","role":"lb","address":"10.0.0.1","port":"2222"}]),
        );
        let read = declared(&outputs, &[]).expect("fine");
        assert_eq!(read.hosts[0].vars["http_port"], 8080);
        assert_eq!(read.hosts[1].port, Some(2222));
        assert_eq!(read.warnings, ["output `hosts`, www-1: unknown field `boot` is ignored"]);
        let asked = |name: &str, role: &str| HostSpec {
            name: name.into(),
            role: role.into(),
            image: String::new(),
            size: String::new(),
        };
        let same = read.against(&[asked("www-1", "www"), asked("lb-1", "lb")]);
        assert_eq!(same, Difference::default());
        let other = read.against(&[asked("www-1", "web"), asked("www-2", "www")]);
        assert_eq!(
            (other.missing.as_slice(), other.extra.as_slice()),
            (&["www-2".to_owned()][..], &["lb-1".to_owned()][..])
        );
        insta::assert_snapshot!(other.problem().expect("a problem"), @r#"output `hosts` lacks www-2, which was asked for; output `hosts` gives www-1 the role `www`, asked was `web`"#);
        assert_eq!(read.against(&[asked("lb-1", "lb")]).problem(), None);
    }

    #[test]
    fn every_problem_names_host_and_field() {
        let error = read(json!([
            {"name":"www-1","role":"www"},
            {"role":"WWW","address":"a b","port":70000,"vars":[]},
            {"name":"x-1","role":"x","address":7,"probe":"smoke"},
            "nothing",
            {"name":"www-1","role":"www","address":"10.0.0.1"}
        ]))
        .expect_err("problems");
        insta::assert_snapshot!(error, @r#"
        output `hosts`, www-1: `address` is missing
        output `hosts`, host 2: `name` is missing
        output `hosts`, host 2: `port` is `70000`, wanted is 1 to 65535
        output `hosts`, host 2: `vars` is a list of 0, wanted is a map
        output `hosts`, host 2: `role` is `WWW`, which is no role name
        output `hosts`, host 2: `address` is `a b`, wanted is an IP address or a host name
        output `hosts`, x-1: `address` is `7`, wanted is a text
        output `hosts`, x-1: `probe` is `smoke`, wanted is `ssh`, `none`, `tcp:8080` or `http:/path`
        output `hosts`, host 4: is the text `nothing`, wanted is an object
        output `hosts`: two hosts are named `www-1`
        "#);
        assert!(read(json!({"www-1": {}})).expect_err("a map").to_string().contains("is a map"));
        assert!(declared(&Map::new(), &["hosts".into()]).expect_err("hidden").to_string().contains("sensitive"));
        assert!(declared(&Map::new(), &[]).expect_err("absent").to_string().contains("declares no output"));
    }
}
