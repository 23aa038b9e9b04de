//! `otto open`.

use clap::Args;

use super::complete;
use super::globals::{Globals, block_on};
use crate::ops::{self, Result};
use crate::project::Selection;

/// Open a site in the browser; print its URL
#[derive(Args, Clone, Debug, Default)]
pub(super) struct OpenArgs {
    /// A site or deployment [default: all that are up]
    #[arg(value_name = "SITE", add = complete::deployments())]
    pub(super) site: Option<String>,
    /// Print it only
    #[arg(long)]
    pub(super) print: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &OpenArgs) -> Result<u8> {
    let session = globals.session(false)?;
    let selection = Selection { deployments: args.site.iter().cloned().collect(), ..Selection::default() };
    let urls = ops::open::urls(&session.world, &selection)?;
    session.out.data(&urls.join("\n"));
    if !args.print && session.term.stdout_tty {
        for url in &urls {
            if !block_on(ops::open::browse(&session.world, url)) {
                session.out.line("no program here opens URLs: neither xdg-open nor open");
                break;
            }
        }
    }
    Ok(ops::exit::OK)
}
