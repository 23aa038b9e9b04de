//! `otto explain`.

use clap::Args;

use super::globals::{Globals, print_json};
use crate::ops::{self, Result};
use crate::project::Selection;
use crate::ui::render_rows;

/// Show where each value comes from: a flag, an environment variable, a file and its line, or a default
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  otto explain\n  otto explain environment\n  otto explain roles.www.count")]
pub(super) struct ExplainArgs {
    /// A key, or a part of keys between dots [default: all]
    #[arg(value_name = "KEY")]
    pub(super) key: Option<String>,
    /// Providers, as for other commands [env: CLOWD_PROVIDERS]
    #[arg(long, value_name = "PROVIDERS")]
    pub(super) provider: Vec<String>,
    /// Environment, as for other commands [env: OTTO_ENV]
    #[arg(long, value_name = "ENVIRONMENT")]
    pub(super) env: Option<String>,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ExplainArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let selection =
        Selection { providers: args.provider.clone(), environment: args.env.clone(), ..Selection::default() };
    let selection = selection.with_defaults(&session.world.vars);
    let found = ops::explain::explain(&session.world, &selection, args.key.as_deref())?;
    if args.json {
        print_json(&session.out, &found);
        return Ok(ops::exit::OK);
    }
    let rows: Vec<Vec<String>> = found.values.into_iter().map(|v| vec![v.key, v.value, v.from]).collect();
    let (theme, width) = (session.term.out_theme(), session.term.out_width());
    session.out.data(&render_rows(&["key", "value", "from"], &rows, theme, width));
    Ok(ops::exit::OK)
}
