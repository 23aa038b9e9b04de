//! `otto test`.

use clap::Args;

use super::globals::Globals;
use super::run_args::{RunArgs, go};
use crate::model::Stage;
use crate::ops::{Result, Verb};

/// Check that sites serve: every host, every domain, every backend
///
/// Exit code as a Nagios plugin: 0 ok, 1 warning, 2 critical, 3 unknown.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct TestArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Also stop one backend, see the site serve, and bring it back
    #[arg(long)]
    pub(super) failover: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &TestArgs) -> Result<u8> {
    go(globals, args.run.json, |world| {
        let mut request = args.run.request(world, "test", Verb::Only(Stage::Test));
        request.requests.failover = args.failover;
        request
    })
}
