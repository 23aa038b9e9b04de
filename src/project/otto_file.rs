//! `otto.yaml`: the project's name and id, its defaults, its environments.

use std::collections::BTreeMap;

use crate::model::project::ToolPins;
use crate::model::{Environment, Name, Pattern, Range, Ssh};

use super::node::Node;
use super::quantity;
use super::read::{Field, Fields, Reading};
use super::ssh_settings;

/// What the file says; defaults in place of what is wrong, which is then a problem.
#[derive(Debug)]
pub(super) struct OttoFile {
    pub(super) name: Option<Name>,
    pub(super) id: String,
    pub(super) providers: Vec<Name>,
    pub(super) environment: Name,
    pub(super) environments: BTreeMap<Name, Environment>,
    pub(super) image_max_age_s: Option<u64>,
    pub(super) reap_grace_s: Option<u64>,
    pub(super) ssh: Ssh,
    /// Spending limit a month of the whole project.
    pub(super) budget: Option<(String, String)>,
    /// From where SSH is answered.
    pub(super) admin_cidrs: Option<Vec<String>>,
    /// The same by pattern.
    pub(super) patterns: Vec<(Pattern, Environment)>,
    /// Versions of tools that may be used.
    pub(super) tools: ToolPins,
    /// Files with variables for the tools, relative to the project.
    pub(super) env_files: Vec<String>,
}

const KEYS: &[&str] = &[
    "project",
    "id",
    "providers",
    "environment",
    "ssh",
    "environments",
    "images",
    "tools",
    "env_files",
    "admin_cidrs",
    "budget",
    "reap",
];
const ENVIRONMENT_KEYS: &[&str] = &["ttl", "protect", "budget", "providers", "vars"];
const TOOL_KEYS: &[&str] = &["terraform", "opentofu", "packer", "ansible"];

impl Default for OttoFile {
    fn default() -> Self {
        Self {
            name: None,
            id: String::new(),
            providers: vec![known_name("local")],
            environment: known_name("dev"),
            environments: BTreeMap::new(),
            image_max_age_s: None,
            reap_grace_s: None,
            ssh: Ssh::default(),
            budget: None,
            admin_cidrs: None,
            patterns: Vec::new(),
            tools: BTreeMap::new(),
            env_files: Vec::new(),
        }
    }
}

fn known_name(text: &str) -> Name {
    Name::new(text).expect("a fixed name follows the pattern")
}

/// Reads the document; `providers` are the folders of `clowd/provision`.
pub(super) fn read(reading: &mut Reading, node: &Node, providers: &[&str]) -> OttoFile {
    let mut file = OttoFile::default();
    let Some(fields) = super::load::document(reading, node) else { return file };
    reading.only(&fields, KEYS);
    file.name = reading.required(&fields, "project", "project: clowd").and_then(|field| reading.name(&field));
    if let Some(field) = reading.required(&fields, "id", "id: 7f3c9a41d2e8b605") {
        let fits = |text: &str| {
            let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            ((4..=63).contains(&text.len()) && text.bytes().all(inner)).then(|| text.to_owned())
        };
        let expected = "4 to 63 small letters, digits and hyphens, as `otto init` writes them";
        file.id = reading.parsed(&field, expected, fits).unwrap_or_default();
    }
    match fields.get("providers") {
        Some(field) => {
            file.providers = reading.names(&field, "provider", providers, "[local]");
            if file.providers.is_empty() && is_empty_list(&field) {
                reading.bad(&field, "`providers` is an empty list".to_owned(), "such as `providers: [local]`");
            }
        }
        None => reading.defaulted("providers", "[\"local\"]"),
    }
    match fields.get("environment") {
        Some(field) => file.environment = reading.name(&field).unwrap_or(file.environment),
        None => reading.defaulted("environment", "dev"),
    }
    if let Some(field) = fields.get("ssh") {
        file.ssh = ssh_settings::read(reading, &field);
    }
    if let Some(field) = fields.get("admin_cidrs") {
        let expected = "an address or a network such as `203.0.113.7` or `198.51.100.0/24`";
        let items = reading.list(&field, "a list such as `[203.0.113.7/32]`");
        let cidr = |item: &Field<'_>, reading: &mut Reading| reading.parsed(item, expected, quantity::cidr);
        file.admin_cidrs = items.map(|items| items.iter().filter_map(|item| cidr(item, reading)).collect());
    }
    if let Some(field) = fields.get("images")
        && let Some(inner) = reading.map(&field, "a map such as `{max_age: 30d}`")
    {
        reading.only(&inner, &["max_age"]);
        if let Some(age) = inner.get("max_age") {
            file.image_max_age_s = reading.parsed(&age, "a span of time such as `30d` or `4w`", quantity::seconds);
        }
    }
    if let Some(field) = fields.get("reap")
        && let Some(inner) = reading.map(&field, "a map such as `{grace: 10m}`")
    {
        reading.only(&inner, &["grace"]);
        if let Some(grace) = inner.get("grace") {
            let span = |text: &str| if text == "0s" { Some(0) } else { quantity::seconds(text) };
            file.reap_grace_s = reading.parsed(&grace, "a span of time such as `10m`, or `0s`", span);
        }
    }
    if let Some(field) = fields.get("environments") {
        environments(reading, &field, providers, &mut file);
    }
    file.budget = fields.get("budget").and_then(|field| budget(reading, &field));
    if let Some(field) = fields.get("tools") {
        file.tools = tools(reading, &field);
    }
    if let Some(field) = fields.get("env_files") {
        for item in reading.list(&field, "a list such as `[.env]`").unwrap_or_default() {
            file.env_files.extend(reading.text(&item, "the path of a file such as `.env`"));
        }
    }
    file
}

