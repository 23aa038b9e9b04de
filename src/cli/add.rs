//! `otto add`.

use clap::{Args, ValueEnum};

use super::globals::Globals;
use crate::ops::{self, Result, add::What};

/// What can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// A site: `sites/NAME/`
    Site,
    /// A provider: a Terraform root in `clowd/provision/NAME/`
    Provider,
    /// An appliance: a Packer template in `images/NAME/`
    Appliance,
}

/// Write the files of a new site, provider or appliance
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  otto add site shop\n  otto add provider mycloud\n  otto add appliance varnish")]
pub(super) struct AddArgs {
    /// What
    #[arg(value_name = "PART")]
    pub(super) part: Part,
    /// Its name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// The site's domain [default: NAME.localhost]
    #[arg(long, value_name = "DOMAIN")]
    pub(super) domain: Option<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &AddArgs) -> Result<u8> {
    let session = globals.session(false)?;
    let what = match args.part {
        Part::Site => What::Site,
        Part::Provider => What::Provider,
        Part::Appliance => What::Appliance,
    };
    let written = ops::add::add(&session.world, what, &args.name, args.domain.as_deref())?;
    session.out.data(&written.iter().map(|path| path.as_str()).collect::<Vec<_>>().join("\n"));
    session.out.hint(match what {
        What::Site => "otto plan",
        What::Provider => "fill in main.tf and outputs.tf, then: otto plan",
        What::Appliance => "name it in a site as `image:`, then: otto plan",
    });
    Ok(ops::exit::OK)
}
