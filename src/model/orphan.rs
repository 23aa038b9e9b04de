//! What a provider says that exists: the lines of `orphans list`, and whose each of them is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::money::Quantity;
use super::name::DeploymentId;
use super::time::Timestamp;

/// One thing that exists at a provider, as `orphans list` prints it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    /// What `orphans remove` takes.
    #[serde(deserialize_with = "word")]
    pub id: String,
    /// `host`, `volume`, ...
    #[serde(default)]
    pub kind: String,
    /// Shown.
    #[serde(default)]
    pub name: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, Value>,
    /// RFC 3339 as the provider writes it; empty where it does not say.
    #[serde(default)]
    pub created_at: String,
    /// Empty where it does not say.
    #[serde(default)]
    pub region: String,
    /// In the provider's words.
    #[serde(default)]
    pub size: String,
}

/// Whose a thing is, by its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Made by this store for this project.
    Ours,
    /// Made by otto for another store or another project.
    Foreign,
}

/// An id may be written as a number.
fn word<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("`id` is no text")),
    }
}

impl Orphan {
    /// A tag in either spelling: `otto:deployment`, or `otto_deployment` (`otto-deployment`) where a colon is refused.
    pub fn tag(&self, name: &str) -> Option<String> {
        let spelled = |mark: char| self.tags.get(&format!("otto{mark}{name}"));
        let value = spelled(':').or_else(|| spelled('_')).or_else(|| spelled('-'))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// It belongs to this deployment, by its name or its key.
    pub fn is_of(&self, id: &DeploymentId) -> bool {
        self.tag("deployment").is_some_and(|d| d == id.key() || d == id.to_string())
    }

    /// The deployment that its tag names.
    pub fn deployment(&self) -> Option<DeploymentId> {
        self.tag("deployment")?.replace('_', "/").parse().ok()
    }

    /// Its size, where that is so many GB; none at all is as good as not known.
    pub fn gigabytes(&self) -> Option<Quantity> {
        let gb: Quantity = self.size.strip_suffix("GB")?.trim().parse().ok()?;
        (gb.thousandths() > 0).then_some(gb)
    }

    /// Until when its deployment was to live; nothing when for ever.
    pub fn expires(&self) -> Option<Timestamp> {
        let seconds: i64 = self.tag("expires")?.parse().ok()?;
        (seconds > 0).then_some(Timestamp(seconds.saturating_mul(1000)))
    }

    /// Whose it is; nothing when otto did not make it.
    pub fn owner(&self, project: &str, store: &str) -> Option<Owner> {
        let (of, by) = (self.tag("project"), self.tag("store"));
        if of.is_none() && by.is_none() && self.tag("deployment").is_none() {
            return None;
        }
        let ours = of.as_deref() == Some(project) && by.as_deref() == Some(store);
        Some(if ours { Owner::Ours } else { Owner::Foreign })
    }

    /// It was made for this project, by whatever store.
    pub fn is_of_project(&self, project: &str) -> bool {
        self.tag("project").as_deref() == Some(project)
    }
}

/// Words that stand for data: what is called so is taken down only by its name.
const DATA: &[&str] = &[
    "volume",
    "disk",
    "snapshot",
    "database",
    "databases",
    "db",
    "rds",
    "sql",
    "bucket",
    "filesystem",
    "filestore",
    "efs",
];
/// Words of things that only belong to data, and hold none.
const BESIDE: &[&str] = &[
    "attachment",
    "attached",
    "policy",
    "user",
    "users",
    "access",
    "iam",
    "acl",
    "firewall",
    "parameter",
    "option",
    "rule",
    "subnet",
    "group",
    "grants",
    "key",
    "notification",
    "permissions",
    "schedule",
    "ssl",
    "pool",
    "object",
];

/// Whether something of this kind (`volume`) or resource type (`digitalocean_database_cluster`) holds data that is gone with
/// it. `also` are types that a provider's folder names.
pub fn holds_data(kind: &str, also: &[String]) -> bool {
    let small = kind.to_ascii_lowercase();
    let words: Vec<&str> = small.split(['_', '-', ' ', '/']).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    also.iter().any(|one| one == kind) || any(DATA) && !any(BESIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_from_what_stands_beside_it() {
        for kind in [
            "volume",
            "digitalocean_volume",
            "digitalocean_volume_snapshot",
            "digitalocean_database_cluster",
            "aws_ebs_volume",
            "aws_db_instance",
            "google_sql_database_instance",
            "google_compute_disk",
            "aws_s3_bucket",
        ] {
            assert!(holds_data(kind, &[]), "{kind}");
        }
        for kind in [
            "droplet",
            "host",
            "digitalocean_volume_attachment",
            "google_compute_attached_disk",
            "aws_db_subnet_group",
            "digitalocean_database_firewall",
            "terraform_data",
        ] {
            assert!(!holds_data(kind, &[]), "{kind}");
        }
        assert!(holds_data("terraform_data", &["terraform_data".to_owned()]));
    }

    #[test]
    fn tags_say_whose_it_is() {
        let one = |tags: Value| -> Orphan {
            serde_json::from_value(serde_json::json!({"id": 7, "tags": tags})).expect("an orphan")
        };
        let ours = one(serde_json::json!({"otto:project": "p", "otto:store": "s", "otto:deployment": "dev_do_shop"}));
        assert_eq!((ours.id.as_str(), ours.owner("p", "s")), ("7", Some(Owner::Ours)));
        assert_eq!(ours.owner("p", "t"), Some(Owner::Foreign));
        assert_eq!(ours.deployment().map(|id| id.to_string()).as_deref(), Some("dev/do/shop"));
        assert_eq!(one(serde_json::json!({"team": "shop"})).owner("p", "s"), None);
        let other = one(serde_json::json!({"otto_project": "p", "otto_expires": "1700000000"}));
        assert_eq!(other.expires(), Some(Timestamp(1_700_000_000_000)));
        assert_eq!(one(serde_json::json!({"otto:expires": "0"})).expires(), None);
        assert!(serde_json::from_str::<Orphan>(r#"{"name": 7}"#).is_err());
    }
}
