//! Which deployments a verb means: the project's selection, widened by what the store remembers.

use std::collections::BTreeSet;

use super::failure::{Failure, Kind, Result};
use crate::model::{Deployment, DeploymentId, Project};
use crate::project::select::{select, select_existing};
use crate::project::{Problem, Selection};

/// Deployments for a verb that makes something: they must be in the project.
///
/// # Errors
/// A name that the project does not know.
pub(super) fn wanted(project: &Project, selection: &Selection) -> Result<Vec<DeploymentId>> {
    select(project, selection).map_err(|problem| failure(&problem))
}

/// Deployments for a verb that works on what is there: known to the project or to the store, so that one whose site
/// folder is gone can still be seen and destroyed.
///
/// # Errors
/// A name that neither knows.
pub(super) fn known(project: &Project, selection: &Selection, records: &[Deployment]) -> Result<Vec<DeploymentId>> {
    let remembered = existing(project, selection, records)?;
    let declared = select(project, selection).unwrap_or_default();
    let all: BTreeSet<DeploymentId> = remembered.into_iter().chain(declared).collect();
    Ok(all.into_iter().collect())
}

/// Deployments that the store knows.
///
/// # Errors
/// A name that neither the store nor the project knows.
pub(super) fn existing(project: &Project, selection: &Selection, records: &[Deployment]) -> Result<Vec<DeploymentId>> {
    let ids: Vec<DeploymentId> = records.iter().map(|r| r.id.clone()).collect();
    select_existing(project, &ids, selection).map_err(|problem| failure(&problem))
}

fn failure(problem: &Problem) -> Failure {
    let failure = Failure::new(Kind::Usage, problem.message.clone());
    match &problem.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    }
}
