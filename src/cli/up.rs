//! `otto up`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{ChangeArgs, RunArgs, go};
use crate::ops::{Result, Verb, Wishes};

/// Bring sites up: images, provision, config, test, as far as needed
///
/// Builds the golden images that the hosts boot, makes the hosts, configures them and tests the site. What is
/// unchanged is skipped, with the reason. After any failure the same command again is right.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto up --yes\n  otto up dev/local/hello\n  otto up --site hello --provider \"do, gcp\""
)]
pub(super) struct UpArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Flags of changes.
    #[command(flatten)]
    pub(super) change: ChangeArgs,
    /// Skip nothing
    #[arg(long)]
    pub(super) force: bool,
    /// Build images even when unchanged
    #[arg(long)]
    pub(super) rebuild: bool,
    /// Replace hosts with an older image, one after the other, each drained before and healthy before the next
    #[arg(long)]
    pub(super) refresh_images: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &UpArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "up", Verb::Up);
        request.consent.allow_destroy = args.change.allow_destroy;
        request.consent.ignore_in_flight = args.change.ignore_in_flight;
        request.consent.over_budget = args.change.over_budget;
        let (force, rebuild, refresh) = (args.force, args.rebuild, args.refresh_images);
        request.wishes = Wishes { force, rebuild, refresh, ..Wishes::default() };
        request.requests.refresh = refresh;
        request
    })
}
