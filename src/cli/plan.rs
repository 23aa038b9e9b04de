//! `otto plan`.

use clap::Args;

use super::globals::{Globals, block_on, print_json};
use super::selection::SelectionArgs;
use crate::model::Plan;
use crate::ops::{self, Result, Wishes};
use crate::ui::{render_costs, render_plan, render_resources};

/// Show what `up` would do; change nothing
#[derive(Args, Clone, Debug, Default)]
pub(super) struct PlanArgs {
    /// What to look at.
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// As `up --force` would
    #[arg(long)]
    pub(super) force: bool,
    /// As `up --rebuild` would
    #[arg(long)]
    pub(super) rebuild: bool,
    /// Show resources and values too: Terraform is asked, and changes nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// As `up --refresh-images` would
    #[arg(long)]
    pub(super) refresh_images: bool,
    /// Exit with 10 when something would be done
    #[arg(long)]
    pub(super) exit_code: bool,
    /// One JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &PlanArgs) -> Result<u8> {
    let session = globals.session(args.json)?;
    let selection = args.selection.selection(&session.world.vars);
    let wishes = Wishes { force: args.force, rebuild: args.rebuild, refresh: args.refresh_images, ..Wishes::default() };
    let report = block_on(ops::plan::plan(&session.world, &selection, wishes, args.diff))?;
    let plan = Plan { units: report.units.clone() };
    if args.json {
        print_json(&session.out, &report);
    } else {
        session.out.data(&render_plan(&plan, session.term.out_theme(), session.term.out_width()));
        if args.diff {
            session.out.data(&format!("\n{}", render_resources(&report.changes, session.term.out_theme())));
        }
    }
    if !args.json && !report.costs.is_empty() {
        session.out.data(&format!("\n{}", render_costs(&report, session.term.out_theme())));
    }
    // Tests change nothing: a plan of nothing but tests has no changes pending.
    let pending = plan.to_run().any(|u| u.stage != crate::model::Stage::Test);
    Ok(match () {
        () if report.lacks_tools => ops::exit::TOOL,
        () if report.lacks_credentials => ops::exit::CREDENTIALS,
        () if args.exit_code && pending => ops::exit::CHANGES,
        () => ops::exit::OK,
    })
}
