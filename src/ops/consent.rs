//! Creation and destruction are explicit: what a run may do is asked before anything starts, or refused with the full
//! line that would go through.

use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::observe::Observed;
use super::world::World;
use crate::lifecycle::{Consent, Verb};
use crate::model::{Plan, Stage, UnitId};

/// Asks once for all that is new; refuses what no flag allows. Nothing has changed so far.
pub(super) fn of(world: &World, request: &Request, plan: &Plan, observed: &Observed) -> Result<Consent> {
    let mut consent = request.consent.clone();
    let destroys = request.verb == Verb::Only(Stage::Destroy);
    let to_run: Vec<_> = plan.to_run().collect();
    if destroys {
        super::destroy::consent(world, request, &to_run, observed)?;
        return Ok(consent);
    }
    let going: Vec<String> =
        to_run.iter().flat_map(|u| u.destroys.iter().map(move |d| format!("{} of {}", d, u.id.subject))).collect();
    if !going.is_empty() && !consent.allow_destroy {
        (world.show_plan)(plan);
        let failure = Failure::new(Kind::Declined, format!("this would destroy {}: {}", going.len(), going.join(", ")));
        return Err(failure.hint(format!("{} --allow-destroy", consent.line)));
    }
    let makes = to_run.iter().any(|u| u.stage == Stage::Provision && is_new(&u.id, observed));
    if !makes || consent.yes {
        return Ok(consent);
    }
    (world.show_plan)(plan);
    let there =
        |id: &UnitId| observed.targets.iter().any(|t| Some(&t.spec.id) == id.deployment() && t.has_hosts_already());
    let new = to_run.iter().filter(|u| u.stage == Stage::Provision && is_new(&u.id, observed));
    let (what, question) = if new.into_iter().all(|u| there(&u.id)) {
        ("this would put sites on machines that are there already", "Configure them?")
    } else {
        ("this would create hosts", "Create them?")
    };
    if !world.ask.can_ask() {
        let failure = Failure::new(Kind::Declined, format!("{what}, and nobody can be asked"));
        return Err(failure.hint(format!("{} --yes", consent.line)));
    }
    if !world.ask.confirm(question) {
        return Err(Failure::new(Kind::Declined, "declined: nothing was done"));
    }
    // The answer covers what was shown; changes of deployments that exist are asked when they are known.
    consent.agreed_new = true;
    Ok(consent)
}

fn is_new(id: &UnitId, observed: &Observed) -> bool {
    let target = observed.targets.iter().find(|t| Some(&t.spec.id) == id.deployment());
    target.is_some_and(|t| t.record.as_ref().is_none_or(|r| !r.phase.exists()))
}
