//! Runs, stages and units: the nodes of a run's graph and their ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{DeploymentId, Name, NameError};

/// One invocation that executes units: `20261121-062531-a3f9` (start in UTC, then random), so runs sort by start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a unit does to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Builds one golden image.
    Images,
    /// Makes hosts out of images.
    Provision,
    /// Configures hosts and puts content on them.
    Config,
    /// Asks whether all of it serves.
    Test,
    /// Takes everything down.
    Destroy,
    /// Moves a lease.
    Extend,
    /// Compares what is there with what was made.
    Drift,
}

impl Stage {
    /// The word used everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Provision => "provision",
            Self::Config => "config",
            Self::Test => "test",
            Self::Destroy => "destroy",
            Self::Extend => "extend",
            Self::Drift => "drift",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Stage {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Images, Self::Provision, Self::Config, Self::Test, Self::Destroy, Self::Extend, Self::Drift]
            .into_iter()
            .find(|stage| stage.word() == text)
            .ok_or(())
    }
}

/// What a unit works on, and what a row of the ledger belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// An image of an appliance for a provider.
    Image {
        /// For which provider it is built.
        provider: Name,
        /// Which kind of image.
        appliance: Name,
    },
    /// A deployment.
    Deployment(DeploymentId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { provider, appliance } => f.pad(&format!("{provider}/{appliance}")),
            Self::Deployment(id) => id.fmt(f),
        }
    }
}

impl Subject {
    /// The deployment, unless it is an image.
    pub fn deployment(&self) -> Option<&DeploymentId> {
        match self {
            Self::Deployment(id) => Some(id),
            Self::Image { .. } => None,
        }
    }

    /// The provider.
    pub fn provider(&self) -> &Name {
        match self {
            Self::Image { provider, .. } => provider,
            Self::Deployment(id) => &id.provider,
        }
    }
}

impl FromStr for Subject {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [provider, appliance] => {
                Ok(Self::Image { provider: Name::new(provider)?, appliance: Name::new(appliance)? })
            }
            _ => Ok(Self::Deployment(text.parse()?)),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

/// One stage of one subject: `dev/local/hello:provision`, `local/nginx:images`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitId {
    /// What it works on.
    pub subject: Subject,
    /// What it does.
    pub stage: Stage,
}

impl UnitId {
    /// A unit of a deployment.
    pub fn of(id: &DeploymentId, stage: Stage) -> Self {
        Self { subject: Subject::Deployment(id.clone()), stage }
    }

    /// The unit that builds an image.
    pub fn image(provider: &Name, appliance: &Name) -> Self {
        Self {
            subject: Subject::Image { provider: provider.clone(), appliance: appliance.clone() },
            stage: Stage::Images,
        }
    }

    /// The deployment, unless this builds an image.
    pub fn deployment(&self) -> Option<&DeploymentId> {
        self.subject.deployment()
    }

    /// Its folder's name in a run: `dev_local_hello.provision`, `local_nginx.images`.
    pub fn folder(&self) -> String {
        format!("{}.{}", self.subject.to_string().replace('/', "_"), self.stage)
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.subject, self.stage))
    }
}

impl FromStr for UnitId {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError::Deployment(text.to_owned());
        let (subject, stage) = text.rsplit_once(':').ok_or_else(wrong)?;
        let stage = stage.parse().map_err(|()| wrong())?;
        Ok(Self { subject: subject.parse()?, stage })
    }
}

impl TryFrom<String> for UnitId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<UnitId> for String {
    fn from(id: UnitId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_ids_read_back() {
        for text in ["dev/local/hello:provision", "local/nginx:images"] {
            assert_eq!(text.parse::<UnitId>().expect("an id").to_string(), text);
        }
        assert_eq!("dev/local/hello:test".parse::<UnitId>().expect("an id").folder(), "dev_local_hello.test");
        assert!("dev/local/hello:dance".parse::<UnitId>().is_err());
    }
}
