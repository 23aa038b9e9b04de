//! What a run comes to as one number.

use super::credentials;
use super::exit;
use crate::lifecycle::{Context, RunEnd, UnitEnd, Verb};
use crate::model::{Outcome, Stage, UnitId};

/// otto's exit code: a signal's, or that of the worst unit.
pub(super) fn code(context: &Context, end: &RunEnd, verb: Verb) -> u8 {
    if let Some(signal) = context.stop.borrow().signal {
        return exit::SIGNAL + signal;
    }
    if end.outcome == Outcome::Ok && end.journal.is_none() {
        let drifted = context.memory.drifts().iter().any(|drift| !drift.changes.is_empty());
        return if drifted { exit::CHANGES } else { exit::OK };
    }
    let bad: Vec<_> = end.units.values().filter(|u| !u.outcome.is_good()).collect();
    if verb == Verb::Only(Stage::Test) {
        // As a Nagios plugin: critical.
        return 2;
    }
    let bad_beside = |(id, u): (&UnitId, &UnitEnd)| {
        !u.outcome.is_good() && !context.requests.lacking.contains(credentials::provider(id))
    };
    if !context.requests.lacking.is_empty() && end.journal.is_none() && !end.units.iter().any(bad_beside) {
        // All that had its credentials went well.
        return if context.stop.borrow().requested() { exit::PARTIAL } else { exit::CREDENTIALS };
    }
    // Of the run, not of the unit that failed: with hosts made and a playbook that cannot be read, something changed.
    let changed = bad.iter().any(|u| u.changed)
        || end
            .units
            .iter()
            .any(|(id, u)| u.changed && matches!(id.stage, Stage::Provision | Stage::Destroy | Stage::Extend));
    if end.journal.is_some() || context.stop.borrow().requested() {
        return if changed { exit::PARTIAL } else { exit::STORE };
    }
    match () {
        () if bad.iter().any(|u| u.refused) && !changed => exit::DECLINED,
        () if bad.iter().any(|u| u.denied) && !changed => exit::CREDENTIALS,
        () if bad.iter().any(|u| u.outcome == Outcome::TimedOut) => exit::TIMED_OUT,
        () if changed => exit::PARTIAL,
        () => exit::FAILED,
    }
}
