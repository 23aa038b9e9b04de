//! Which deployments a verb means: the project's selection, widened by what the store remembers.

use std::collections::BTreeSet;

use super::failure::{Failure, Kind, Result};
use crate::model::{Deployment, DeploymentId, Project};
use crate::project::{Selection, select};

/// Deployments for a verb that makes something: they must be in the project.
pub fn wanted(project: &Project, selection: &Selection) -> Result<Vec<DeploymentId>> {
    select(project, selection).map_err(|problem| failure(&problem))
}

/// Deployments for a verb that works on what is there: known to the project or to the store, so that one whose site
/// folder is gone can still be seen and destroyed.
pub fn known(project: &Project, selection: &Selection, records: &[Deployment]) -> Result<Vec<DeploymentId>> {
    let remembered: BTreeSet<&DeploymentId> = records.iter().map(|r| &r.id).collect();
    let mut found = BTreeSet::new();
    let mut rest = selection.clone();
    rest.deployments.retain(|name| {
        let hit = name.parse().ok().filter(|id| remembered.contains(id));
        let by_site: Vec<_> = records.iter().filter(|r| r.phase.exists() && r.id.site.as_str() == name).map(|r| r.id.clone()).collect();
        let is_site_only_remembered = !by_site.is_empty() && !project.sites.keys().any(|s| s.as_str() == name);
        if is_site_only_remembered {
            found.extend(by_site);
        }
        let keep = hit.is_none() && !is_site_only_remembered;
        found.extend(hit);
        keep
    });
    if !selection.deployments.is_empty() && rest.deployments.is_empty() {
        return Ok(found.into_iter().collect());
    }
    let gone_sites = remembered_sites(&mut rest, project, records);
    let chosen = match select(project, &rest) {
        Ok(ids) => ids,
        // A site that only the store knows is no mistake.
        Err(_) if !gone_sites.is_empty() && rest.deployments.is_empty() && rest.sites.is_empty() => Vec::new(),
        Err(problem) => return Err(failure(&problem)),
    };
    found.extend(chosen);
    found.extend(gone_sites);
    Ok(found.into_iter().collect())
}

/// Deployments of sites that are no longer in the project but exist, as far as the other filters allow.
fn remembered_sites(rest: &mut Selection, project: &Project, records: &[Deployment]) -> Vec<DeploymentId> {
    let environment = rest.environment.clone().unwrap_or_else(|| project.environment.clone());
    let providers = if rest.providers.is_empty() { project.providers.clone() } else { rest.providers.clone() };
    let named = rest.sites.clone();
    let gone = |id: &DeploymentId| !project.sites.contains_key(&id.site);
    let found: Vec<DeploymentId> = records
        .iter()
        .filter(|r| r.phase.exists() && gone(&r.id))
        .map(|r| r.id.clone())
        .filter(|id| id.environment == environment && providers.contains(&id.provider))
        .filter(|id| if named.is_empty() { rest.deployments.is_empty() } else { named.contains(&id.site) })
        .collect();
    rest.sites.retain(|site| !found.iter().any(|id| id.site == *site));
    found
}

fn failure(problem: &crate::project::Problem) -> Failure {
    let failure = Failure::new(Kind::Usage, problem.message.clone());
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}
