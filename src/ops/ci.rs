//! A CI job ends and takes its folder with it: what bills is not made there with nothing but a fresh local store.

use camino::Utf8Path;

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::world::{Opened, World, unusable};
use crate::lifecycle::Verb;
use crate::model::{DeploymentId, ProviderKind, Stage};
use crate::store::Store;
use crate::tools::terraform::root;

/// Refuses to make what would be forgotten with the job.
///
/// # Errors
/// The refusal, with the two ways out.
pub(super) fn lasting(
    world: &World,
    opened: &Opened,
    store: &Store,
    ids: &[DeploymentId],
    request: &Request,
) -> Result<()> {
    let makes = matches!(request.verb, Verb::Up | Verb::Only(Stage::Provision)) && !request.wishes.adopt;
    if !makes || !world.vars.is_set("CI") || world.vars.get("OTTO_STATE").is_some() {
        return Ok(());
    }
    if !store.is_empty().map_err(unusable)? {
        return Ok(());
    }
    let bills = |id: &&DeploymentId| {
        let Some(provider) = opened.project.provider_specs.get(&id.provider) else { return false };
        let remote = || root::backend(Utf8Path::new(&provider.folder)).is_ok_and(|backend| backend.is_some());
        provider.kind == ProviderKind::Terraform && !provider.is_free() && !remote()
    };
    let Some(id) = ids.iter().find(bills) else { return Ok(()) };
    let what = format!("{id} would bill, and all that would know of it is the fresh store in `{}`", opened.home);
    Err(Failure::new(Kind::Declined, what)
        .because("CI is set: the folder goes when the job ends, and what was made goes on")
        .hint(format!("OTTO_STATE=file:/a/folder/that/stays {}", request.consent.line))
        .hint(format!(
            "give clowd/provision/{} a remote backend; a later job then begins with `otto state adopt {id}`",
            id.provider
        )))
}
