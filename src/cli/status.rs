//! `otto status`.

use std::time::Duration;

use clap::Args;

use super::globals::{Globals, block_on, print_json};
use super::selection::SelectionArgs;
use crate::ops::{self, Result};
use crate::ui::render_status;

/// Show what exists, how it is, and until when it may live
///
/// Exit code as a Nagios plugin: 0 ok (also when all is destroyed), 1 warning, 2 critical, 3 unknown.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct StatusArgs {
    /// What to look at.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// From the store alone, asking no host
    #[arg(long)]
    pub(super) offline: bool,
    /// Again and again, until interrupted; seconds between [default: 2]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", conflicts_with = "json")]
    pub(super) watch: Option<u64>,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &StatusArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let selection = args.selection.flags();
    block_on(async {
        loop {
            let report = ops::status::status(&session.world, &selection, args.offline).await?;
            let code = ops::status::code(&report, args.offline);
            if args.json {
                print_json(&session.out, &report);
                return Ok(code);
            }
            let text = render_status(&report, session.term.out_theme(), session.term.out_width());
            let Some(seconds) = args.watch else {
                session.out.data(&text);
                // A dirty deployment's own repair stands in the report.
                let down = report.deployments.iter().any(|one| one.health == crate::model::Health::Critical);
                if code == 2 && down && report.deployments.iter().all(|one| one.dirty.is_none()) {
                    session.out.hint("otto up");
                }
                return Ok(code);
            };
            session.out.page(&text);
            if session.out.broken() {
                return Ok(code);
            }
            tokio::time::sleep(Duration::from_secs(seconds.max(1))).await;
        }
    })
}
