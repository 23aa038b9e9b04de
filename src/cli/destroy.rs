//! `otto destroy`.

use clap::Args;

use super::globals::Globals;
use super::globals::block_on;
use super::run_args::{RunArgs, finish};
use crate::model::Stage;
use crate::ops::{self, Result, Verb};

/// Take sites down, and look whether everything is gone
///
/// Asks first. A protected deployment needs its name typed, or `--confirm NAME`. Volumes, databases, buckets and snapshots
/// stay unless `--with` names them; the next `up` uses them again.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto destroy dev/local/hello\n  otto destroy --yes\n  otto destroy prod/do/shop --yes --confirm prod/do/shop"
)]
pub(super) struct DestroyArgs {
    /// Common flags.
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// The name of a protected deployment that may go
    #[arg(long, value_name = "NAME")]
    pub(super) confirm: Vec<String>,
    /// A machine of `static` that is gone for good: nothing is taken off it
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(super) lost: Vec<String>,
    /// A resource that holds data and goes as well: its address, or its id
    #[arg(long, value_name = "ADDRESS")]
    pub(super) with: Vec<String>,
    /// Remove the images at the providers that nothing boots from any more, too
    #[arg(long)]
    pub(super) images: bool,
    /// Go on though interrupted work cannot be looked for
    #[arg(long)]
    pub(super) ignore_in_flight: bool,
    /// Arguments for Terraform, or for Ansible where the hosts stay
    #[arg(last = true, value_name = "ARGS")]
    pub(super) passthrough: Vec<String>,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &DestroyArgs) -> Result<u8> {
    let session = globals.session(args.run.json)?;
    let mut request = args.run.request(&session.world, "destroy", Verb::Only(Stage::Destroy));
    request.confirm.clone_from(&args.confirm);
    request.consent.ignore_in_flight = args.ignore_in_flight;
    request.requests.lost.clone_from(&args.lost);
    request.requests.with.clone_from(&args.with);
    request.wishes.with = !args.with.is_empty();
    request.requests.passthrough.clone_from(&args.passthrough);
    let line = request.consent.line.clone();
    block_on(async {
        let report = ops::conduct(&session.world, request).await?;
        let code = finish(&session, args.run.json, &report);
        if code != ops::exit::OK {
            return Ok(code);
        }
        let left = ops::billing_images::left(&session.world, &report, args.images).await?;
        for image in &left.gone {
            session.out.line(&format!("removed  image {image}"));
        }
        for why in &left.failed {
            session.out.warn(&format!("image {why}"));
        }
        if !left.stay.is_empty() {
            session.out.line(&format!("still billing: images {}", left.stay.join(", ")));
            if !args.images {
                session.out.hint(&format!("{line} --images"));
            }
        }
        Ok(if left.failed.is_empty() { code } else { ops::exit::PARTIAL })
    })
}
