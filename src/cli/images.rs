//! `otto images`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{RunArgs, go};
use crate::model::Stage;
use crate::ops::{Result, Verb, Wishes};

/// Build the golden images of all appliances
///
/// An image is skipped when its template, files and variables are those of one that still exists.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ImagesArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Build even when unchanged
    #[arg(long)]
    pub(super) rebuild: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ImagesArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "images", Verb::Only(Stage::Images));
        request.wishes = Wishes { force: false, rebuild: args.rebuild };
        request
    })
}
