//! `otto drift`.

use clap::Args;

use super::globals::{Globals, block_on, print_json};
use super::run_args::RunArgs;
use super::selection::SelectionArgs;
use crate::model::Stage;
use crate::ops::{self, Result, Verb};
use crate::ui::render_drift;

/// Show what changed outside of otto; change nothing
///
/// Asks Terraform by a refresh-only plan of each deployment, so a machine that was switched off is drift as well. Exit code
/// 10 when something changed. What is found is kept, and `otto status` shows the last look.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  otto drift\n  otto drift prod/do/shop --json")]
pub(super) struct DriftArgs {
    /// What to look at.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// Deployments at once [default: from cores and memory]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) jobs: Option<u16>,
    /// Wait for a deployment that another otto holds
    #[arg(long)]
    pub(super) wait: bool,
    /// Install missing tools without asking
    #[arg(short, long)]
    pub(super) yes: bool,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &DriftArgs) -> Result<u8> {
    // Its events are no data: what it found is.
    let session = globals.session(false)?;
    let flags = RunArgs {
        selection: args.selection.clone(),
        yes: args.yes,
        jobs: args.jobs,
        wait: args.wait,
        ..RunArgs::default()
    };
    let mut request = flags.request(&session.world, "drift", Verb::Only(Stage::Drift));
    request.selection = args.selection.selection(&session.world.vars);
    let report = block_on(ops::drift::drift(&session.world, request))?;
    if args.json {
        print_json(&session.out, &ops::drift::document(&report));
    } else {
        session.out.data(&render_drift(&report.drifts, session.term.out_theme()));
    }
    Ok(report.code)
}
