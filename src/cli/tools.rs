//! `otto tools`.

use clap::{Args, Subcommand};

use super::globals::{Globals, block_on};
use crate::ops::{self, Result};
use crate::ui::render_rows;

/// Show the tools that otto drives, or install what is missing
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ToolsArgs {
    #[command(subcommand)]
    verb: Option<ToolsVerb>,
}

#[derive(Subcommand, Clone, Debug)]
enum ToolsVerb {
    /// Install what is missing or too old
    Install {
        /// Without asking
        #[arg(short, long)]
        yes: bool,
    },
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ToolsArgs) -> Result<u8> {
    let session = globals.session(false)?;
    if let Some(ToolsVerb::Install { yes }) = args.verb {
        block_on(ops::tools::install(&session.world, yes))?;
    }
    let rows = block_on(ops::tools::list(&session.world));
    let missing = rows.iter().any(|row| !row.usable);
    let cells: Vec<Vec<String>> = rows.into_iter().map(|r| vec![r.name, r.version, r.from, r.needs]).collect();
    session.out.data(&render_rows(
        &["tool", "version", "where", "needs"],
        &cells,
        session.term.out_theme(),
        session.term.out_width(),
    ));
    Ok(if missing { ops::exit::TOOL } else { ops::exit::OK })
}
