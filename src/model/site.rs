//! A site as declared, and the deployment of it that is wanted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check::CheckSpec;
use super::name::{DeploymentId, Name};
use super::pattern::{Pattern, longest};
use super::tls::Tls;

/// A role of a site: how many hosts of which image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The appliance; the provider's stock image when absent.
    pub image: Option<Name>,
    /// How many hosts; none where the provider has something of its own for it.
    pub count: u32,
    /// A size of the provider, or one of its own words.
    pub size: String,
    /// Ansible roles of the project's own, which run after otto's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ansible: Vec<String>,
    /// `kind: cloud`: the provider's own service instead of hosts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cloud: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How the pages are made before a site is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Program and arguments; no shell reads them.
    pub command: Vec<String>,
    /// The site's folder, absolute: where the command runs.
    pub folder: String,
    /// The folder below it that then holds the pages.
    pub from: String,
}

/// A machine that is there already, as `static: {hosts: [...]}` names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The host's name.
    pub name: Name,
    /// Its role.
    pub role: Name,
    /// Where visitors, checks and SSH reach it.
    pub address: String,
    /// Where its neighbours reach it, when that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// Who to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// SSH's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The private key's file, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What SSH goes through: a host of this site, or `user@host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
    /// Variables for Ansible.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
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
    /// The same by pattern, for environments that no exact name names.
    pub patterns: Vec<(Pattern, Shape)>,
}

/// What a site is in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Names it answers to; the first one is its main name.
    pub domains: Vec<String>,
    /// Roles by name.
    pub roles: BTreeMap<Name, Role>,
    /// Absolute content folder; where `build` makes it, it need not be there yet.
    pub content: Option<String>,
    /// What makes the content.
    pub build: Option<Build>,
    /// Its own checks.
    pub checks: Vec<CheckSpec>,
    /// Only on these providers; any when absent.
    pub providers: Option<Vec<Name>>,
    /// How long a deployment of it may live, in seconds; the environment's when absent.
    pub ttl_s: Option<u64>,
    /// Instead of the provider's.
    pub region: Option<String>,
    /// For Ansible and Terraform.
    pub vars: Map<String, Value>,
    /// HTTPS; HTTP alone when absent.
    pub tls: Option<Tls>,
    /// Machines that are there already: its hosts on a provider of kind `static`.
    pub machines: Vec<Machine>,
    /// The site on whose hosts it lives.
    pub on: Option<Name>,
    /// Spending limit a month of each of its deployments: amount as decimal string, currency.
    pub budget: Option<(String, String)>,
}

impl Site {
    /// The shape in an environment: by its name, else by the longest pattern that fits, else the base.
    pub fn shape(&self, environment: &Name) -> &Shape {
        let by_pattern = || longest(&self.patterns, environment).map(|(_, shape)| shape);
        self.environments.get(environment).or_else(by_pattern).unwrap_or(&self.base)
    }

    /// The word under which `environments` holds what differs in an environment: its name or a pattern.
    pub fn environment_key(&self, environment: &Name) -> Option<String> {
        let by_pattern = || longest(&self.patterns, environment).map(|(pattern, _)| pattern.to_string());
        self.environments.contains_key(environment).then(|| environment.to_string()).or_else(by_pattern)
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
    /// What makes the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
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
    /// Its hosts, where they are machines that are there already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<Machine>,
    /// The site on whose hosts it lives: roles and machines are that one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Name>,
}

impl DeploymentSpec {
    /// Host names with their roles, in order: `lb-1, www-1, www-2`, or the machines as they are listed.
    pub fn host_names(&self) -> Vec<(String, &Name, &Role)> {
        if !self.machines.is_empty() {
            let with_role = |machine: &'_ Machine| {
                self.roles.get_key_value(&machine.role).map(|role| (machine.name.to_string(), role))
            };
            return self
                .machines
                .iter()
                .filter_map(with_role)
                .map(|(name, (role_name, role))| (name, role_name, role))
                .collect();
        }
        self.roles
            .iter()
            .flat_map(|(name, role)| (1..=role.count).map(move |n| (format!("{name}-{n}"), name, role)))
            .collect()
    }

    /// A role by its name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|(known, _)| known.as_str() == name).map(|(_, role)| role)
    }

    /// The provider's own load balancer stands before the hosts.
    pub fn has_cloud_balancer(&self) -> bool {
        self.roles.iter().any(|(name, role)| role.cloud && balances(name.as_str()))
    }

    /// The deployment on whose hosts it lives.
    pub fn carrier(&self) -> Option<DeploymentId> {
        self.on.as_ref().map(|site| DeploymentId { site: site.clone(), ..self.id.clone() })
    }

    /// The appliances its hosts boot; none where another site has them.
    pub fn appliances(&self) -> Vec<&Name> {
        if self.on.is_some() {
            return Vec::new();
        }
        let mut all: Vec<&Name> =
            self.roles.values().filter(|role| role.count > 0).filter_map(|role| role.image.as_ref()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The roles of machines: as many hosts of each as are listed, without image and size.
pub fn roles_of(machines: &[Machine]) -> BTreeMap<Name, Role> {
    let mut roles: BTreeMap<Name, Role> = BTreeMap::new();
    for machine in machines {
        let none = || Role { image: None, count: 0, size: String::new(), ansible: Vec::new(), cloud: false };
        roles.entry(machine.role.clone()).or_insert_with(none).count += 1;
    }
    roles
}

/// Roles whose hosts serve pages.
pub fn serves_pages(role: &str) -> bool {
    matches!(role, "www" | "clowd")
}

/// Roles whose hosts spread requests.
pub fn balances(role: &str) -> bool {
    matches!(role, "lb" | "clowd")
}
