//! Creation and destruction are explicit: what a run may do is asked before anything starts, or refused with the full
//! line that would go through.

use super::budget::Outlook;
use super::conduct::Request;
use super::failure::{Failure, Kind, Result};
use super::observe::Observed;
use super::world::World;
use crate::lifecycle::{Consent, Target, Verb};
use crate::model::{Plan, PlannedUnit, Stage, UnitId};

/// Asks once for all that is new; refuses what no flag allows. Nothing has changed so far.
pub(super) fn of(
    world: &World,
    request: &Request,
    plan: &Plan,
    observed: &Observed,
    outlook: &Outlook,
) -> Result<Consent> {
    let mut consent = request.consent.clone();
    let destroys = request.verb == Verb::Only(Stage::Destroy);
    let to_run: Vec<_> = plan.to_run().collect();
    if destroys {
        super::destroy::consent(world, request, &to_run, observed)?;
        return Ok(consent);
    }
    let leaves = |u: &PlannedUnit, host: &String| !request.wishes.refresh || leaving(u, observed).contains(host);
    let going: Vec<String> = to_run
        .iter()
        .flat_map(|u| u.destroys.iter().filter(|d| leaves(u, d)).map(move |d| format!("{} of {}", d, u.id.subject)))
        .collect();
    if !going.is_empty() && !consent.allow_destroy {
        (world.show_plan)(plan);
        let failure = Failure::new(Kind::Declined, format!("this would destroy {}: {}", going.len(), going.join(", ")));
        return Err(failure.hint(format!("{} --allow-destroy", consent.line)));
    }
    outlook.hold(consent.over_budget, &consent.line)?;
    let makes = to_run.iter().any(|u| u.stage == Stage::Provision && is_new(&u.id, observed));
    let replaces = request.wishes.refresh && to_run.iter().any(|u| !u.destroys.is_empty());
    if !makes && !replaces || consent.yes || request.wishes.adopt {
        outlook.lines().iter().for_each(|line| (world.say)(&format!("cost  {line}")));
        return Ok(consent);
    }
    (world.show_plan)(plan);
    outlook.lines().iter().for_each(|line| (world.say)(&format!("cost  {line}")));
    let there =
        |id: &UnitId| observed.targets.iter().any(|t| Some(&t.spec.id) == id.deployment() && t.has_hosts_already());
    let mut new = to_run.iter().filter(|u| u.stage == Stage::Provision && is_new(&u.id, observed));
    let (what, question) = match (makes, replaces) {
        (false, _) => ("this would replace hosts", "Replace these hosts, one after the other?"),
        (true, false) if new.all(|u| there(&u.id)) => {
            ("this would put sites on machines that are there already", "Configure them?")
        }
        (true, false) => ("this would create hosts", "Create them?"),
        (true, true) => {
            ("this would create and replace hosts", "Create the new ones, and replace the others one after the other?")
        }
    };
    if !world.ask.can_ask() {
        let failure = Failure::new(Kind::Declined, format!("{what}, and nobody can be asked"));
        return Err(failure.hint(format!("{} --yes", consent.line)));
    }
    if !world.ask.confirm(question) {
        return Err(Failure::new(Kind::Declined, "declined: nothing was done"));
    }
    // The answer covers what was shown; changes of deployments that exist are asked when they are known.
    (consent.agreed_new, consent.agreed_refresh) = (makes, replaces);
    Ok(consent)
}

/// Hosts of a unit that go for good.
fn leaving(unit: &PlannedUnit, observed: &Observed) -> Vec<String> {
    let target = observed.targets.iter().find(|t| Some(&t.spec.id) == unit.deployment.as_ref());
    target.map(Target::leaving).unwrap_or_default()
}

fn is_new(id: &UnitId, observed: &Observed) -> bool {
    let target = observed.targets.iter().find(|t| Some(&t.spec.id) == id.deployment());
    target.is_some_and(|t| t.record.as_ref().is_none_or(|r| !r.phase.exists()))
}
