//! The part of `site.yaml` that an environment may override: domains, roles, content, checks, and so on.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::model::site::Shape;
use crate::model::{Appliance, CheckSpec, Name, Role};

use super::content;
use super::machines;
use super::near;
use super::node::Kind;
use super::quantity;
use super::read::{Field, Fields, Reading};

/// Keys of a shape.
pub(super) const KEYS: &[&str] =
    &["domains", "roles", "content", "checks", "providers", "region", "vars", "tls", "static", "on", "ttl", "budget"];
const ROLE_KEYS: &[&str] = &["image", "count", "size", "ansible", "kind"];
const CHECK_KEYS: &[&str] = &["name", "http", "domain", "status", "body"];
const MAX_HOSTS: u32 = 200;

/// What the project's folders hold.
pub(super) struct Known<'a> {
    pub(super) appliances: &'a BTreeMap<Name, Appliance>,
    pub(super) providers: Vec<&'a str>,
    pub(super) sites: Vec<&'a str>,
    /// Ansible roles that are there.
    pub(super) roles: &'a [String],
}

/// Reads a shape; what is wrong is a problem and left out.
pub(super) fn read(reading: &mut Reading, fields: &Fields<'_>, folder: &Utf8Path, known: &Known<'_>) -> Shape {
    let elsewhere = fields.get("on").is_some() || fields.get("static").is_some();
    let mut shape = Shape {
        domains: domains(reading, fields),
        roles: BTreeMap::new(),
        content: None,
        build: None,
        checks: Vec::new(),
        providers: None,
        ttl_s: None,
        region: None,
        vars: serde_json::Map::new(),
        tls: None,
        machines: Vec::new(),
        on: None,
        budget: None,
    };
    let roles = if elsewhere {
        fields.get("roles")
    } else {
        reading.required(fields, "roles", "roles: {www: {image: nginx, count: 1}}")
    };
    if let Some(field) = roles {
        shape.roles = self::roles(reading, &field, known, elsewhere);
    }
    if let Some(field) = fields.get("content") {
        (shape.content, shape.build) = content::read(reading, &field, folder);
    }
    if let Some(field) = fields.get("checks") {
        shape.checks = checks(reading, &field, &shape.domains);
    }
    if let Some(field) = fields.get("providers") {
        shape.providers = Some(reading.names(&field, "provider", &known.providers, "[local]"));
    }
    if let Some(field) = fields.get("region") {
        shape.region = reading.text(&field, "a region such as `fra1`");
    }
    if let Some(field) = fields.get("vars") {
        shape.vars = reading.vars(&field);
    }
    if let Some(field) = fields.get("ttl") {
        shape.ttl_s = reading.parsed(&field, "a span of time such as `8h`, `2d`, `90m` or `1w`", quantity::seconds);
    }
    if let Some(field) = fields.get("tls") {
        shape.tls = super::tls::read(reading, &field, folder);
    }
    if let Some(field) = fields.get("static") {
        shape.machines = machines::read(reading, &field);
    }
    if let Some(field) = fields.get("budget") {
        shape.budget = super::otto_file::budget(reading, &field);
    }
    if let Some(field) = fields.get("on") {
        shape.on = on(reading, &field, fields, folder, known);
    }
    shape
}

/// A site has hosts of its own or lives on those of another one.
fn on(
    reading: &mut Reading,
    field: &Field<'_>,
    fields: &Fields<'_>,
    folder: &Utf8Path,
    known: &Known<'_>,
) -> Option<Name> {
    let name = reading.name(field)?;
    if folder.file_name() == Some(name.as_str()) {
        reading.bad(field, format!("`{name}` cannot live on itself"), "name another site");
        return None;
    }
    if !known.sites.contains(&name.as_str()) {
        let hint = near::suggestion(name.as_str(), known.sites.iter().copied());
        reading.bad(field, format!("unknown site `{name}`"), hint);
        return None;
    }
    for key in ["roles", "static"] {
        if let Some(other) = fields.get(key) {
            let message = format!("`{key}` and `on: {name}` contradict each other");
            reading.bad(&other, message, format!("leave one of them out: the hosts are those of `{name}`"));
        }
    }
    Some(name)
}

fn domains(reading: &mut Reading, fields: &Fields<'_>) -> Vec<String> {
    let Some(field) = reading.required(fields, "domains", "domains: [hello.localhost]") else { return Vec::new() };
    let Some(items) = reading.list(&field, "a list such as `[hello.localhost]`") else { return Vec::new() };
    if matches!(&field.node.kind, Kind::List(all) if all.is_empty()) {
        reading.bad(&field, "`domains` is an empty list".to_owned(), "such as `domains: [hello.localhost]`");
    }
    let mut all = Vec::new();
    for item in items {
        match domain(reading, &item) {
            Some(name) if all.contains(&name) => {
                reading.bad(&item, format!("the domain `{name}` is listed twice"), "remove one");
            }
            Some(name) => all.push(name),
            None => {}
        }
    }
    all
}

fn domain(reading: &mut Reading, field: &Field<'_>) -> Option<String> {
    let text = reading.text(field, "a domain such as `www.example.org`")?;
    match quantity::domain(&text) {
        Ok(name) => Some(name),
        Err(hint) => {
            reading.bad(field, format!("`{text}` is no domain"), hint);
            None
        }
    }
}

