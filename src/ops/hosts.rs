//! Deployments that share hosts: who else has to be locked, and who must not be pulled from under whom.

use std::collections::BTreeSet;

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::world::unusable;
use crate::lifecycle::Verb;
use crate::model::{Deployment, DeploymentId, Stage};
use crate::store::Store;

/// These deployments, the ones on whose hosts they live, and those that name the same machines.
///
/// # Errors
/// An unusable store.
pub(super) fn sharing(store: &Store, ids: &[DeploymentId], request: &Request) -> Result<Vec<DeploymentId>> {
    let records = store.deployments().map_err(unusable)?;
    let living: Vec<&Deployment> = records.iter().filter(|r| r.phase.exists()).collect();
    let mut all: BTreeSet<DeploymentId> = ids.iter().cloned().collect();
    for record in living.iter().filter(|r| ids.contains(&r.id)) {
        all.extend(record.spec.carrier());
        let place = |address: &str| record.hosts.iter().any(|host| host.address == address && !host.is_local());
        all.extend(living.iter().filter(|r| r.hosts.iter().any(|h| place(&h.address))).map(|r| r.id.clone()));
    }
    if request.wishes.refresh {
        // Their sites are put on the new hosts as well.
        let rides = |r: &&&Deployment| r.spec.carrier().is_some_and(|carrier| ids.contains(&carrier));
        all.extend(living.iter().filter(rides).map(|r| r.id.clone()));
    }
    Ok(all.into_iter().collect())
}

/// Hosts are not taken from a site that lives on them.
///
/// # Errors
/// A refusal with the line that takes both down.
pub(super) fn carried(store: &Store, ids: &[DeploymentId], request: &Request) -> Result<()> {
    if request.verb != Verb::Only(Stage::Destroy) {
        return Ok(());
    }
    let records = store.deployments().map_err(unusable)?;
    let lives_on = |r: &&Deployment| {
        r.phase.exists() && !ids.contains(&r.id) && r.spec.carrier().is_some_and(|carrier| ids.contains(&carrier))
    };
    let riders: Vec<&Deployment> = records.iter().filter(lives_on).collect();
    let Some(first) = riders.first() else { return Ok(()) };
    let carrier = first.spec.carrier().map(|id| id.to_string()).unwrap_or_default();
    let names: Vec<String> = ids.iter().chain(riders.iter().map(|r| &r.id)).map(ToString::to_string).collect();
    let theirs: Vec<String> = riders.iter().map(|r| r.id.to_string()).collect();
    let what = format!("{} lives on the hosts of {carrier}: nothing was destroyed", theirs.join(", "));
    let yes = if request.consent.yes { " --yes" } else { "" };
    Err(Failure::new(Kind::Declined, what).hint(format!("otto destroy {}{yes}", names.join(" "))))
}
