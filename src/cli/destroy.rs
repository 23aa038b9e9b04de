//! `otto destroy`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{RunArgs, go};
use crate::model::Stage;
use crate::ops::{Result, Verb};

/// Take sites down, and look whether everything is gone
///
/// Asks first. A protected deployment needs its name typed, or `--confirm NAME`.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto destroy dev/local/hello\n  otto destroy --yes\n  otto destroy prod/do/shop --yes --confirm prod/do/shop"
)]
pub(super) struct DestroyArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// The name of a protected deployment that may go
    #[arg(long, value_name = "NAME")]
    pub(super) confirm: Vec<String>,
    /// A machine of `static` that is gone for good: nothing is taken off it
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(super) lost: Vec<String>,
    /// Go on though interrupted work cannot be looked for
    #[arg(long)]
    pub(super) ignore_in_flight: bool,
    /// Arguments for Terraform, or for Ansible where the hosts stay
    #[arg(last = true, value_name = "ARGS")]
    pub(super) passthrough: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &DestroyArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "destroy", Verb::Only(Stage::Destroy));
        request.confirm.clone_from(&args.confirm);
        request.consent.ignore_in_flight = args.ignore_in_flight;
        request.requests.lost.clone_from(&args.lost);
        request.requests.passthrough.clone_from(&args.passthrough);
        request
    })
}
