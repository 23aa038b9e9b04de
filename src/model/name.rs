//! Names and the one composed name, the deployment: how it is shown, how it is a key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A site, provider, environment, role or appliance: `[a-z]([a-z0-9-]{0,28}[a-z0-9])?`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The pattern of [`Name`] does not match.
    #[error(
        "`{0}` is no name: a small letter, then small letters, digits and hyphens, 30 characters at most, no hyphen at the end"
    )]
    Pattern(String),
    /// Not three names with slashes between.
    #[error("`{0}` is no deployment: environment/provider/site, such as `dev/local/hello`")]
    Deployment(String),
}

impl Name {
    /// Checks the pattern.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let bytes = text.as_bytes();
        let fits = (1..=30).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes.iter().all(|c| inner(*c))
            && bytes[bytes.len() - 1] != b'-';
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Pattern(text.to_owned())) }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// One (environment, provider, site). Shown and stored as `dev/local/hello`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeploymentId {
    /// Policy and a name in every key.
    pub environment: Name,
    /// Where its hosts run.
    pub provider: Name,
    /// What users visit.
    pub site: Name,
}

impl DeploymentId {
    /// The form for folders, tags and workspaces: `dev_local_hello` (unambiguous: names hold no underscore).
    pub fn key(&self) -> String {
        format!("{}_{}_{}", self.environment, self.provider, self.site)
    }

    /// Reads [`Self::key`] back.
    pub fn from_key(key: &str) -> Result<Self, NameError> {
        Self::split(key, '_')
    }

    /// The host's name in a cloud: `<environment>-<site>-<role>-<n>`, cut to 63 characters with a hash.
    pub fn cloud_name(&self, host: &str) -> String {
        let full = format!("{}-{}-{host}", self.environment, self.site);
        if full.len() <= 63 {
            return full;
        }
        // FNV-1a: stable across versions and machines, and collisions only matter within one deployment.
        let hash =
            full.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        format!("{}-{:08x}", full[..54].trim_end_matches('-'), hash as u32)
    }

    fn split(text: &str, by: char) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.split(by).collect();
        let [environment, provider, site] = parts[..] else {
            return Err(NameError::Deployment(text.to_owned()));
        };
        Ok(Self { environment: Name::new(environment)?, provider: Name::new(provider)?, site: Name::new(site)? })
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}/{}", self.environment, self.provider, self.site))
    }
}

impl FromStr for DeploymentId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::split(text, '/')
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<DeploymentId> for String {
    fn from(id: DeploymentId) -> Self {
        id.to_string()
    }
}

/// `1 host`, `2 hosts`.
pub fn counted(n: impl Into<u64>, noun: &str) -> String {
    let n = n.into();
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern() {
        for good in ["a", "web-1", "a0", "abcdefghijklmnopqrstuvwxyz-123"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "a-", "A", "a_b", "a b", "-a", "abcdefghijklmnopqrstuvwxyz-1234", "é"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_deployment_is_shown_and_keyed_both_ways() {
        let id: DeploymentId = "dev/local/hello-x".parse().expect("a deployment");
        assert_eq!(id.key(), "dev_local_hello-x");
        assert_eq!(DeploymentId::from_key(&id.key()), Ok(id.clone()));
        assert!("dev/local".parse::<DeploymentId>().is_err());
        assert_eq!(id.cloud_name("www-1"), "dev-hello-x-www-1");
    }

    #[test]
    fn long_cloud_names_are_cut_and_stay_apart() {
        let long = "a23456789012345678901234567890";
        let id: DeploymentId = format!("{long}/local/{long}").parse().expect("a deployment");
        let (one, two) = (id.cloud_name("www-1"), id.cloud_name("www-2"));
        assert!(one.len() <= 63 && two.len() <= 63);
        assert_ne!(one, two);
    }
}
