//! A project as read from its files: environments, providers, appliances, sites.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::name::{DeploymentId, Name};
use super::pattern::{Pattern, longest};
use super::prices::PriceTable;
use super::range::Range;
use super::site::{DeploymentSpec, Machine, Role, Shape, Site, roles_of};
use super::ssh::Ssh;

/// Everything that the project's files say, checked.
#[derive(Clone, Debug)]
pub struct Project {
    /// Absolute folder with `otto.yaml`.
    pub folder: String,
    /// `project:`.
    pub name: Name,
    /// `id:`, random, part of every tag.
    pub id: String,
    /// Providers when neither flag nor environment names any.
    pub providers: Vec<Name>,
    /// The default environment.
    pub environment: Name,
    /// Spending limit a month of all of it: amount as decimal string, currency.
    pub budget: Option<(String, String)>,
    /// Policies; an environment that is not listed has none.
    pub environments: BTreeMap<Name, Environment>,
    /// Policies of environments by pattern, for those that no exact name names.
    pub patterns: Vec<(Pattern, Environment)>,
    /// Which versions of which tools may be used; all that otto works with, where a tool is not named.
    pub tools: ToolPins,
    /// Folders of `sites/`.
    pub sites: BTreeMap<Name, Site>,
    /// Folders of `clowd/provision/`.
    pub provider_specs: BTreeMap<Name, Provider>,
    /// Files of `clowd/prices/`, by name.
    pub prices: BTreeMap<String, PriceTable>,
    /// Folders of `images/` with at least one template.
    pub appliances: BTreeMap<Name, Appliance>,
    /// Absolute `clowd/config`.
    pub config: String,
    /// Older images are warned of and built anew, in seconds.
    pub image_max_age_s: Option<u64>,
    /// How long after its lease a deployment is reaped, in seconds.
    pub reap_grace_s: Option<u64>,
    /// How hosts are reached where they do not say.
    pub ssh: Ssh,
    /// From where the hosts of clouds answer SSH, as CIDRs; absent: nobody said.
    pub admin_cidrs: Option<Vec<String>>,
}

/// `tools:`: versions by the tool's word (`terraform`, `opentofu`, `packer`, `ansible`).
pub type ToolPins = BTreeMap<String, Range>;

/// Policy of an environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// How long a deployment may live, in seconds.
    pub ttl_s: Option<u64>,
    /// Never destroyed without its name typed.
    pub protect: bool,
    /// Spending limit a month: amount as decimal string, currency.
    pub budget: Option<(String, String)>,
    /// For Ansible and Terraform.
    pub vars: serde_json::Map<String, serde_json::Value>,
    /// Only on these providers; any when absent.
    pub providers: Option<Vec<Name>>,
}

/// What drives a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// A Terraform root beside `provider.yaml`.
    Terraform,
    /// A Vagrantfile in the project.
    Vagrant,
    /// Machines that are there already.
    Static,
}

/// How a Packer artifact becomes what hosts boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFrom {
    /// `artifact_id`.
    Id,
    /// `files[0].name`.
    File,
}

/// One `clowd/provision/<provider>/provider.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// The folder's name.
    pub name: Name,
    /// The folder, absolute.
    pub folder: String,
    /// What drives it.
    pub kind: ProviderKind,
    /// What `size:` becomes; an unlisted word passes through.
    pub sizes: BTreeMap<String, String>,
    /// Packer's `base`, under an appliance's name, or under `""` for all; under `box` what Vagrant boots without an image.
    pub bases: BTreeMap<String, String>,
    /// Its region, possibly empty.
    pub region: String,
    /// Environment variables that must be set.
    pub credentials: Vec<String>,
    /// Where the image reference comes from.
    pub image_from: ImageFrom,
    /// A pattern cut out of the reference, a regular expression.
    pub image_match: Option<String>,
    /// A price table, `free`, or nothing.
    pub prices: Option<String>,
    /// otto's probes see everything of this provider: an unchanged deployment may be skipped.
    pub probed: bool,
    /// The workspace of an existing root that is its deployment.
    pub workspace: Option<String>,
    /// The variables that its root declares: what it can be told.
    pub variables: BTreeSet<String>,
    /// What `terraform init` is told of the root's backend: files and `name=value`.
    pub backend_config: Vec<String>,
    /// Resource types that hold data, beside those whose names say so: they outlive a destruction unless named.
    pub keep: Vec<String>,
    /// `TYPE.ATTRIBUTE`, `*` for anything: what follows from other things, and so is no drift.
    pub ignore_changes: Vec<String>,
}

