//! `otto ssh`.

use std::io::IsTerminal;

use clap::Args;

use super::globals::Globals;
use super::selection::SelectionArgs;
use crate::ops::{self, Result};

/// Log in to a host, or run one command there
///
/// The terminal and the exit code are the session's. On `local` it is a shell in the host's folder, with its programs first.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto ssh www-1\n  otto ssh hello/www-1 -- nginx -T\n  otto ssh www-1 -- 'tail -n 3 /var/log/nginx/*'"
)]
pub(super) struct SshArgs {
    /// A host: `www-1`, `hello/www-1` or `dev/local/hello/www-1`
    #[arg(value_name = "HOST")]
    pub(super) host: String,
    /// Only this site
    #[arg(long, value_name = "SITE")]
    pub(super) site: Option<String>,
    /// Only this provider
    #[arg(long, value_name = "PROVIDER")]
    pub(super) provider: Option<String>,
    /// Only this environment
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(super) env: Option<String>,
    /// One word is a line for the host's shell, several are passed on as they are
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &SshArgs) -> Result<u8> {
    let session = globals.session(false)?;
    let selection = SelectionArgs {
        deployments: Vec::new(),
        site: args.site.iter().cloned().collect(),
        provider: args.provider.iter().cloned().collect(),
        env: args.env.clone(),
    };
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    ops::ssh::enter(&session.world, &selection.flags(), &args.host, &args.command, terminal)
}
