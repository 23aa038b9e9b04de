//! `otto resume RUN`: continues what a run did not finish; what it had done is not done again.

use std::collections::BTreeMap;

use super::conduct::{Report, Request, conduct};
use super::failure::{Failure, Kind, Result};
use super::runs;
use super::world::{World, unusable};
use crate::lifecycle::Verb;
use crate::model::{EventKind, Outcome, Stage, UnitId};
use crate::project::Selection;

/// Resumes a run: the same verb on the same subjects. Consents are those of this command line.
///
/// # Errors
/// No such run, or one that has nothing left to do.
pub async fn resume(world: &World, prefix: Option<&str>, mut request: Request) -> Result<Report> {
    let (run, verb, units, outcomes) = {
        let opened = world.open()?;
        let store = world.store(&opened)?;
        let run = runs::find(&store, prefix)?;
        let events = store.events(&run, 0, usize::MAX).map_err(unusable)?;
        let Some(EventKind::RunStarted { verb, units, argv, .. }) = events.first().map(|e| e.kind.clone()) else {
            return Err(Failure::new(Kind::Store, format!("the journal of run {run} has no beginning")));
        };
        let outcomes: BTreeMap<UnitId, Outcome> = events
            .iter()
            .filter_map(|e| match &e.kind {
                EventKind::UnitEnded { outcome, .. } => Some((e.unit.clone()?, *outcome)),
                _ => None,
            })
            .collect();
        if argv.iter().any(|a| a == "--failover") {
            request.requests.failover = true;
        }
        // What was allowed when it began is allowed until its end.
        request.consent.over_budget |= argv.iter().any(|a| a == "--over-budget");
        if argv.iter().any(|a| a == "--refresh-images") {
            (request.requests.refresh, request.wishes.refresh) = (true, true);
        }
        (run, verb, units, outcomes)
    };
    request.verb = match verb.as_str() {
        // A test that was interrupted may have left a backend stopped: `up` starts it again.
        "up" | "test" => Verb::Up,
        "reap" => Verb::Only(Stage::Destroy),
        other => match other.parse::<Stage>() {
            Ok(stage) if stage != Stage::Extend => Verb::Only(stage),
            _ => {
                return Err(Failure::new(Kind::Usage, format!("run {run} is a `{verb}`, which cannot be resumed")));
            }
        },
    };
    request.name = if request.verb == Verb::Up { "up".to_owned() } else { verb };
    let mut names: Vec<String> = units.iter().filter_map(|u| u.deployment.as_ref()).map(ToString::to_string).collect();
    names.dedup();
    request.selection = Selection { deployments: names, ..Selection::default() };
    request.done = outcomes.into_iter().filter(|(_, o)| *o == Outcome::Ok).map(|(id, _)| (id, run.clone())).collect();
    conduct(world, request).await
}
