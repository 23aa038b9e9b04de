//! `otto test`.

use std::sync::Arc;

use clap::Args;

use super::globals::{Globals, block_on};
use super::run_args::{RunArgs, finish};
use crate::model::Stage;
use crate::ops::{self, Failure, Kind, Result, Verb};
use crate::ui::Junit;

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
    /// Write a report for CI systems
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<camino::Utf8PathBuf>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &TestArgs) -> Result<u8> {
    let mut session = globals.session(args.run.json)?;
    let junit = Arc::new(Junit::before(session.world.screen.clone()));
    session.world.screen = junit.clone();
    let mut request = args.run.request(&session.world, "test", Verb::Only(Stage::Test));
    request.requests.failover = args.failover;
    let report = block_on(ops::conduct(&session.world, request))?;
    if let Some(path) = &args.junit {
        std::fs::write(session.world.cwd.join(path), junit.document())
            .map_err(|error| Failure::new(Kind::Unexpected, format!("the report `{path}` was not written: {error}")))?;
    }
    Ok(finish(&session, args.run.json, &report))
}
