//! Which deployments a command is about: names and flags against the project, without looking at anything else.

use std::collections::BTreeSet;

use crate::model::{DeploymentId, Name, Project};

use super::near;
use super::problem::Problem;
use super::rules::not_for;
use super::vars::{Vars, listed};

/// What the person asked for. Every list may hold several words in one text (`"do, gcp"`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Positional: `dev/local/hello`, or a site's name alone.
    pub deployments: Vec<String>,
    /// `--site`.
    pub sites: Vec<String>,
    /// `--provider`.
    pub providers: Vec<String>,
    /// `--env`.
    pub environment: Option<String>,
    /// `CLOWD_PROVIDERS`: instead of the project's own default, never against a name or a flag.
    pub default_providers: Vec<String>,
    /// `OTTO_ENV`, likewise.
    pub default_environment: Option<String>,
}

impl Selection {
    /// The defaults of the environment beneath what was asked for.
    #[must_use]
    pub fn with_defaults(mut self, vars: &Vars) -> Self {
        self.default_providers = vars.providers();
        self.default_environment = vars.environment().map(str::to_owned);
        self
    }
}

/// The deployments of the project that are meant, sorted, never none.
///
/// # Errors
/// The first word that is unknown or contradicts another one, or that nothing is left.
pub fn select(project: &Project, selection: &Selection) -> Result<Vec<DeploymentId>, Problem> {
    let words = Words::read(project, selection)?;
    let mut chosen = BTreeSet::new();
    for id in &words.whole {
        known_environment(project, &id.environment)?;
        known("provider", &id.provider, project.provider_specs.keys())?;
        known("site", &id.site, project.sites.keys())?;
        contradiction(id, &words)?;
        if !allowed(project, id) {
            return Err(not_for(project, id));
        }
        chosen.insert(id.clone());
    }
    if words.whole.is_empty() || !words.named_sites.is_empty() {
        chosen.extend(products(project, &words)?);
    }
    if chosen.is_empty() {
        return Err(nothing(project, &words));
    }
    Ok(chosen.into_iter().collect())
}

/// Those of `existing` (what the store knows) that are meant: names and flags narrow, nothing has to be in the
/// project, and without any name or flag it is everything in the default environment on the default providers.
///
/// # Errors
/// A full deployment name that is in neither list, or a word that is no name.
pub fn select_existing(
    project: &Project,
    existing: &[DeploymentId],
    selection: &Selection,
) -> Result<Vec<DeploymentId>, Problem> {
    let words = Words::read(project, selection)?;
    for id in &words.whole {
        contradiction(id, &words)?;
        if !existing.contains(id) && project.wanted(id).is_none() {
            let names: Vec<String> = existing.iter().map(ToString::to_string).collect();
            let hint = near::suggestion(&id.to_string(), names.iter().map(String::as_str));
            return Err(Problem::new(format!("unknown deployment `{id}`")).hint(hint));
        }
    }
    for site in words.sites.iter().chain(&words.named_sites) {
        known("site", site, existing.iter().map(|id| &id.site).chain(project.sites.keys()))?;
    }
    if let Some(providers) = &words.providers {
        for provider in providers {
            known("provider", provider, existing.iter().map(|id| &id.provider).chain(project.provider_specs.keys()))?;
        }
    }
    let environments = environments(project);
    if !project.knows_environment(&words.environment) {
        known("environment", &words.environment, existing.iter().map(|id| &id.environment).chain(&environments))?;
    }
    let meant = |id: &&DeploymentId| {
        words.whole.contains(id)
            || (words.whole.is_empty() || !words.named_sites.is_empty())
                && id.environment == words.environment
                && words.providers.as_ref().unwrap_or(&words.default_providers).contains(&id.provider)
                && (words.sites.is_empty() || words.sites.contains(&id.site))
                && (words.named_sites.is_empty() || words.named_sites.contains(&id.site))
    };
    let chosen: BTreeSet<DeploymentId> = existing.iter().filter(meant).cloned().collect();
    Ok(chosen.into_iter().collect())
}

/// The selection's words as names.
struct Words {
    whole: Vec<DeploymentId>,
    named_sites: Vec<Name>,
    sites: Vec<Name>,
    providers: Option<Vec<Name>>,
    default_providers: Vec<Name>,
    environment: Name,
    environment_given: bool,
}

impl Words {
    fn read(project: &Project, selection: &Selection) -> Result<Self, Problem> {
        let (mut whole, mut named_sites) = (Vec::new(), Vec::new());
        for word in selection.deployments.iter().flat_map(|text| listed(text)) {
            if word.contains('/') {
                whole.push(word.parse().map_err(|error: crate::model::NameError| Problem::new(error.to_string()))?);
            } else {
                named_sites.push(name(&word)?);
            }
        }
        let providers = names(&selection.providers)?;
        let given = selection.environment.as_deref();
        let environment = given.or(selection.default_environment.as_deref());
        let defaults = names(&selection.default_providers)?;
        Ok(Self {
            whole,
            named_sites,
            sites: names(&selection.sites)?,
            providers: (!providers.is_empty()).then_some(providers),
            default_providers: if defaults.is_empty() { project.providers.clone() } else { defaults },
            environment: environment.map_or_else(|| Ok(project.environment.clone()), |word| name(word.trim()))?,
            environment_given: given.is_some(),
        })
    }
}

