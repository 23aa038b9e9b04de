//! Names for a shell's completion: sites, deployments, environments, providers, runs. Quick, and silent when anything is
//! wrong: a completion has nobody to tell.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::model::{DeploymentId, Project};
use crate::project::{self, Vars};
use crate::store::Store;

/// Runs that are offered.
const RUNS: usize = 50;

/// What a project around the current folder holds.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// `hello`.
    pub sites: Vec<String>,
    /// `dev/local/hello`, with those that exist.
    pub deployments: Vec<String>,
    /// `dev`.
    pub environments: Vec<String>,
    /// `local`.
    pub providers: Vec<String>,
    /// `20261121-062531-a3f9`, newest first.
    pub runs: Vec<String>,
}

/// Reads them.
pub fn names(vars: &Vars) -> Names {
    let cwd = std::env::current_dir().ok().and_then(|dir| Utf8PathBuf::from_path_buf(dir).ok()).unwrap_or_default();
    let folder = vars.project().map(|folder| cwd.join(folder)).or_else(|| project::find(&cwd).ok());
    let Some(loaded) = folder.as_ref().and_then(|folder| project::load(folder).ok()) else { return Names::default() };
    let project = loaded.project;
    let store = Store::open_read_only(&vars.state_folder(&Utf8PathBuf::from(&project.folder))).ok();
    let mut deployments: BTreeSet<String> = wanted(&project);
    let (mut runs, mut environments) = (Vec::new(), BTreeSet::from([project.environment.to_string()]));
    if let Some(store) = store {
        let known = store.deployments().unwrap_or_default();
        deployments.extend(known.into_iter().filter(|one| one.phase.exists()).map(|one| one.id.to_string()));
        runs = store.runs(RUNS).unwrap_or_default().into_iter().map(|run| run.id.0).collect();
    }
    environments.extend(project.environments.keys().map(ToString::to_string));
    Names {
        sites: project.sites.keys().map(ToString::to_string).collect(),
        deployments: deployments.into_iter().collect(),
        environments: environments.into_iter().collect(),
        providers: project.provider_specs.keys().map(ToString::to_string).collect(),
        runs,
    }
}

/// The deployments of the default environment.
fn wanted(project: &Project) -> BTreeSet<String> {
    let environment = &project.environment;
    let all = project.sites.keys().flat_map(|site| project.provider_specs.keys().map(move |provider| (site, provider)));
    let ids = all.map(|(site, provider)| DeploymentId {
        environment: environment.clone(),
        provider: provider.clone(),
        site: site.clone(),
    });
    ids.filter(|id| project.wanted(id).is_some()).map(|id| id.to_string()).collect()
}
