//! `otto site`.

use clap::{Args, Subcommand};

use super::complete;
use super::globals::{Globals, print_json};
use crate::ops::{self, Result};
use crate::project::Selection;

/// Show a site's description
#[derive(Args, Clone, Debug)]
pub(super) struct SiteArgs {
    #[command(subcommand)]
    verb: SiteVerb,
}

#[derive(Subcommand, Clone, Debug)]
enum SiteVerb {
    /// Show a site as it is written, or as it is meant
    #[command(after_help = "Example:\n  otto site show hello --resolved --env prod")]
    Show {
        /// The site
        #[arg(value_name = "SITE", add = complete::sites())]
        name: String,
        /// With what all sites share, what differs in the environment, and defaults
        #[arg(long)]
        resolved: bool,
        /// Environment [env: OTTO_ENV]
        #[arg(long, value_name = "ENVIRONMENT", requires = "resolved")]
        env: Option<String>,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &SiteArgs) -> Result<u8> {
    let SiteVerb::Show { name, resolved, env, json } = &args.verb;
    let session = globals.session(*json)?;
    let selection = Selection { environment: env.clone(), ..Selection::default() }.with_defaults(&session.world.vars);
    let shown = ops::site::show(&session.world, name, *resolved, &selection)?;
    if *json {
        print_json(&session.out, &shown);
    } else {
        session.out.data(&shown.text);
    }
    Ok(ops::exit::OK)
}
