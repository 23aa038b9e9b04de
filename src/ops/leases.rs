//! Leases, told: one line on every command, and what `up` says of what it made.

use super::conduct::Request;
use super::world::World;
use crate::lifecycle::{Context, Verb};
use crate::model::time::span;
use crate::model::{Deployment, LeaseState, Stage, Timestamp};
use crate::store::leased_at;

/// One line when a lease is over or ends soon. Reads the store once, and not at all where there is none; whatever is wrong
/// with it is the command's own to tell.
pub fn line(world: &World) -> Option<String> {
    let given = world.project.as_deref().or_else(|| world.vars.project()).map(|folder| world.cwd.join(folder));
    let folder = match given {
        Some(folder) => folder,
        None => crate::project::find(&world.cwd).ok()?,
    };
    let home = world.vars.state_folder(&folder);
    if !home.join("otto.db").is_file() {
        return None;
    }
    warning(&leased_at(&home), world.clock.now())
}

fn warning(leased: &[Deployment], now: Timestamp) -> Option<String> {
    let of = |wanted: LeaseState| leased.iter().filter(move |r| r.lease_state(now) == wanted);
    let named = |r: &Deployment, ago: bool| {
        let end = r.expires_at.unwrap_or(now);
        match ago {
            true => format!("{} (for {})", r.id, span(now.since(end))),
            false => format!("{} (in {})", r.id, span(end.since(now))),
        }
    };
    let over: Vec<String> = of(LeaseState::Over).map(|r| named(r, true)).collect();
    let ending: Vec<String> = of(LeaseState::Ending).map(|r| named(r, false)).collect();
    let first = of(LeaseState::Over).chain(of(LeaseState::Ending)).next()?;
    let some = |names: &[String]| match names {
        [] | [_] | [_, _] => names.join(", "),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    };
    let mut parts = Vec::new();
    if !over.is_empty() {
        parts.push(format!("the lease is over of {}: `otto reap` destroys it", some(&over)));
    }
    if !ending.is_empty() {
        parts.push(format!("the lease ends of {}", some(&ending)));
    }
    Some(format!("{}; `otto extend {} --for 8h` moves it", parts.join("; "), first.id))
}

/// When what was brought up will be destroyed, and the line that prevents it.
pub(super) fn told(context: &Context, request: &Request) -> Vec<String> {
    if !matches!(request.verb, Verb::Up | Verb::Only(Stage::Provision)) {
        return Vec::new();
    }
    let records = context.targets.keys().filter_map(|id| context.memory.record(id)).filter(|r| r.phase.exists());
    let now = context.now();
    records
        .filter_map(|r| {
            let end = r.expires_at?;
            let when =
                if end > now { format!("ends {end}, in {}", span(end.since(now))) } else { "is over".to_owned() };
            Some(format!(
                "{}: its lease {when}; `otto reap` destroys it then, `otto extend {} --for 8h` prevents that",
                r.id, r.id
            ))
        })
        .collect()
}