/// One folder of `images/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Appliance {
    /// The folder's name.
    pub name: Name,
    /// The folder, absolute.
    pub folder: String,
    /// Providers it has a template for.
    pub providers: Vec<Name>,
}

impl Project {
    /// The policy of an environment: by its name, else by the longest pattern that fits, else none.
    pub fn environment_policy(&self, name: &Name) -> Environment {
        let by_pattern = || longest(&self.patterns, name).map(|(_, policy)| policy);
        self.environments.get(name).or_else(by_pattern).cloned().unwrap_or_default()
    }

    /// The spending limit a month of an environment.
    pub fn environment_budget(&self, name: &Name) -> Option<&(String, String)> {
        let by_pattern = || longest(&self.patterns, name).map(|(_, policy)| policy);
        self.environments.get(name).or_else(by_pattern)?.budget.as_ref()
    }

    /// The word under which `environments` of otto.yaml holds an environment's policy: its name or a pattern.
    pub fn environment_key(&self, name: &Name) -> Option<String> {
        let by_pattern = || longest(&self.patterns, name).map(|(pattern, _)| pattern.to_string());
        self.environments.contains_key(name).then(|| name.to_string()).or_else(by_pattern)
    }

    /// Whether an environment is named anywhere: the default one, by otto.yaml, or by a site.
    pub fn knows_environment(&self, name: &Name) -> bool {
        let by_site = |site: &Site| site.environment_key(name).is_some();
        *name == self.environment || self.environment_key(name).is_some() || self.sites.values().any(by_site)
    }

    /// The price table of a provider; nothing where it is free, has none, or is not in the project.
    pub fn price_table(&self, provider: &Name) -> Option<&PriceTable> {
        self.prices.get(self.provider_specs.get(provider)?.prices.as_deref()?)
    }

    /// What a deployment should be; nothing when site or provider is not in the project, or the site is not for it.
    pub fn wanted(&self, id: &DeploymentId) -> Option<DeploymentSpec> {
        let site = self.sites.get(&id.site)?;
        let provider = self.provider_specs.get(&id.provider)?;
        let shape = site.shape(&id.environment);
        let policy = self.environment_policy(&id.environment);
        let restricted = policy.providers.as_ref().is_some_and(|only| !only.contains(&id.provider));
        if restricted || !shape.is_for(provider) {
            return None;
        }
        let (roles, machines) = match &shape.on {
            Some(on) => {
                let carrier = self.sites.get(on)?.shape(&id.environment);
                (carrier.on.is_none() && carrier.is_for(provider)).then(|| carrier.hosts(provider))?
            }
            None => shape.hosts(provider),
        };
        let mut vars = policy.vars.clone();
        vars.extend(shape.vars.clone());
        Some(DeploymentSpec {
            id: id.clone(),
            domains: shape.domains.clone(),
            roles,
            content: shape.content.clone(),
            build: shape.build.clone(),
            checks: shape.checks.clone(),
            region: shape.region.clone().unwrap_or_else(|| provider.region.clone()),
            vars,
            ttl_s: shape.ttl_s.or(policy.ttl_s),
            protect: policy.protect,
            tls: shape.tls.clone(),
            machines,
            on: shape.on.clone(),
        })
    }
}

impl Shape {
    /// Whether it may be on this provider: a restriction allows it, and it has hosts there.
    pub fn is_for(&self, provider: &Provider) -> bool {
        let allowed = self.providers.as_ref().is_none_or(|only| only.contains(&provider.name));
        let machines = provider.kind == ProviderKind::Static;
        allowed && (self.on.is_some() || if machines { !self.machines.is_empty() } else { !self.roles.is_empty() })
    }

    /// Its roles and machines on this provider.
    fn hosts(&self, provider: &Provider) -> (BTreeMap<Name, Role>, Vec<Machine>) {
        if provider.kind == ProviderKind::Static {
            (roles_of(&self.machines), self.machines.clone())
        } else {
            (self.roles.clone(), Vec::new())
        }
    }
}

impl Provider {
    /// The provider's word for a size.
    pub fn size(&self, word: &str) -> String {
        self.sizes.get(word).cloned().unwrap_or_else(|| word.to_owned())
    }

    /// What Packer starts from for an appliance.
    pub fn base(&self, appliance: &Name) -> String {
        self.bases.get(appliance.as_str()).or_else(|| self.bases.get("")).cloned().unwrap_or_default()
    }

    /// Whether its root can be told something.
    pub fn takes(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// Its hosts cost nothing.
    pub fn is_free(&self) -> bool {
        self.prices.as_deref() == Some("free")
    }
}
