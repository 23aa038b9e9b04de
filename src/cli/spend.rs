//! `otto spend`.

use clap::{Args, ValueEnum};

use super::globals::{Globals, block_on, print_json};
use super::selection::SelectionArgs;
use crate::ops::spend::{By, Query};
use crate::ops::{self, Result};
use crate::ui::{render_explained, render_spend, spend_csv};

/// What amounts are added up by.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ByArg {
    /// Sites, whatever their environments and providers
    Site,
    /// Providers, images with them
    Provider,
    /// Days in UTC
    Day,
    /// Every resource on its own
    Resource,
}

/// Show what everything has cost, what an hour costs now, and what the month will have cost
///
/// Computed from the ledger, which keeps what was destroyed. Amounts are exact: every price carries its source, and what
/// has no known price is listed rather than counted as nothing.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto spend\n  otto spend --by provider --since month\n  otto spend --explain www-1\n  otto spend --since 7d --csv > week.csv"
)]
pub(super) struct SpendArgs {
    /// Whose.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// Add up by [default: deployment]
    #[arg(long, value_name = "WHAT")]
    by: Option<ByArg>,
    /// From then on: a day, a time, `month`, or a span back such as `7d` [default: ever]
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// How the amount of a resource or host comes about: formula, price, source and date
    #[arg(long, value_name = "ADDRESS")]
    pub(super) explain: Option<String>,
    /// Ask vendors, too, what the whole account came to this month, where asking is free
    #[arg(long)]
    pub(super) actual: bool,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
    /// One line a resource, with commas between
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &SpendArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let by = match args.by {
        None => By::Deployment,
        Some(ByArg::Site) => By::Site,
        Some(ByArg::Provider) => By::Provider,
        Some(ByArg::Day) => By::Day,
        Some(ByArg::Resource) => By::Resource,
    };
    let query = Query {
        selection: args.selection.flags(),
        by,
        since: args.since.clone(),
        explain: args.explain.clone(),
        rows: args.json || args.csv || args.explain.is_some() || by == By::Resource,
    };
    let mut report = ops::spend::spend(&session.world, &query)?;
    if args.actual {
        report.actual = block_on(ops::vendor::actual(&session.world))?;
    }
    let (theme, width) = (session.term.out_theme(), session.term.out_width());
    match () {
        () if args.json => print_json(&session.out, &report),
        () if args.csv => session.out.data(&spend_csv(&report)),
        () if args.explain.is_some() => session.out.data(&render_explained(&report, theme, width)),
        () => session.out.data(&render_spend(&report, theme, width)),
    }
    if !args.json {
        report.warnings.iter().for_each(|warning| session.out.warn(warning));
    }
    Ok(ops::exit::OK)
}