fn roles(reading: &mut Reading, field: &Field<'_>, known: &Known<'_>, elsewhere: bool) -> BTreeMap<Name, Role> {
    let mut all = BTreeMap::new();
    let Some(fields) = reading.map(field, "a map such as `{www: {image: nginx, count: 1}}`") else { return all };
    for entry in fields.all() {
        let name = reading.key_name(&entry);
        let role = role(reading, &entry, known);
        if let (Some(name), Some(role)) = (name, role) {
            all.insert(name, role);
        }
    }
    if fields.entries.is_empty() && !elsewhere {
        reading.bad(field, "`roles` is an empty map".to_owned(), "such as `roles: {www: {image: nginx, count: 1}}`");
    }
    let total: u32 = all.values().map(|role: &Role| role.count).sum();
    if total > MAX_HOSTS {
        reading.bad(field, format!("`roles` asks for {total} hosts"), format!("{MAX_HOSTS} at most"));
    }
    all
}

fn role(reading: &mut Reading, field: &Field<'_>, known: &Known<'_>) -> Option<Role> {
    let fields = reading.map(field, "a map such as `{image: nginx, count: 1}`")?;
    reading.only(&fields, ROLE_KEYS);
    let mut role = Role { image: None, count: 1, size: "small".to_owned(), ansible: Vec::new(), cloud: false };
    if let Some(image) = fields.get("image") {
        role.image = reading.name(&image);
        if let Some(name) = &role.image
            && !known.appliances.contains_key(name)
        {
            let hint = match near::nearest(name.as_str(), known.appliances.keys().map(Name::as_str)) {
                Some(candidate) => format!("did you mean `{candidate}`?"),
                None => format!("`images/{name}` has no `<provider>/image.pkr.hcl`"),
            };
            reading.bad(&image, format!("unknown image `{name}`"), hint);
        }
    }
    match fields.get("count") {
        Some(count) => role.count = reading.whole(&count, 0, MAX_HOSTS).unwrap_or(1),
        None => reading.defaulted(&fields.path_of("count"), "1"),
    }
    match fields.get("size") {
        Some(size) => role.size = reading.text(&size, "a size such as `small`").unwrap_or_default(),
        None => reading.defaulted(&fields.path_of("size"), "small"),
    }
    if let Some(field) = fields.get("ansible") {
        role.ansible = own_roles(reading, &field, known);
    }
    if let Some(kind) = fields.get("kind")
        && reading.one_of(&kind, &[("hosts", false), ("cloud", true)]) == Some(true)
    {
        if field.key != "lb" {
            reading.bad(&kind, format!("role `{}` cannot be the provider's own", field.key), "only `lb` can");
        }
        // What an environment without it says of hosts may stand beside.
        (role.cloud, role.count, role.image) = (true, 0, None);
    }
    Some(role)
}

/// Roles by their names; one of a collection (`ns.collection.role`) is Ansible's to find.
fn own_roles(reading: &mut Reading, field: &Field<'_>, known: &Known<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for item in reading.list(field, "a list such as `[my_role]`").unwrap_or_default() {
        let fits = |text: &str| {
            let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            (!text.is_empty() && !text.starts_with(['.', '-']) && text.chars().all(word)).then(|| text.to_owned())
        };
        let Some(role) = reading.parsed(&item, "the name of a role in `clowd/config/roles`", fits) else { continue };
        if role.matches('.').count() < 2 && !known.roles.contains(&role) {
            let hint = match near::nearest(&role, known.roles.iter().map(String::as_str)) {
                Some(candidate) => format!("did you mean `{candidate}`?"),
                None => format!("write `clowd/config/roles/{role}/tasks/main.yml`"),
            };
            reading.bad(&item, format!("unknown role `{role}`"), hint);
        } else {
            all.push(role);
        }
    }
    all
}

fn checks(reading: &mut Reading, field: &Field<'_>, domains: &[String]) -> Vec<CheckSpec> {
    let example = "a list such as `[{name: home, http: /, status: 200}]`";
    let mut all: Vec<CheckSpec> = Vec::new();
    for item in reading.list(field, example).unwrap_or_default() {
        let Some(fields) = reading.map(&item, "a map such as `{name: home, http: /}`") else { continue };
        reading.only(&fields, CHECK_KEYS);
        let Some(check) = check(reading, &fields, domains) else { continue };
        if all.iter().any(|other| other.name == check.name) {
            reading.bad(&item, format!("duplicate check `{}`", check.name), "give each its own `name`");
        } else {
            all.push(check);
        }
    }
    all
}

fn check(reading: &mut Reading, fields: &Fields<'_>, domains: &[String]) -> Option<CheckSpec> {
    let http = reading.required(fields, "http", "http: /");
    let path = |text: &str| {
        let fits = text.starts_with('/') && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
        fits.then(|| text.to_owned())
    };
    let http = http.and_then(|field| reading.parsed(&field, "a path that begins with `/`", path));
    let name = fields.get("name").and_then(|field| reading.text(&field, "a text"));
    let mut check = CheckSpec {
        name: name.unwrap_or_else(|| format!("http {}", http.as_deref().unwrap_or("/"))),
        http: http.clone().unwrap_or_default(),
        domain: None,
        status: 200,
        body: None,
    };
    match fields.get("status") {
        Some(field) => {
            let status = reading.whole(&field, 100, 599);
            check.status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        }
        None => reading.defaulted(&fields.path_of("status"), "200"),
    }
    if let Some(field) = fields.get("body") {
        check.body = reading.parsed(&field, "a text", |text| (!text.is_empty()).then(|| text.to_owned()));
    }
    if let Some(field) = fields.get("domain") {
        check.domain = domain(reading, &field);
        if let Some(name) = check.domain.as_ref().filter(|name| !domains.contains(name)) {
            let hint = near::suggestion(name, domains.iter().map(String::as_str));
            reading.bad(&field, format!("`{name}` is no domain of this site"), hint);
        }
    }
    http.map(|_| check)
}
