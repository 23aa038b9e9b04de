//! The environment variables that providers need: what lacks one is blocked and says which, the rest goes on. Their values
//! are the tools' business.

use std::collections::BTreeMap;

use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World};
use crate::model::{Action, DeploymentId, Name, Plan, Subject, UnitId};

/// By provider: the variables that are not set.
pub(super) type Lacking = BTreeMap<Name, Vec<String>>;

/// What the providers of these deployments lack.
pub(super) fn lacking(world: &World, opened: &Opened, ids: &[DeploymentId]) -> Lacking {
    let given = |name: &str| world.vars.is_set(name) || opened.env.iter().any(|var| var.name == *name);
    let mut all = Lacking::new();
    for id in ids {
        let Some(provider) = opened.project.provider_specs.get(&id.provider) else { continue };
        let missing: Vec<String> = provider.credentials.iter().filter(|name| !given(name)).cloned().collect();
        if !missing.is_empty() {
            all.insert(provider.name.clone(), missing);
        }
    }
    all
}

/// Nothing could be done for any of these deployments.
///
/// # Errors
/// Every variable that is missing.
pub(super) fn some_have_them(ids: &[DeploymentId], lacking: &Lacking) -> Result<()> {
    if lacking.is_empty() || ids.iter().any(|id| !lacking.contains_key(&id.provider)) {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Credentials, "credentials are missing");
    for (provider, name) in lacking.iter().flat_map(|(provider, names)| names.iter().map(move |name| (provider, name)))
    {
        failure = failure.because(format!("`{provider}` needs the environment variable {name}"));
        failure = failure.hint(format!("export {name}=..."));
    }
    Err(failure)
}

/// Blocks what a provider without its credentials would have to do; returns whether there is any of that.
pub(super) fn block(plan: &mut Plan, lacking: &Lacking) -> bool {
    let mut any = false;
    for unit in plan.units.iter_mut().filter(|unit| unit.action == Action::Run) {
        let Some(names) = lacking.get(provider(&unit.id)) else { continue };
        unit.action = Action::Blocked;
        unit.why = why(provider(&unit.id), names);
        unit.destroys.clear();
        any = true;
    }
    any
}

/// ``credentials are missing: `do` needs the environment variable DIGITALOCEAN_TOKEN``
fn why(provider: &Name, names: &[String]) -> String {
    let variables = if names.len() == 1 { "variable" } else { "variables" };
    format!("credentials are missing: `{provider}` needs the environment {variables} {}", names.join(", "))
}

/// Where a unit works.
pub(super) fn provider(unit: &UnitId) -> &Name {
    match &unit.subject {
        Subject::Image { provider, .. } => provider,
        Subject::Deployment(id) => &id.provider,
    }
}
