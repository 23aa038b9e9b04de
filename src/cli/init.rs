//! `otto init`.

use clap::Args;

use super::globals::Globals;
use crate::ops::{self, Result};

/// Write a project to start from: two sites on this machine
#[derive(Args, Clone, Debug, Default)]
pub(super) struct InitArgs {
    /// Where [default: the current folder]
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &InitArgs) -> Result<u8> {
    let session = globals.session(false)?;
    let (folder, written) = ops::init::init(&session.world, args.folder.as_deref())?;
    session.out.line(&format!("{} files written to {folder}", written.len()));
    let program = session.term.err_theme().program;
    session.out.hint(&match &args.folder {
        // A program named by its way from here is not found from there.
        Some(there) if program.contains('/') && !program.starts_with('/') => format!("otto up --project {there}"),
        Some(there) => format!("cd {there} && otto up"),
        None => "otto up".to_owned(),
    });
    Ok(ops::exit::OK)
}
