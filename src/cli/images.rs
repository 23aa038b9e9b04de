//! `otto images`.

use clap::{Args, Subcommand};

use super::globals::Globals;
use super::run_args::{RunArgs, go, typed};
use crate::model::Stage;
use crate::ops::{self, Result, Verb, Wishes};

/// Build the golden images of all appliances
///
/// An image is skipped when its template, files and variables are those of one that still exists.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ImagesArgs {
    #[command(subcommand)]
    verb: Option<ImagesVerb>,
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Build even when unchanged
    #[arg(long)]
    pub(super) rebuild: bool,
}

#[derive(Subcommand, Clone, Debug)]
enum ImagesVerb {
    /// Remove images that nothing boots from; the newest of each appliance and provider stays
    Prune {
        /// Remove them without asking
        #[arg(short, long)]
        yes: bool,
    },
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ImagesArgs) -> Result<u8> {
    if let Some(ImagesVerb::Prune { yes }) = args.verb {
        return prune(globals, yes);
    }
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "images", Verb::Only(Stage::Images));
        request.wishes = Wishes { rebuild: args.rebuild, ..Wishes::default() };
        request
    })
}

fn prune(globals: &Globals, yes: bool) -> Result<u8> {
    let session = globals.session(false)?;
    let line = typed(&session.world.argv);
    let pruned = ops::prune::prune(&session.world, yes, &line)?;
    for what in &pruned.elsewhere {
        session.out.line(&format!("nothing boots from {what}: it is the provider's to remove"));
    }
    let total: u64 = pruned.gone.iter().map(|(_, bytes)| bytes).sum();
    match pruned.gone.len() {
        0 => session.out.line("nothing to remove: every image here is the newest or booted"),
        n => session.out.line(&format!("{n} removed, {} free again", ops::prune::size(total))),
    }
    Ok(ops::exit::OK)
}
