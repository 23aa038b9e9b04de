//! `otto doctor`.

use clap::Args;

use super::globals::{Globals, block_on, print_json};
use crate::ops::doctor::{State, code};
use crate::ops::{self, Result};
use crate::ui::{Verdict, render_findings};

/// Look for everything that can be wrong, each with what mends it; change nothing
///
/// Exit code: 0 clean, 1 warnings, 2 faults.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct DoctorArgs {
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &DoctorArgs) -> Result<u8> {
    let session = globals.session_without_warnings(args.json)?;
    let examination = block_on(ops::doctor::doctor(&session.world));
    if args.json {
        print_json(&session.out, &examination);
    } else {
        let verdict = |state| match state {
            State::Ok => Verdict::Ok,
            State::Warn => Verdict::Warn,
            State::Fail => Verdict::Fail,
        };
        let rows = examination.findings.iter().map(|f| (verdict(f.state), f.check, f.what.as_str(), f.fix.as_deref()));
        session.out.data(&render_findings(rows, session.term.out_theme()));
    }
    Ok(code(&examination))
}
