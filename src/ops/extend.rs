//! `otto extend`: moves leases. The work is a run like any other, so that the journal says who did it and when.

use super::choose;
use super::conduct::{Report, Request, conduct};
use super::failure::{Failure, Kind, Result};
use super::world::{World, unusable};
use crate::lifecycle::Verb;
use crate::model::lease::Move;
use crate::model::{Stage, Timestamp};
use crate::project::Selection;

/// Moves the lease of each deployment that is named.
///
/// # Errors
/// One that does not exist (any more), a time that is over, and whatever keeps a run from beginning.
pub async fn extend(world: &World, wish: Move, mut request: Request) -> Result<Report> {
    let wrong = |what: String| Failure::new(Kind::Usage, what);
    let now = world.clock.now();
    if let Move::Until(end) = wish
        && end <= now
    {
        return Err(wrong(format!("{end} is over: it is {now}")).hint("otto destroy ends a deployment"));
    }
    let names = {
        let opened = world.open()?;
        let store = world.store_to_read(&opened)?;
        let records = store.deployments().map_err(unusable)?;
        let ids = choose::existing(&opened.project, &request.selection, &records)?;
        let there = |id: &&crate::model::DeploymentId| records.iter().any(|r| r.id == **id && r.phase.exists());
        if ids.is_empty() {
            return Err(wrong("none of these was ever brought up".to_owned()).hint("otto status"));
        }
        if let Some(gone) = ids.iter().find(|id| !there(id)) {
            return Err(
                wrong(format!("{gone} is destroyed: there is nothing left to extend")).hint(format!("otto up {gone}"))
            );
        }
        ids.iter().map(ToString::to_string).collect()
    };
    request.selection = Selection { deployments: names, ..Selection::default() };
    request.verb = Verb::Only(Stage::Extend);
    request.requests.extend = Some(wish);
    request.consent.yes = true;
    conduct(world, request).await
}

/// A moment as typed: `2026-11-22T18:00:00Z`, `2026-11-22 18:00` or `2026-11-22`, in UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(' ', "T");
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        17 if text.ends_with('Z') => format!("{}:00Z", &text[..16]),
        19 => format!("{text}Z"),
        _ => text,
    };
    let at: Timestamp = whole.parse().ok()?;
    // 30 February would be some day in March.
    at.to_string().starts_with(whole.get(..19)?).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_typed() {
        let at = Some(Timestamp(1_795_370_400_000));
        for text in ["2026-11-22T18:00:00Z", "2026-11-22 18:00", "2026-11-22T18:00Z", "2026-11-22T18:00:00"] {
            assert_eq!(moment(text), at, "{text}");
        }
        for text in ["tomorrow", "2026-02-30", "2026-11-22T18:00:00+01:00", "18:00", "2026-11-2218:00"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
