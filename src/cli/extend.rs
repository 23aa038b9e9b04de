//! `otto extend`.

use clap::{ArgGroup, Args};

use super::complete;
use super::globals::{Globals, block_on};
use super::run_args::{RunArgs, finish};
use crate::model::lease::Move;
use crate::model::{Stage, Timestamp};
use crate::ops::{self, Result, Verb};
use crate::project::{Selection, quantity};

/// Let deployments live longer than their lease
///
/// The new end is in the store, in the journal with who moved it, and in the tags at the provider.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("end").required(true).args(["span", "until", "never"])))]
#[command(
    after_help = "Examples:\n  otto extend dev/do/shop --for 2h\n  otto extend dev/do/shop --until '2026-12-01 18:00'\n  otto extend prod/do/shop --never"
)]
pub(super) struct ExtendArgs {
    /// Deployments (`dev/do/shop`) or sites
    #[arg(value_name = "DEPLOYMENT", required = true, add = complete::deployments())]
    pub(super) deployments: Vec<String>,
    /// So much longer: `90m`, `2h`, `3d`; from now where the lease is over
    #[arg(long = "for", id = "span", value_name = "TIME", value_parser = span)]
    pub(super) span: Option<u64>,
    /// Until then, in UTC: `2026-12-01 18:00`
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    pub(super) until: Option<Timestamp>,
    /// For ever
    #[arg(long)]
    pub(super) never: bool,
    /// Wait for a deployment that another otto holds
    #[arg(long)]
    pub(super) wait: bool,
    /// Events as newline-delimited JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

fn span(text: &str) -> std::result::Result<u64, String> {
    quantity::seconds(text).ok_or_else(|| "a span of time such as `90m`, `2h` or `3d`".to_owned())
}

fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    ops::extend::moment(text).ok_or_else(|| "a moment in UTC such as `2026-12-01 18:00`".to_owned())
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ExtendArgs) -> Result<u8> {
    let session = globals.session_of_leases(args.json)?;
    let flags = RunArgs { wait: args.wait, json: args.json, ..RunArgs::default() };
    let mut request = flags.request(&session.world, "extend", Verb::Only(Stage::Extend));
    let named = Selection { deployments: args.deployments.clone(), ..Selection::default() };
    request.selection = named.with_defaults(&session.world.vars);
    let wish = match (args.span, args.until) {
        (Some(seconds), _) => Move::For(seconds),
        (None, Some(end)) => Move::Until(end),
        (None, None) => Move::Never,
    };
    let report = block_on(ops::extend::extend(&session.world, wish, request))?;
    Ok(finish(&session, true, &report))
}
