//! `otto completions`.

use clap::Args;
use clap_complete::Shell;

use super::globals::Globals;
use crate::ops::Result;
use crate::project::Vars;

/// Print a shell's completions: commands, flags, names of sites, deployments and runs
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  otto completions bash > ~/.local/share/bash-completion/completions/otto")]
pub(super) struct CompletionsArgs {
    /// For which shell
    pub(super) shell: Shell,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &CompletionsArgs) -> Result<u8> {
    let (_, out) = globals.output(&Vars::capture());
    // The shell then asks otto for the names of sites, deployments and runs.
    let name = args.shell.to_string();
    if let Some(script) = super::complete::script(&name) {
        out.data(&script);
        return Ok(0);
    }
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "otto", &mut text);
    out.data(&String::from_utf8_lossy(&text));
    Ok(0)
}
