//! `otto provision`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{ChangeArgs, RunArgs, go};
use crate::model::Stage;
use crate::ops::{Result, Verb};

/// Make hosts out of images, with Terraform or OpenTofu
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ProvisionArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Flags of changes.
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    /// Arguments for Terraform
    #[arg(last = true, value_name = "ARGS")]
    pub(super) passthrough: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ProvisionArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "provision", Verb::Only(Stage::Provision));
        request.consent.allow_destroy = args.change.allow_destroy;
        request.consent.ignore_in_flight = args.change.ignore_in_flight;
        request.consent.over_budget = args.change.over_budget;
        request.requests.passthrough.clone_from(&args.passthrough);
        request
    })
}
