//! Plans where no tool makes hosts: machines that are there already, and sites on other sites' hosts. Pure.

use super::plan::{Target, unit};
use crate::model::name::counted;
use crate::model::{Action, HostState, Phase, PlannedUnit, ProviderKind, Stage, UnitId};

/// The unit that records hosts; nothing where a tool makes them.
pub(super) fn provision_unit(target: &Target, before: &[PlannedUnit], force: bool) -> Option<PlannedUnit> {
    let id = UnitId::of(&target.spec.id, Stage::Provision);
    if target.spec.on.is_some() {
        return Some(riding(target, id, before, force));
    }
    if target.provider.kind != ProviderKind::Static {
        return None;
    }
    let mut made = match machines_reason(target, force) {
        Ok(why) => unit(id, Action::Run, why),
        Err(why) => return Some(unit(id, Action::Skip, why)),
    };
    made.destroys = target.leaving();
    Some(made)
}

/// Why machines are looked at again, or (as error) why they are not.
fn machines_reason(target: &Target, force: bool) -> Result<String, String> {
    let machines = counted(target.spec.machines.len() as u64, "machine");
    let Some(record) = target.record.as_ref().filter(|r| r.phase.exists()) else {
        return Ok(format!("new: {machines}"));
    };
    let (arriving, leaving) = (target.arriving(), target.leaving());
    let down: Vec<&str> = target.hosts.iter().filter(|(_, s)| *s != HostState::Up).map(|(n, _)| n.as_str()).collect();
    if let Some(dirty) = record.adrift() {
        Ok(format!("repair: {}", dirty.reason))
    } else if !arriving.is_empty() || !leaving.is_empty() {
        let signed = |sign: &str, names: &[String]| names.iter().map(|n| format!("{sign}{n}")).collect::<Vec<_>>();
        Ok(format!("machines change: {}", [signed("-", &leaving), signed("+", &arriving)].concat().join(" ")))
    } else if force {
        Ok("forced".to_owned())
    } else if record.provision_hash.is_none() || record.provision_hash != target.provision_hash {
        Ok("their entries changed".to_owned())
    } else if !down.is_empty() {
        Ok(format!("not up: {}", down.join(", ")))
    } else {
        Err(format!("{machines} as recorded, all up"))
    }
}

/// A site on another one's hosts follows them.
fn riding(target: &Target, id: UnitId, before: &[PlannedUnit], force: bool) -> PlannedUnit {
    let Some(carrier) = target.spec.carrier() else { return unit(id, Action::Blocked, "it lives on no site's hosts") };
    let theirs = UnitId::of(&carrier, Stage::Provision);
    let planned = before.iter().find(|u| u.id == theirs);
    let hosts = target.carrier.as_ref().filter(|r| r.phase.exists()).map(|r| &r.hosts);
    let record = target.record.as_ref().filter(|r| r.phase.exists());
    let (action, why) = match (planned, hosts, record) {
        (None, None, _) => {
            let line = format!("otto up {carrier} {}", target.spec.id);
            (Action::Blocked, format!("nothing of {carrier}, on whose hosts it lives, is there: `{line}` makes both"))
        }
        (Some(planned), ..) if planned.action == Action::Run => {
            (Action::Run, format!("the hosts of {carrier} may change"))
        }
        (_, _, None) => (Action::Run, format!("new: on the hosts of {carrier}")),
        (_, Some(hosts), Some(record)) if *hosts != record.hosts => {
            (Action::Run, format!("the hosts of {carrier} changed"))
        }
        (_, _, Some(record)) if record.phase == Phase::Destroying => (Action::Run, "repair".to_owned()),
        _ if force => (Action::Run, "forced".to_owned()),
        _ => (Action::Skip, format!("the hosts of {carrier} are as recorded")),
    };
    let mut made = unit(id, action, why);
    made.after.extend(planned.map(|u| u.id.clone()));
    made
}

/// Puts a site's units behind those of the site that carries it, also in the plan's order.
pub(super) fn ordered(units: &mut Vec<PlannedUnit>, targets: &[Target]) {
    chained(units, targets);
    let mut placed: Vec<PlannedUnit> = Vec::with_capacity(units.len());
    while !units.is_empty() {
        let waits = |unit: &PlannedUnit| unit.after.iter().any(|id| units.iter().any(|other| other.id == *id));
        // There is no circle: a rider carries nobody.
        let next = units.iter().position(|unit| !waits(unit)).unwrap_or(0);
        placed.push(units.remove(next));
    }
    *units = placed;
}

fn chained(units: &mut [PlannedUnit], targets: &[Target]) {
    let ids: Vec<UnitId> = units.iter().map(|u| u.id.clone()).collect();
    for target in targets {
        let Some(carrier) = target.spec.carrier() else { continue };
        let own = |stage| UnitId::of(&target.spec.id, stage);
        let theirs = |stage| Some(UnitId::of(&carrier, stage)).filter(|id| ids.contains(id));
        // Where the hosts go, they go first: nothing has to be taken off them. Where they stay, the guests go first.
        let hosts_stay = target.provider.kind == ProviderKind::Static;
        let pairs = [
            (Some(own(Stage::Provision)), theirs(Stage::Provision)),
            (Some(own(Stage::Config)), theirs(Stage::Config)),
            if hosts_stay {
                (theirs(Stage::Destroy), Some(own(Stage::Destroy)).filter(|id| ids.contains(id)))
            } else {
                (Some(own(Stage::Destroy)), theirs(Stage::Destroy))
            },
        ];
        for (later, sooner) in pairs {
            let (Some(later), Some(sooner)) = (later, sooner) else { continue };
            if let Some(unit) = units.iter_mut().find(|u| u.id == later)
                && !unit.after.contains(&sooner)
            {
                unit.after.push(sooner);
            }
        }
        let unconfigured =
            target.carrier.as_ref().is_some_and(|r| matches!(r.phase, Phase::Partial | Phase::Provisioned));
        if theirs(Stage::Config).is_none()
            && unconfigured
            && let Some(unit) = units.iter_mut().find(|u| u.id == own(Stage::Config) && u.action == Action::Run)
        {
            unit.action = Action::Blocked;
            unit.why = format!(
                "{carrier}, on whose hosts it lives, is not configured: `otto up {carrier} {}`",
                target.spec.id
            );
        }
    }
}
