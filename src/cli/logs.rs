//! `otto logs`.

use clap::Args;

use super::complete;
use super::globals::{Globals, block_on};
use crate::ops::runs::Wanted;
use crate::ops::{self, Result};
use crate::ui::{Mode, Pace, Screen};

/// Show a run again, as it was shown live
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  otto logs\n  otto logs 20261121-06 hello:config\n  otto logs --follow")]
pub(super) struct LogsArgs {
    /// The beginning of a run's id [default: the last run]
    #[arg(value_name = "RUN", add = complete::runs())]
    pub(super) id: Option<String>,
    /// Only units whose name holds this
    #[arg(value_name = "UNIT")]
    pub(super) unit: Option<String>,
    /// Go on until the run ends
    #[arg(short, long)]
    pub(super) follow: bool,
    /// The events themselves
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &LogsArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let mode = if args.json { Mode::Json } else { Mode::Plain };
    let screen = Screen::new(&session.term, session.out.clone(), mode, globals.verbose).pace(Pace::Replay);
    let wanted = Wanted { run: args.id.clone(), unit: args.unit.clone(), follow: args.follow };
    block_on(ops::runs::replay(&session.world, &wanted, &screen))?;
    Ok(ops::exit::OK)
}
