//! What otto remembers of a deployment: the record that the store keeps and every verb reads.

use serde::{Deserialize, Serialize};

use super::host::Host;
use super::lease::Moved;
use super::name::DeploymentId;
use super::outcome::Outcome;
use super::site::DeploymentSpec;
use super::time::Timestamp;
use super::tls::{Tls, secure_endpoint};
use super::unit::RunId;

/// How far a deployment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was ever made.
    Absent,
    /// Provisioning began and did not end well.
    Partial,
    /// The hosts are there.
    Provisioned,
    /// The hosts are configured.
    Configured,
    /// The bootstrap check passed.
    Tested,
    /// Being taken down.
    Destroying,
    /// Taken down, verified.
    Destroyed,
}

impl Phase {
    /// The word used in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Partial => "partial",
            Self::Provisioned => "provisioned",
            Self::Configured => "configured",
            Self::Tested => "tested",
            Self::Destroying => "destroying",
            Self::Destroyed => "destroyed",
        }
    }

    /// Something of it may exist.
    pub fn exists(self) -> bool {
        !matches!(self, Self::Absent | Self::Destroyed)
    }
}

/// Something may exist that no state knows, or may be half done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dirty {
    /// What happened.
    pub reason: String,
    /// The command that repairs it.
    pub repair: String,
    /// Resource addresses that were in flight when the tool ended uncleanly, if that is what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_flight: Vec<String>,
    /// Those that were being made or taken down: a state may hold them as whole though they are half there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<String>,
}

impl Deployment {
    /// Whether otto gives its root this variable: of one that was taken over, not what the root has a value of its own for.
    pub fn passes(&self, variable: &str) -> bool {
        self.adopted.as_ref().is_none_or(|kept| !kept.iter().any(|name| name == variable))
    }

    /// Where visitors reach it: over HTTPS when that is what it should serve.
    pub fn front(&self, tls: Option<&Tls>) -> Option<String> {
        match tls {
            Some(_) => secure_endpoint(&self.hosts, self.endpoint.as_deref()),
            None => self.endpoint.clone(),
        }
    }

    /// Set where provisioning has to look for what an interruption left; half a configuration is repaired by config.
    pub fn adrift(&self) -> Option<&Dirty> {
        let half_made = matches!(self.phase, Phase::Partial | Phase::Destroying);
        self.dirty.as_ref().filter(|dirty| half_made || !dirty.in_flight.is_empty())
    }
}

/// A resource that outlived the destruction of its deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// As the tool names it.
    pub address: String,
    /// Its resource type.
    pub kind: String,
    /// The provider's name for it, where the state says one.
    #[serde(default)]
    pub id: String,
    /// What it stands on goes as little as it does itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_up: bool,
}

/// The last run that touched a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// Its id.
    pub id: RunId,
    /// The verb it was started with.
    pub verb: String,
    /// How it ended for this deployment.
    pub outcome: Outcome,
    /// When; absent while it runs.
    pub ended_at: Option<Timestamp>,
}

/// Where the state of a deployment is whose root has a backend of its own. It is chosen once and stays: looked for
/// anywhere else, everything would seem to be gone, and be made a second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePlace {
    /// The backend's kind: `pg`, `http`, ...
    pub backend: String,
    /// The workspace, for backends that have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Address, lock's and unlock's address on `http`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// The record of one deployment. Stored as JSON with a version, read by every later otto.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Environment, provider, site.
    pub id: DeploymentId,
    /// How far it has come.
    pub phase: Phase,
    /// Set from the moment a tool may have left something unknown until it was looked for.
    #[serde(default)]
    pub dirty: Option<Dirty>,
    /// When it was first provisioned (again after a destroy).
    pub created_at: Timestamp,
    /// The run that created it: part of its tags, so it never changes while it lives.
    pub run: RunId,
    /// Who created it (`user@machine`).
    pub owner: String,
    /// Until when it may live.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Its lease was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Never destroyed without its name typed.
    #[serde(default)]
    pub protect: bool,
    /// What was left behind by its destruction, because it holds data and was not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// The absolute `.otto` folder it lives in; another one today means that the project was moved.
    pub home: String,
    /// `terraform` or `tofu`: states of the two do not mix, so the first one stays.
    #[serde(default)]
    pub tool: Option<String>,
    /// Where its state is; absent: a file in its folder below `.otto/terraform/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StatePlace>,
    /// It was taken over with `otto state adopt`: variables that the root has a value of its own for and that otto does
    /// not pass, because another value would be a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Vec<String>>,
    /// What the root's outputs declared at the last apply, with the image each host was born with.
    #[serde(default)]
    pub hosts: Vec<Host>,
    /// Where users reach it.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// What was asked for at the last apply: status, test and destroy work without the site's folder.
    pub spec: DeploymentSpec,
    /// Hash of the root and its variables at the last clean apply.
    #[serde(default)]
    pub provision_hash: Option<String>,
    /// Hash of playbook, content, inventory at the last clean configuration.
    #[serde(default)]
    pub config_hash: Option<String>,
}
