//! The variables a root is given, the inventory's facts, and the hashes that say whether anything changed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::ssh::Logins;
use crate::model::{Deployment, DeploymentSpec, Host, HostSpec, Name, Provider, RunId, Timestamp};

/// What stays the same for as long as a deployment lives: else every plan would be a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The run that created it.
    pub run: RunId,
    /// Who did.
    pub owner: String,
    /// Until when it may live.
    pub expires_at: Option<Timestamp>,
    /// The project's id.
    pub project: String,
    /// The store's id.
    pub store: String,
    /// Who may log in to what is made, and from where.
    pub logins: Logins,
}

impl Identity {
    /// That of a deployment that exists.
    pub fn of(record: &Deployment, project: &str, store: &str, logins: &Logins) -> Self {
        Self {
            run: record.run.clone(),
            owner: record.owner.clone(),
            expires_at: record.tagged_expiry(),
            project: project.to_owned(),
            store: store.to_owned(),
            logins: logins.clone(),
        }
    }
}

/// The hosts to ask for: those that exist keep their image, new ones boot the newest.
///
/// `is_gone(host, image)` takes a host's own image from it: it does not answer, and what it was born with is not there.
///
/// # Errors
/// The appliances without an image.
pub fn host_specs(
    spec: &DeploymentSpec,
    record: Option<&Deployment>,
    provider: &Provider,
    newest: &BTreeMap<Name, String>,
    is_gone: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<HostSpec>, Vec<Name>> {
    let mut missing = Vec::new();
    let mut hosts = Vec::new();
    for (name, role_name, role) in spec.host_names() {
        let host = record.filter(|r| r.phase.exists()).and_then(|r| r.hosts.iter().find(|h| h.name == name));
        // One without an image of otto's was born with the root's own, and keeps that.
        let born_with = host.map(|h| h.image.clone().unwrap_or_default());
        let born_with = born_with.filter(|image| image.is_empty() || !is_gone(&name, image));
        let image = match (&born_with, &role.image) {
            (Some(image), _) => image.clone(),
            (None, None) => String::new(),
            (None, Some(appliance)) => newest.get(appliance).cloned().unwrap_or_else(|| {
                missing.push(appliance.clone());
                String::new()
            }),
        };
        hosts.push(HostSpec { name, role: role_name.to_string(), image, size: provider.size(&role.size) });
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() { Ok(hosts) } else { Err(missing) }
}

/// Everything that otto tells a root; the caller keeps what the root declares.
pub fn root_variables(
    spec: &DeploymentSpec,
    hosts: &[HostSpec],
    identity: &Identity,
    folder: &str,
) -> Map<String, Value> {
    let key = spec.id.key();
    let expires = identity.expires_at.map_or(0, Timestamp::seconds);
    let tags = json!({
        "otto:deployment": key,
        "otto:run": identity.run,
        "otto:owner": identity.owner,
        "otto:project": identity.project,
        "otto:store": identity.store,
        "otto:expires": expires.to_string(),
    });
    let Value::Object(map) = json!({
        "deployment": key,
        "environment": spec.id.environment,
        "site": spec.id.site,
        "run": identity.run,
        "owner": identity.owner,
        "expires_at": expires,
        "domains": spec.domains,
        "hosts": hosts,
        "region": spec.region,
        "tags": tags,
        "ssh_public_keys": identity.logins.public_keys,
        "ssh_fingerprints": fingerprints(&identity.logins.public_keys),
        "admin_cidrs": identity.logins.admin_cidrs,
        "cloud_balancer": spec.has_cloud_balancer(),
        "vars": spec.vars,
        "folder": folder,
    }) else {
        return Map::new();
    };
    let mut map = map;
    if spec.region.is_empty() {
        // Nobody named one: the root's own default counts.
        map.shift_remove("region");
    }
    map
}

/// `aa:bb:...`, the MD5 of each key: the name that clouds have for a key they hold. Empty for what is no key.
fn fingerprints(public_keys: &[String]) -> Vec<String> {
    let of = |key: &String| {
        let body = BASE64_STANDARD.decode(key.split_whitespace().nth(1)?).ok()?;
        let pairs: Vec<String> = Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(pairs.join(":"))
    };
    public_keys.iter().map(|key| of(key).unwrap_or_default()).collect()
}

/// SHA-256 over labelled parts, in hex.
pub fn hash(parts: &[(&str, &str)]) -> String {
    let mut hasher = Sha256::new();
    for (label, text) in parts {
        for piece in [label.as_bytes(), text.as_bytes()] {
            hasher.update((piece.len() as u64).to_le_bytes());
            hasher.update(piece);
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of an apply: the root's files, its variables, the tool.
pub fn provision_hash(root: &str, variables: &Map<String, Value>, tool: &str) -> String {
    let variables = Value::Object(variables.clone()).to_string();
    hash(&[("root", root), ("variables", &variables), ("tool", tool)])
}

/// The hash of a host list: the Vagrantfile, and what its machines are made of.
pub fn machines_list_hash(root: &str, hosts: &[HostSpec]) -> String {
    hash(&[("root", root), ("hosts", &serde_json::to_string(hosts).expect("hosts are plain data"))])
}

/// The hash of machines that are there already.
pub fn machines_hash(hosts: &[Host]) -> String {
    hash(&[("machines", &serde_json::to_string(hosts).expect("hosts are plain data"))])
}

/// The hash of a configuration: playbook and roles, the inventory with its variables, the content.
pub fn config_hash(config: &str, inventory: &Value, content: &str) -> String {
    hash(&[("config", config), ("inventory", &inventory.to_string()), ("content", content)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_fingerprint_that_clouds_name_it_by() {
        // As `ssh-keygen -E md5 -lf` says.
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@home";
        assert_eq!(
            fingerprints(&[key.to_owned(), "nonsense".to_owned()]),
            ["3d:52:38:ce:ff:94:f5:d7:81:a4:a4:f9:2b:4f:fe:a0", ""]
        );
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
        assert_ne!(hash(&[("a", "b"), ("c", "d")]), hash(&[("a", "bcd")]));
        assert_eq!(hash(&[("a", "b")]).len(), 64);
    }
}
