//! `otto resume`.

use clap::Args;

use super::complete;
use super::globals::{Globals, block_on};
use super::run_args::{ChangeArgs, RunArgs, finish};
use crate::ops::{self, Result, Verb};

/// Continue what a run did not finish
///
/// What is still at work is waited for; what it left behind is looked for; units that it had done are not run again.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ResumeArgs {
    /// The beginning of a run's id [default: the last run]
    #[arg(value_name = "RUN", add = complete::runs())]
    pub(super) id: Option<String>,
    /// Create and update without asking
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Flags of changes.
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    /// Units at once
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) jobs: Option<u16>,
    /// Events as newline-delimited JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// Wait for a deployment that another otto holds
    #[arg(long)]
    pub(super) wait: bool,
    /// The name of a protected deployment that may go
    #[arg(long, value_name = "NAME")]
    pub(super) confirm: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ResumeArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let common = RunArgs { yes: args.yes, jobs: args.jobs, wait: args.wait, ..RunArgs::default() };
    let mut request = common.request(&session.world, "resume", Verb::Up);
    request.consent.allow_destroy = args.change.allow_destroy;
    request.consent.ignore_in_flight = args.change.ignore_in_flight;
    request.consent.over_budget = args.change.over_budget;
    request.confirm.clone_from(&args.confirm);
    let report = block_on(ops::resume::resume(&session.world, args.id.as_deref(), request))?;
    Ok(finish(&session, args.json, &report))
}
