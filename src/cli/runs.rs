//! `otto runs`.

use clap::Args;

use super::globals::{Globals, print_json};
use crate::ops::{self, Result};
use crate::ui::render_runs;

/// List runs, newest first
#[derive(Args, Clone, Debug, Default)]
pub(super) struct RunsArgs {
    /// How many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub(super) limit: usize,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &RunsArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let report = ops::runs::runs(&session.world, args.limit)?;
    if args.json {
        print_json(&session.out, &report);
    } else {
        session.out.data(&render_runs(&report, session.term.out_theme(), session.term.out_width()));
    }
    Ok(ops::exit::OK)
}
