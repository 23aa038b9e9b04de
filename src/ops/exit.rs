//! Exit codes, named once. `status` and `test` answer as Nagios plugins do instead.

use super::failure::Kind;

/// All is well; for `status` also when everything is destroyed.
pub const OK: u8 = 0;
/// Something that nobody foresaw.
pub const UNEXPECTED: u8 = 1;
/// The command line.
pub const USAGE: u8 = 2;
/// `drift`, `reap --dry-run`, `plan --exit-code`: something changed, or would be done.
pub const CHANGES: u8 = 10;
/// Project files.
pub const PROJECT: u8 = 20;
/// A tool is missing or too old.
pub const TOOL: u8 = 21;
/// Someone else holds the deployment.
pub const LOCKED: u8 = 22;
/// Credentials are missing, or not taken.
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
    (CHANGES, "changes are pending (`drift`, `reap --dry-run`, `plan --exit-code`)"),
    (PROJECT, "the project's files are wrong"),
    (TOOL, "a tool is missing or too old"),
    (LOCKED, "another otto holds the deployment"),
    (CREDENTIALS, "credentials are missing, or the provider cannot be used with them"),
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
