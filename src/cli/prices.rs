//! `otto prices`.

use clap::{Args, Subcommand};

use super::globals::{Globals, block_on};
use crate::ops::{self, Result};

/// Keep the price tables of the project
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  otto prices update do")]
pub(super) struct PricesArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Ask vendors for today's prices and write them into clowd/prices, each with its source and date
    Update {
        /// Only of this provider [default: of all that can be asked]
        provider: Option<String>,
    },
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &PricesArgs) -> Result<u8> {
    let session = globals.session(false)?;
    let What::Update { provider } = &args.what;
    for one in block_on(ops::vendor::update(&session.world, provider.as_deref()))? {
        for (what, old, new) in &one.changed {
            session.out.data(&format!("{}  {what}: {old} is now {new}", one.file));
        }
        for what in &one.added {
            session.out.data(&format!("{}  {what}: new", one.file));
        }
        let (changed, added) = (one.changed.len(), one.added.len());
        session.out.data(&format!(
            "{}  {changed} changed, {added} new, {} as they were, {} not named and kept",
            one.file, one.same, one.kept
        ));
    }
    Ok(ops::exit::OK)
}
