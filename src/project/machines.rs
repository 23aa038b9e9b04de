//! `static: {hosts: [...]}` of a site: machines that are there already, and how each is reached.

use crate::model::{Machine, Name};

use super::near;
use super::read::{Field, Fields, Reading};

const KEYS: &[&str] = &["name", "role", "address", "private_address", "user", "port", "identity", "jump", "vars"];
const EXAMPLE: &str = "{name: web-a, role: www, address: 10.0.0.5}";

/// Reads the list; what is wrong is a problem and left out.
pub(super) fn read(reading: &mut Reading, field: &Field<'_>) -> Vec<Machine> {
    let mut all: Vec<(Machine, Field<'_>)> = Vec::new();
    let Some(fields) = reading.map(field, "a map such as `{hosts: []}`") else { return Vec::new() };
    reading.only(&fields, &["hosts"]);
    let Some(hosts) = reading.required(&fields, "hosts", &format!("hosts: [{EXAMPLE}]")) else { return Vec::new() };
    let items = reading.list(&hosts, "a list of hosts").unwrap_or_default();
    if items.is_empty() {
        reading.bad(&hosts, format!("`{}` is an empty list", hosts.path), format!("such as `hosts: [{EXAMPLE}]`"));
    }
    for item in items {
        let Some(fields) = reading.map(&item, &format!("a map such as `{EXAMPLE}`")) else { continue };
        reading.only(&fields, KEYS);
        let Some(machine) = machine(reading, &fields) else { continue };
        if all.iter().any(|(other, _)| other.name == machine.name) {
            reading.bad(&item, format!("duplicate host `{}`", machine.name), "give each its own `name`");
        } else if all.iter().any(|(other, _)| same_place(other, &machine)) {
            let hint = "one host with the role `clowd` serves pages and spreads requests";
            reading.bad(&item, format!("`{}` is listed twice", machine.address), hint);
        } else {
            all.push((machine, item));
        }
    }
    jumps(reading, &all);
    all.into_iter().map(|(machine, _)| machine).collect()
}

fn same_place(one: &Machine, other: &Machine) -> bool {
    one.address == other.address && one.port == other.port && one.jump == other.jump
}

fn machine(reading: &mut Reading, fields: &Fields<'_>) -> Option<Machine> {
    let name = reading.required(fields, "name", "name: web-a").and_then(|field| reading.name(&field));
    let role = reading.required(fields, "role", "role: www").and_then(|field| reading.name(&field));
    let address = reading.required(fields, "address", "address: 10.0.0.5");
    let address = address.and_then(|field| reading.parsed(&field, "an address such as `10.0.0.5`", place));
    let mut text = |key: &str| fields.get(key).and_then(|inner| reading.parsed(&inner, "a text without blanks", word));
    let (user, jump) = (text("user"), text("jump"));
    let private_address =
        fields.get("private_address").and_then(|field| reading.parsed(&field, "an address such as `10.0.0.5`", place));
    let identity = fields.get("identity").and_then(|field| reading.text(&field, "the path of a private key"));
    let port = fields.get("port").and_then(|field| reading.whole(&field, 1, 65_535));
    let vars = fields.get("vars").map(|field| reading.vars(&field)).unwrap_or_default();
    Some(Machine {
        name: name?,
        role: role?,
        address: address?,
        private_address,
        user,
        port: port.and_then(|port| u16::try_from(port).ok()),
        identity,
        jump,
        vars,
    })
}

/// What ends up on ssh's command line: no option, no blank.
pub(super) fn word(text: &str) -> Option<String> {
    let fits = !text.is_empty() && !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c == ',');
    fits.then(|| text.to_owned())
}

fn place(text: &str) -> Option<String> {
    word(text).filter(|text| !text.contains(['/', '@', '"', '\'', '[', ']']))
}

/// Who goes through whom ends somewhere.
fn jumps(reading: &mut Reading, all: &[(Machine, Field<'_>)]) {
    let named = |name: &str| all.iter().map(|(machine, _)| machine).find(|machine| machine.name.as_str() == name);
    for (machine, field) in all {
        let (mut at, mut steps) = (machine, 0);
        while let Some(next) = at.jump.as_deref().and_then(named) {
            (at, steps) = (next, steps + 1);
            if steps > all.len() {
                let message = format!("`{}` is reached through itself", machine.name);
                reading.bad(field, message, "the first `jump` has to be a host that is reached directly");
                break;
            }
        }
        let Some(jump) = &machine.jump else { continue };
        let near = near::nearest(jump, all.iter().map(|(other, _)| other.name.as_str()));
        if let (None, Some(near), true) = (named(jump), near, Name::new(jump).is_ok()) {
            reading.warning(
                field,
                format!("`jump: {jump}` is no host of this site"),
                format!("did you mean `{near}`?"),
            );
        }
    }
}
