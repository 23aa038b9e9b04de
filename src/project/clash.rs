//! Duplicate sites: two sites that would serve one domain, or hosts of two deployments that would have one name.

use std::collections::BTreeMap;

use crate::model::site::Shape;
use crate::model::{Name, Provider, Site};

use super::origin::{Origin, Origins};
use super::problem::Problem;

/// Clashes in every environment that is known or that a site overrides.
pub(super) fn find(
    sites: &BTreeMap<Name, Site>,
    environments: &[&str],
    providers: &BTreeMap<Name, Provider>,
    origins: &Origins,
) -> Vec<Problem> {
    let mut all: Vec<Name> = environments.iter().filter_map(|name| Name::new(name).ok()).collect();
    all.extend(sites.values().flat_map(|site| site.environments.keys().cloned()));
    all.sort();
    all.dedup();
    let mut problems = Vec::new();
    for environment in &all {
        problems.extend(domains(sites, environment, providers, origins));
    }
    problems.extend(hosts(sites, &all, providers));
    problems
}

/// One provider where both may be.
fn meet(one: &Shape, other: &Shape, providers: &BTreeMap<Name, Provider>) -> bool {
    // With no provider at all (their files are broken) nothing can be told apart.
    providers.is_empty() || providers.values().any(|provider| one.is_for(provider) && other.is_for(provider))
}

fn domains(
    sites: &BTreeMap<Name, Site>,
    environment: &Name,
    providers: &BTreeMap<Name, Provider>,
    origins: &Origins,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<&str, Vec<&Site>> = BTreeMap::new();
    for site in sites.values() {
        for domain in &site.shape(environment).domains {
            let before = seen.entry(domain.as_str()).or_default();
            let shape = site.shape(environment);
            if let Some(other) = before.iter().find(|other| meet(shape, other.shape(environment), providers)) {
                problems.push(domain_clash(site, other, domain, environment, origins));
            }
            before.push(site);
        }
    }
    problems
}

/// A site that lives on another one's hosts cannot carry a third.
pub(super) fn riders(sites: &BTreeMap<Name, Site>, origins: &Origins) -> Vec<Problem> {
    let mut problems = Vec::new();
    for site in sites.values() {
        let over = site.environments.iter().map(|(name, shape)| (Some(name), shape));
        for (environment, shape) in std::iter::once((None, &site.base)).chain(over) {
            let Some(carrier) = shape.on.as_ref().and_then(|on| sites.get(on)) else { continue };
            let theirs = environment.map_or(&carrier.base, |environment| carrier.shape(environment));
            let Some(third) = &theirs.on else { continue };
            let message = format!("`{}` has no hosts of its own: it lives on `{third}`", carrier.name);
            let file = format!("sites/{}/site.yaml", site.name);
            let problem = Problem::of(file, message).key("on").hint(format!("write `on: {third}`"));
            problems.push(match origins.get(&format!("sites.{}.on", site.name)) {
                Some(Origin::File { line, column, .. }) => problem.at(*line, *column),
                _ => problem,
            });
        }
    }
    problems
}

fn domain_clash(site: &Site, other: &Site, domain: &str, environment: &Name, origins: &Origins) -> Problem {
    let origin = |site: &Site| {
        let key = site.environment_key(environment).unwrap_or_else(|| environment.to_string());
        let over = format!("sites.{}.environments.{key}.domains", site.name);
        origins.0.get(&over).or_else(|| origins.get(&format!("sites.{}.domains", site.name))).cloned()
    };
    let file = format!("sites/{}/site.yaml", site.name);
    let message = format!("duplicate site: the domain `{domain}` is that of `{}` already", other.name);
    let hint = match origin(other) {
        Some(Origin::File { file, line, .. }) => format!("see {file}:{line}, and keep it in one of them"),
        _ => "keep it in one of them".to_owned(),
    };
    let problem = Problem::of(file, message).key("domains").hint(hint);
    match origin(site) {
        Some(Origin::File { line, column, .. }) => problem.at(line, column),
        _ => problem,
    }
}

/// `dev` with site `a-b` and `dev-a` with site `b` name their cloud machines alike.
fn hosts(sites: &BTreeMap<Name, Site>, environments: &[Name], providers: &BTreeMap<Name, Provider>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: BTreeMap<String, (&Name, &Site)> = BTreeMap::new();
    for environment in environments {
        for site in sites.values() {
            for role in site.shape(environment).roles.keys() {
                let name = format!("{environment}-{}-{role}", site.name);
                let Some((earlier, other)) = seen.insert(name.clone(), (environment, site)) else { continue };
                if !meet(site.shape(environment), other.shape(earlier), providers) {
                    continue;
                }
                let message = format!(
                    "hosts of `{}` in `{environment}` and of `{}` in `{earlier}` would both be called `{name}-1`",
                    site.name, other.name
                );
                let file = format!("sites/{}/site.yaml", site.name);
                problems.push(Problem::of(file, message).key(format!("roles.{role}")).hint("rename one of the sites"));
            }
        }
    }
    problems
}