fn is_empty_list(field: &Field<'_>) -> bool {
    matches!(&field.node.kind, super::node::Kind::List(items) if items.is_empty())
}

fn environments(reading: &mut Reading, field: &Field<'_>, providers: &[&str], file: &mut OttoFile) {
    let Some(all) = reading.map(field, "a map such as `{dev: {ttl: 8h}}`") else { return };
    for entry in all.all() {
        let pattern = Pattern::new(entry.key);
        let name = if pattern.is_none() { reading.key_name(&entry) } else { None };
        if name.is_none() && pattern.is_none() {
            continue;
        }
        reading.note(&entry);
        let Some(fields) = reading.map(&entry, "a map such as `{ttl: 8h}`") else { continue };
        reading.only(&fields, ENVIRONMENT_KEYS);
        let mut policy = environment(reading, &fields);
        if let Some(field) = fields.get("providers") {
            policy.providers = Some(reading.names(&field, "provider", providers, "[local]"));
        }
        if let Some(name) = name {
            file.environments.insert(name, policy);
        } else if let Some(pattern) = pattern {
            file.patterns.push((pattern, policy));
        }
    }
}

fn environment(reading: &mut Reading, fields: &Fields<'_>) -> Environment {
    let mut policy = Environment::default();
    if let Some(field) = fields.get("ttl") {
        policy.ttl_s = reading.parsed(&field, "a span of time such as `8h`, `2d`, `90m` or `1w`", quantity::seconds);
    }
    if let Some(field) = fields.get("protect") {
        policy.protect = reading.flag(&field).unwrap_or_default();
    }
    if let Some(field) = fields.get("vars") {
        policy.vars = reading.vars(&field);
    }
    policy.budget = fields.get("budget").and_then(|field| budget(reading, &field));
    policy
}

/// `{month: 20 USD}`: an amount and its currency.
pub(super) fn budget(reading: &mut Reading, field: &Field<'_>) -> Option<(String, String)> {
    let inner = reading.map(field, "a map such as `{month: 20 USD}`")?;
    reading.only(&inner, &["month"]);
    let month = reading.required(&inner, "month", "month: 20 USD")?;
    reading.parsed(&month, "an amount and a currency such as `20 USD`", quantity::money)
}

/// Ranges of versions by tool.
fn tools(reading: &mut Reading, field: &Field<'_>) -> ToolPins {
    let mut pins = ToolPins::new();
    let Some(fields) = reading.map(field, "a map such as `{terraform: \">=1.5, <2\"}`") else { return pins };
    reading.only(&fields, TOOL_KEYS);
    for entry in fields.all().filter(|entry| TOOL_KEYS.contains(&entry.key)) {
        let expected = "a range of versions such as `\">=1.5, <2\"`, `\"1.6\"` or `\"~> 1.9\"`";
        if let Some(range) = reading.parsed(&entry, expected, Range::parse) {
            pins.insert(entry.key.to_owned(), range);
        }
    }
    pins
}
