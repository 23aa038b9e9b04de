//! `otto destroy`: consent to it. The work is a run like any other.

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::observe::Observed;
use super::world::World;
use crate::model::{Plan, PlannedUnit};

/// Asks; a protected deployment needs its name typed. No terminal and no flag is a refusal with the line that goes through.
pub(super) fn consent(world: &World, request: &Request, to_run: &[&PlannedUnit], observed: &Observed) -> Result<()> {
    if to_run.is_empty() {
        return Ok(());
    }
    let protected: Vec<String> = observed
        .targets
        .iter()
        .filter(|t| t.record.as_ref().is_some_and(|r| r.phase.exists() && (r.protect || t.spec.protect)))
        .map(|t| t.spec.id.to_string())
        .collect();
    let unnamed: Vec<&String> = protected.iter().filter(|name| !request.confirm.contains(name)).collect();
    let units = to_run.iter().map(|u| (*u).clone()).collect();
    if !request.consent.yes || !unnamed.is_empty() {
        (world.show_plan)(&Plan { units });
    }
    for name in &unnamed {
        if !world.ask.can_ask() {
            let names: String = unnamed.iter().map(|n| format!(" --confirm {n}")).collect();
            let yes = if request.consent.yes { "" } else { " --yes" };
            let failure = Failure::new(Kind::Declined, format!("{name} is protected"));
            return Err(failure.hint(format!("{}{yes}{names}", request.consent.line)));
        }
        if !world.ask.typed(&format!("{name} is protected. Type its name to destroy it"), name) {
            return Err(Failure::new(Kind::Declined, "declined: nothing was destroyed"));
        }
    }
    if request.consent.yes || !protected.is_empty() && protected.len() == to_run.len() {
        return Ok(());
    }
    if !world.ask.can_ask() {
        let failure =
            Failure::new(Kind::Declined, format!("this would destroy {}, and nobody can be asked", named(to_run)));
        return Err(failure.hint(format!("{} --yes", request.consent.line)));
    }
    if world.ask.confirm(&format!("Destroy {}?", named(to_run))) {
        return Ok(());
    }
    Err(Failure::new(Kind::Declined, "declined: nothing was destroyed"))
}

fn named(units: &[&PlannedUnit]) -> String {
    units.iter().map(|u| u.id.subject.to_string()).collect::<Vec<_>>().join(", ")
}
