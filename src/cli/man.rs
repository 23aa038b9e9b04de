//! `otto man`.

use clap::Args;

use super::globals::Globals;
use crate::ops::{Failure, Kind, Result};
use crate::project::Vars;

/// Print the manual page
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Example:\n  otto man | man -l -")]
pub(super) struct ManArgs {
    /// Of this command
    #[arg(value_name = "COMMAND")]
    pub(super) of: Option<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ManArgs) -> Result<u8> {
    let (_, out) = globals.output(&Vars::capture());
    let mut command = super::command();
    command.build();
    let command = match &args.of {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(found) => found.clone().name(format!("otto-{name}")),
            None => return Err(Failure::new(Kind::Usage, format!("no command `{name}`")).hint("otto --help")),
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text).expect("memory can be written to");
    out.data(&String::from_utf8_lossy(&text));
    Ok(0)
}
