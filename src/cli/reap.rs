//! `otto reap`.

use clap::Args;

use super::globals::{Globals, block_on, print_json};
use super::run_args::RunArgs;
use crate::model::{Owner, Stage};
use crate::ops::reap::{Fate, ReapReport, ReapWish};
use crate::ops::{self, Result, Verb};

/// Destroy what has outlived its lease, and remove what is in no state
///
/// For cron and CI. Deployments go after a grace (`reap: {grace: 10m}` in otto.yaml; a tenth of the lease without it), protected ones never; what carries this
/// store's tags and is in no state goes too. Without a store (a fresh clone with the account's credentials) the tags decide:
/// what is this project's and past its expiry goes. What is another store's or project's is listed and never touched. Volumes,
/// databases and snapshots go only by `--with ID`. Exit code of `--dry-run`: 10 when something would go; 23 where a provider in use
/// cannot be asked what exists.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "Examples:\n  otto reap --dry-run\n  otto reap --yes")]
pub(super) struct ReapArgs {
    /// Only tell what would go, and why
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(short, long, conflicts_with = "dry_run")]
    pub(super) yes: bool,
    /// Something that holds data and goes as well
    #[arg(long, value_name = "ID")]
    pub(super) with: Vec<String>,
    /// Units at once [default: from cores and memory]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(super) jobs: Option<u16>,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &ReapArgs) -> Result<u8> {
    // The events of its run are no data: what became of everything is.
    let session = globals.session_of_leases(false)?;
    let flags = RunArgs { yes: args.yes, jobs: args.jobs, ..RunArgs::default() };
    let request = flags.request(&session.world, "reap", Verb::Only(Stage::Destroy));
    let wish = ReapWish { dry_run: args.dry_run, yes: args.yes, with: args.with.clone() };
    let show = |report: &ReapReport| lines(report).iter().for_each(|line| session.out.line(line));
    let (report, code) = block_on(ops::reap::reap(&session.world, &wish, request, &show))?;
    report.warnings.iter().for_each(|why| session.world.warn(why));
    if args.json {
        print_json(&session.out, &report);
        return Ok(code);
    }
    let all = lines(&report);
    let none = match (report.warnings.is_empty(), report.by_store) {
        (false, _) => "nothing to reap, as far as can be seen",
        (true, true) => "nothing to reap",
        (true, false) => "nothing of this project is past its lease",
    };
    let text = if all.is_empty() { none.to_owned() } else { all.join("\n") };
    session.out.data(&format!("{text}\n"));
    Ok(code)
}

fn lines(report: &ReapReport) -> Vec<String> {
    let word = |fate: Fate| match fate {
        Fate::Reap => "reap  ",
        Fate::Stay => "stays ",
        Fate::Gone => "gone  ",
        Fate::Failed => "failed",
    };
    let deployments = report.deployments.iter().map(|one| format!("{}  {}  {}", word(one.fate), one.name, one.why));
    let told = |one: &ops::reap::ReapedOrphan| {
        let of = one.orphan.deployment().map(|id| format!(" of {id}")).unwrap_or_default();
        format!("{} {} ({}){of} at {}", one.orphan.kind, one.orphan.name, one.orphan.id, one.provider)
    };
    let ours = report.orphans.iter().filter(|one| one.whose == Owner::Ours);
    let ours = ours.map(|one| format!("{}  {}  {}", word(one.fate), told(one), one.why));
    let foreign: Vec<String> = report.orphans.iter().filter(|one| one.whose == Owner::Foreign).map(told).collect();
    let foreign = (!foreign.is_empty())
        .then(|| format!("foreign  of other stores or projects, never touched: {}", foreign.join(", ")));
    deployments.chain(ours).chain(foreign).collect()
}
