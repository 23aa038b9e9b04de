//! `otto state`.

use clap::{Args, Subcommand};

use super::globals::{Globals, block_on};
use super::run_args::{RunArgs, finish};
use crate::model::Stage;
use crate::ops::{self, Result, Verb};

/// Show the store and its copies, or bring a lost one back
#[derive(Args, Clone, Debug)]
pub(super) struct StateArgs {
    #[command(subcommand)]
    verb: StateVerb,
}

#[derive(Subcommand, Clone, Debug)]
enum StateVerb {
    /// Where the store is, what it holds, which copies there are
    Show,
    /// Put a copy back where the store is missing or damaged; never overwrites a usable one
    Restore {
        /// The beginning of a copy's name [default: the newest of this project]
        #[arg(value_name = "COPY")]
        copy: Option<String>,
    },
    /// Take over what Terraform made without otto; its state is copied (or stays in its backend), nothing is changed
    Adopt {
        /// The deployment it becomes, such as `dev/shop/web`
        #[arg(value_name = "DEPLOYMENT")]
        deployment: String,
        /// A state file [default: terraform.tfstate in the root, or the workspace that provider.yaml names]
        #[arg(long, value_name = "FILE")]
        from: Option<String>,
        /// Install a missing tool without asking
        #[arg(short, long)]
        yes: bool,
    },
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &StateArgs) -> Result<u8> {
    if let StateVerb::Adopt { deployment, from, yes } = &args.verb {
        let session = globals.session(false)?;
        let flags = RunArgs { yes: *yes, ..RunArgs::default() };
        let request = flags.request(&session.world, "adopt", Verb::Only(Stage::Provision));
        let report = block_on(ops::adopt::adopt(&session.world, deployment, from.as_deref(), request))?;
        return Ok(finish(&session, false, &report));
    }
    let session = globals.session(false)?;
    let out = &session.out;
    match &args.verb {
        StateVerb::Show => {
            let shown = ops::state::show(&session.world)?;
            out.data(&format!("folder   {}\n", shown.home));
            match &shown.store {
                Ok(id) => out.data(&format!("store    {id}\n")),
                Err(why) => out.data(&format!("store    unusable: {why}\n")),
            }
            let exists = if shown.exists.is_empty() { "nothing".to_owned() } else { shown.exists.join(", ") };
            out.data(&format!("exists   {exists}\n"));
            out.data(&format!("copies   {}\n", shown.copies.len()));
            for copy in &shown.copies {
                let holds = if copy.exists.is_empty() { "nothing".to_owned() } else { copy.exists.join(", ") };
                out.data(&format!(
                    "  {}  of {}  holds {holds}\n",
                    copy.folder.file_name().unwrap_or_default(),
                    copy.project_folder
                ));
            }
        }
        StateVerb::Restore { copy } => {
            let (copy, _) = ops::state::restore(&session.world, copy.as_deref())?;
            let holds = if copy.exists.is_empty() { "nothing that exists".to_owned() } else { copy.exists.join(", ") };
            out.line(&format!("restored the copy of {}: {holds}", copy.at));
            out.hint("otto status");
        }
        // Above: it is a run.
        StateVerb::Adopt { .. } => {}
    }
    Ok(ops::exit::OK)
}
