//! Exit codes, named once. `status` and `test` answer as Nagios plugins do instead.

use super::conduct::Request;
use super::failure::Kind;
use crate::lifecycle::{Context, RunEnd, Verb};
use crate::model::{Outcome, Stage};

/// All is well; for `status` also when everything is destroyed.
pub const OK: u8 = 0;
/// Something that nobody foresaw.
pub const UNEXPECTED: u8 = 1;
/// The command line.
pub const USAGE: u8 = 2;
/// `plan --exit-code`: something would be done.
pub const CHANGES: u8 = 10;
/// Project files.
pub const PROJECT: u8 = 20;
/// A tool is missing or too old.
pub const TOOL: u8 = 21;
/// Someone else holds the deployment.
pub const LOCKED: u8 = 22;
/// Credentials are missing.
pub const CREDENTIALS: u8 = 23;
/// The store or the disk cannot be used.
pub const STORE: u8 = 24;
/// A stage failed and nothing changed.
pub const FAILED: u8 = 30;
/// Time was over.
pub const TIMED_OUT: u8 = 31;
/// A stage failed after something changed: partly applied, resumable.
pub const PARTIAL: u8 = 32;
/// Declined, or a consent is missing.
pub const DECLINED: u8 = 40;
/// A bug in otto.
pub const BUG: u8 = 70;
/// Added to a signal's number.
pub const SIGNAL: u8 = 128;

/// Every code with its meaning, as `otto help exit-codes` prints it.
pub const ALL: &[(u8, &str)] = &[
    (OK, "all is well"),
    (UNEXPECTED, "something unexpected"),
    (USAGE, "the command line is wrong"),
    (CHANGES, "changes are pending (`plan --exit-code`)"),
    (PROJECT, "the project's files are wrong"),
    (TOOL, "a tool is missing or too old"),
    (LOCKED, "another otto holds the deployment"),
    (CREDENTIALS, "credentials are missing"),
    (STORE, "the store or the disk cannot be used"),
    (FAILED, "a stage failed and nothing changed"),
    (TIMED_OUT, "a stage timed out"),
    (PARTIAL, "a stage failed after something changed: partly applied, resumable"),
    (DECLINED, "declined, or a consent is missing"),
    (BUG, "a bug in otto"),
    (SIGNAL + 1, "ended after SIGHUP"),
    (SIGNAL + 2, "ended after SIGINT"),
    (SIGNAL + 15, "ended after SIGTERM"),
];

/// The code of a kind of failure.
pub fn of(kind: Kind) -> u8 {
    match kind {
        Kind::Unexpected => UNEXPECTED,
        Kind::Usage => USAGE,
        Kind::Project => PROJECT,
        Kind::Tool => TOOL,
        Kind::Locked => LOCKED,
        Kind::Credentials => CREDENTIALS,
        Kind::Store => STORE,
        Kind::Failed => FAILED,
        Kind::TimedOut => TIMED_OUT,
        Kind::Partial => PARTIAL,
        Kind::Declined => DECLINED,
        Kind::Bug => BUG,
    }
}

/// otto's exit code: a signal's, or that of the worst unit.
pub(super) fn of_run(context: &Context, end: &RunEnd, request: &Request) -> u8 {
    if let Some(signal) = context.stop.borrow().signal {
        return SIGNAL + signal;
    }
    if end.outcome == Outcome::Ok && end.journal.is_none() {
        return OK;
    }
    let bad: Vec<_> = end.units.values().filter(|u| !u.outcome.is_good()).collect();
    if request.verb == Verb::Only(Stage::Test) {
        // As a Nagios plugin: critical.
        return 2;
    }
    // Of the run, not of the unit that failed: with hosts made and a playbook that cannot be read, something changed.
    let changed = bad.iter().any(|u| u.changed)
        || end.units.iter().any(|(id, u)| u.changed && matches!(id.stage, Stage::Provision | Stage::Destroy));
    if end.journal.is_some() || context.stop.borrow().requested() {
        return if changed { PARTIAL } else { STORE };
    }
    match () {
        () if bad.iter().any(|u| u.refused) && !changed => DECLINED,
        () if bad.iter().any(|u| u.outcome == Outcome::TimedOut) => TIMED_OUT,
        () if changed => PARTIAL,
        () => FAILED,
    }
}
