//! What a Terraform plan may delete without a word, and what needs `--allow-destroy`.

use std::collections::BTreeSet;

use super::super::context::Context;
use super::super::plan::Target;
use super::super::unit_end::{Trouble, UnitEnd};
use crate::model::{DeploymentId, HostState, UnitId};
use crate::tools::terraform::{Planned, PlannedAction};

/// What was asked for that destroys.
#[derive(Debug, Default)]
pub(super) struct Wish<'a> {
    /// A repair, with what an interrupted run left unfinished.
    pub(super) repair: Option<&'a [String]>,
    /// The host that is replaced for its image.
    pub(super) refresh: Option<&'a str>,
}

/// Addresses whose deletion is destruction: not the repair of a host that does not answer, not the replacement of
/// what an interrupted creation of this deployment left tainted or (`repair`, once there was one) unfinished, not that of
/// the host that is refreshed.
pub(super) fn destructive<'a>(planned: &'a [Planned], target: &Target, wish: &Wish<'_>) -> Vec<&'a Planned> {
    let down: BTreeSet<&str> =
        target.hosts.iter().filter(|(_, state)| *state != HostState::Up).map(|(name, _)| name.as_str()).collect();
    planned
        .iter()
        .filter(|p| p.action.destroys())
        .filter(|p| {
            let tainted = p.action == PlannedAction::Replace && p.reason.as_deref() == Some("tainted");
            let repaired = wish.repair.is_some_and(|unfinished| tainted || unfinished.contains(&p.address));
            let of_down_host = p.action == PlannedAction::Replace && down.iter().any(|name| belongs(&p.address, name));
            let refreshed = p.action == PlannedAction::Replace && wish.refresh.is_some_and(|h| belongs(&p.address, h));
            !(of_down_host || repaired || refreshed)
        })
        .collect()
}

/// The address holds the host's name as an index key: `terraform_data.boot["www-1"]`.
pub(super) fn belongs(address: &str, host: &str) -> bool {
    address.contains(&format!("[\"{host}\"]"))
}

/// `2 to create, 1 to change, 1 to destroy`, leaving out zeros.
pub(super) fn counted(planned: &[Planned]) -> String {
    let count = |wanted: &[PlannedAction]| planned.iter().filter(|p| wanted.contains(&p.action)).count();
    let parts = [
        (count(&[PlannedAction::Delete, PlannedAction::Replace]), "to destroy"),
        (count(&[PlannedAction::Create, PlannedAction::Replace]), "to create"),
        (count(&[PlannedAction::Update]), "to change"),
    ];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if said.is_empty() { "no resource changes".to_owned() } else { said.join(", ") }
}

/// Asks for what the consents do not cover.
///
/// # Errors
/// A refusal that holds the full command line that would go through.
pub(super) async fn consent(
    context: &Context,
    unit: &UnitId,
    id: &DeploymentId,
    planned: &[Planned],
    target: &Target,
    wish: &Wish<'_>,
) -> Result<(), Trouble> {
    let destructive = destructive(planned, target, wish);
    if !destructive.is_empty() && !context.consent.allow_destroy {
        let names: Vec<&str> = destructive.iter().map(|p| p.address.as_str()).collect();
        let summary = format!("Terraform would destroy {}: {}", names.len(), names.join(", "));
        return Err(UnitEnd::refused(summary, format!("{} --allow-destroy", context.consent.line)).into());
    }
    let of_refreshed = |p: &Planned| wish.refresh.is_some_and(|host| belongs(&p.address, host));
    if context.consent.agreed_refresh && planned.iter().all(of_refreshed) {
        return Ok(());
    }
    if planned.is_empty() && wish.repair.is_some() {
        return Ok(());
    }
    let only_new = context.consent.agreed_new && planned.iter().all(|p| !p.action.destroys());
    if context.consent.yes || only_new {
        return Ok(());
    }
    let question = format!("{id}: {}. Go on?", counted(planned));
    if !context.ask.can_ask() {
        let summary = format!("{} and nobody to ask", counted(planned));
        return Err(UnitEnd::refused(summary, format!("{} --yes", context.consent.line)).into());
    }
    let _one_at_a_time = context.asking.lock().await;
    for p in planned {
        context.note(unit, format!("{} {}", p.action.word(), p.address), p.action.destroys())?;
    }
    let before = context.now();
    let agreed = {
        let ask = context.ask.clone();
        tokio::task::spawn_blocking(move || ask.confirm(&question)).await.unwrap_or(false)
    };
    context.tally.asked(context.now().since(before));
    if agreed {
        return Ok(());
    }
    Err(UnitEnd::refused("declined", format!("{} --yes", context.consent.line)).into())
}
