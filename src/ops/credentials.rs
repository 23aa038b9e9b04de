//! What providers need beside otto's own tools: environment variables (their values are the tools' business), and Vagrant.
//! What lacks one is blocked and says which, the rest goes on.

use std::collections::BTreeMap;

use super::failure::{Failure, Kind, Result};
use super::toolbox::{self, Maker};
use super::world::{Opened, World};
use crate::model::{Action, Deployment, DeploymentId, Name, Plan, Subject, UnitId};

/// What a provider lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// Environment variables that are not set.
    Variables(Vec<String>),
    /// A tool, with the reason why there is none; where it is to be had.
    Tool(String, String),
}

/// How Vagrant is had.
const VAGRANT: &str = "put `vagrant` 2.2.0 or newer on PATH (on Debian `apt-get install vagrant vagrant-libvirt`)";

/// By provider: what it lacks.
pub(super) type Lacking = BTreeMap<Name, Lack>;

/// What the providers of these deployments lack: variables, or Vagrant where one of them needs it.
pub(super) async fn lacking(world: &World, opened: &Opened, ids: &[DeploymentId], records: &[Deployment]) -> Lacking {
    let mut all = Lacking::new();
    for id in ids {
        let Some(provider) = opened.project.provider_specs.get(&id.provider) else { continue };
        let missing: Vec<String> = world.missing(opened, provider).cloned().collect();
        if !missing.is_empty() {
            all.insert(provider.name.clone(), Lack::Variables(missing));
        }
    }
    let by_vagrant: Vec<&DeploymentId> =
        ids.iter().filter(|id| toolbox::made_by(opened, id, records) == Maker::Vagrant).collect();
    if !by_vagrant.is_empty()
        && let Err(why) = toolbox::vagrant(world, &opened.project).await
    {
        for id in by_vagrant {
            all.insert(id.provider.clone(), Lack::Tool(why.to_string(), VAGRANT.to_owned()));
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
    let mut failure = if only_tools(lacking) {
        Failure::new(Kind::Tool, "a tool is missing")
    } else {
        Failure::new(Kind::Credentials, "credentials are missing")
    };
    for (provider, lack) in lacking {
        match lack {
            Lack::Variables(names) => {
                for name in names {
                    failure = failure.because(format!("`{provider}` needs the environment variable {name}"));
                    failure = failure.hint(format!("export {name}=..."));
                }
            }
            Lack::Tool(why, hint) => failure = failure.because(format!("`{provider}`: {why}")).hint(hint.clone()),
        }
    }
    Err(failure)
}

/// Nothing but tools is missing.
pub(super) fn only_tools(lacking: &Lacking) -> bool {
    lacking.values().all(|lack| matches!(lack, Lack::Tool(..)))
}

/// Blocks what a provider without its credentials would have to do; returns whether there is any of that.
pub(super) fn block(plan: &mut Plan, lacking: &Lacking) -> bool {
    let mut any = false;
    for unit in plan.units.iter_mut().filter(|unit| unit.action == Action::Run) {
        let Some(lack) = lacking.get(provider(&unit.id)) else { continue };
        unit.action = Action::Blocked;
        unit.why = why(provider(&unit.id), lack);
        unit.destroys.clear();
        any = true;
    }
    any
}

/// ``credentials are missing: `do` needs the environment variable DIGITALOCEAN_TOKEN``
fn why(provider: &Name, lack: &Lack) -> String {
    let names = match lack {
        Lack::Variables(names) => names,
        Lack::Tool(why, hint) => return format!("a tool is missing: {why}: {hint}"),
    };
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