fn name(word: &str) -> Result<Name, Problem> {
    Name::new(word).map_err(|error| Problem::new(error.to_string()))
}

fn names(texts: &[String]) -> Result<Vec<Name>, Problem> {
    let mut all: Vec<Name> = Vec::new();
    for word in texts.iter().flat_map(|text| listed(text)) {
        let name = name(&word)?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    Ok(all)
}

fn known<'a>(what: &str, name: &Name, all: impl Iterator<Item = &'a Name>) -> Result<(), Problem> {
    let all: BTreeSet<&str> = all.map(Name::as_str).collect();
    if all.contains(name.as_str()) {
        return Ok(());
    }
    Err(Problem::new(format!("unknown {what} `{name}`")).hint(near::suggestion(name.as_str(), all)))
}

/// By name or by a pattern.
fn known_environment(project: &Project, name: &Name) -> Result<(), Problem> {
    if project.knows_environment(name) {
        return Ok(());
    }
    known("environment", name, environments(project).iter())
}

/// The default one, those of `otto.yaml`, and those that a site overrides.
fn environments(project: &Project) -> BTreeSet<Name> {
    let mut all: BTreeSet<Name> = project.environments.keys().cloned().collect();
    all.extend(project.sites.values().flat_map(|site| site.environments.keys().cloned()));
    all.insert(project.environment.clone());
    all
}

/// A full name says everything already; a flag that says something else is a mistake.
fn contradiction(id: &DeploymentId, words: &Words) -> Result<(), Problem> {
    let against = if words.environment_given && words.environment != id.environment {
        format!("`--env {}`", words.environment)
    } else if words.providers.as_ref().is_some_and(|all| !all.contains(&id.provider)) {
        "`--provider`".to_owned()
    } else if !words.sites.is_empty() && !words.sites.contains(&id.site) {
        "`--site`".to_owned()
    } else {
        return Ok(());
    };
    Err(Problem::new(format!("`{id}` and {against} contradict each other")).hint("leave one of them out"))
}

fn allowed(project: &Project, id: &DeploymentId) -> bool {
    project.wanted(id).is_some()
}

/// Sites times providers in one environment.
fn products(project: &Project, words: &Words) -> Result<Vec<DeploymentId>, Problem> {
    known_environment(project, &words.environment)?;
    let providers = words.providers.as_ref().unwrap_or(&words.default_providers);
    for provider in providers {
        known("provider", provider, project.provider_specs.keys())?;
    }
    let asked: Vec<&Name> = words.sites.iter().chain(&words.named_sites).collect();
    for site in &asked {
        known("site", site, project.sites.keys())?;
    }
    let meant = |site: &&Name| {
        (words.sites.is_empty() || words.sites.contains(site))
            && (words.named_sites.is_empty() || words.named_sites.contains(site))
    };
    let sites: Vec<&Name> = project.sites.keys().filter(meant).collect();
    let mut all = Vec::new();
    for site in &sites {
        for provider in providers {
            let id = DeploymentId {
                environment: words.environment.clone(),
                provider: provider.clone(),
                site: (*site).clone(),
            };
            if allowed(project, &id) {
                all.push(id);
            } else if !asked.is_empty() && words.providers.is_some() {
                return Err(not_for(project, &id));
            }
        }
    }
    // A site that was asked for by name is never left out silently.
    let left_out = asked.iter().find(|site| sites.contains(site) && all.iter().all(|id| id.site != ***site));
    if let (Some(site), Some(provider)) = (left_out, providers.first()) {
        return Err(not_for(
            project,
            &DeploymentId {
                environment: words.environment.clone(),
                provider: provider.clone(),
                site: (**site).clone(),
            },
        ));
    }
    Ok(all)
}

fn nothing(project: &Project, words: &Words) -> Problem {
    if project.sites.is_empty() {
        return Problem::new("the project has no sites").hint("write `sites/<site>/site.yaml`");
    }
    if !words.named_sites.is_empty() && !words.sites.is_empty() {
        return Problem::new("the names and `--site` have no site in common").hint("leave one of them out");
    }
    let providers: Vec<&str> =
        words.providers.as_ref().unwrap_or(&words.default_providers).iter().map(Name::as_str).collect();
    let message = format!("no site is for {} in `{}`", providers.join(", "), words.environment);
    Problem::new(message).hint("see `providers` in each `site.yaml` and in `otto.yaml`")
}
