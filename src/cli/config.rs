//! `otto config`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{RunArgs, go};
use crate::model::Stage;
use crate::ops::{Result, Verb};

/// Configure hosts and put content on them, with Ansible
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto config\n  otto config --check\n  otto config dev/local/hello -- --tags nginx"
)]
pub(super) struct ConfigArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Change nothing; say what would change
    #[arg(long)]
    pub(super) check: bool,
    /// Arguments for ansible-playbook
    #[arg(last = true, value_name = "ARGS")]
    pub(super) passthrough: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ConfigArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "config", Verb::Only(Stage::Config));
        request.requests.check = args.check;
        request.requests.passthrough.clone_from(&args.passthrough);
        request
    })
}
