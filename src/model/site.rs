//! A site as declared, and the deployment of it that is wanted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check::CheckSpec;
use super::name::{DeploymentId, Name};
use super::tls::Tls;

/// A role of a site: how many hosts of which image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The appliance; the provider's stock image when absent.
    pub image: Option<Name>,
    /// How many hosts.
    pub count: u32,
    /// A size of the provider, or one of its own words.
    pub size: String,
}

/// One `sites/<site>/site.yaml`, environment overrides not yet applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The folder's name.
    pub name: Name,
    /// The folder, absolute.
    pub folder: String,
    /// The resolved shape without an environment, under the key of each environment that overrides it: its own shape.
    pub base: Shape,
    /// Environments that change something, already merged with the base.
    pub environments: BTreeMap<Name, Shape>,
}

/// What a site is in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Names it answers to; the first one is its main name.
    pub domains: Vec<String>,
    /// Roles by name.
    pub roles: BTreeMap<Name, Role>,
    /// Absolute content folder.
    pub content: Option<String>,
    /// Its own checks.
    pub checks: Vec<CheckSpec>,
    /// Only on these providers; any when absent.
    pub providers: Option<Vec<Name>>,
    /// Instead of the provider's.
    pub region: Option<String>,
    /// For Ansible and Terraform.
    pub vars: Map<String, Value>,
    /// HTTPS; HTTP alone when absent.
    pub tls: Option<Tls>,
}

impl Site {
    /// The shape in an environment.
    pub fn shape(&self, environment: &Name) -> &Shape {
        self.environments.get(environment).unwrap_or(&self.base)
    }
}

/// What one deployment should be: a site's shape with its environment's policy. Complete in itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentSpec {
    /// Environment, provider, site.
    pub id: DeploymentId,
    /// Names it answers to.
    pub domains: Vec<String>,
    /// Roles by name.
    pub roles: BTreeMap<Name, Role>,
    /// Absolute content folder.
    pub content: Option<String>,
    /// Its own checks.
    pub checks: Vec<CheckSpec>,
    /// Provider region.
    pub region: String,
    /// For Ansible and Terraform, environment's below site's.
    pub vars: Map<String, Value>,
    /// How long it may live, in seconds.
    pub ttl_s: Option<u64>,
    /// Never destroyed without its name typed.
    pub protect: bool,
    /// HTTPS; HTTP alone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

impl DeploymentSpec {
    /// Host names with their roles, in order: `lb-1, www-1, www-2`.
    pub fn host_names(&self) -> Vec<(String, &Name, &Role)> {
        self.roles
            .iter()
            .flat_map(|(name, role)| (1..=role.count).map(move |n| (format!("{name}-{n}"), name, role)))
            .collect()
    }

    /// The appliances its hosts boot.
    pub fn appliances(&self) -> Vec<&Name> {
        let mut all: Vec<&Name> =
            self.roles.values().filter(|role| role.count > 0).filter_map(|role| role.image.as_ref()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Roles whose hosts serve pages.
pub fn serves_pages(role: &str) -> bool {
    matches!(role, "www" | "clowd")
}

/// Roles whose hosts spread requests.
pub fn balances(role: &str) -> bool {
    matches!(role, "lb" | "clowd")
}
