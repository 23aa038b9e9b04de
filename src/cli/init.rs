//! `otto init`.

use clap::Args;

use super::globals::{Globals, Session};
use crate::ops::{self, Result};

/// Write a project to start from: two sites on this machine
///
/// On a terminal it asks for a name, a provider and a domain; everywhere else, and with --yes, it asks nothing.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  otto init demo\n  otto init shop --yes --domain shop.localhost\n  otto init --update"
)]
pub(super) struct InitArgs {
    /// Where [default: the current folder]
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<String>,
    /// Ask nothing
    #[arg(short, long)]
    pub(super) yes: bool,
    /// The project's name [default: the folder's]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Where hosts run [default: local]
    #[arg(long, value_name = "PROVIDER")]
    pub(super) provider: Option<String>,
    /// The first site's domain [default: hello.localhost]
    #[arg(long, value_name = "DOMAIN")]
    pub(super) domain: Option<String>,
    /// Merge this otto's roles, roots and templates into the project; your changes stay, conflicts are marked
    #[arg(long, conflicts_with_all = ["name", "provider", "domain"])]
    pub(super) update: bool,
}

/// Runs it.
pub(super) fn run(globals: &Globals, args: &InitArgs) -> Result<u8> {
    let session = globals.session(false)?;
    if args.update {
        return update(&session, args.folder.as_deref());
    }
    let wanted = ops::init::Wanted {
        folder: args.folder.clone(),
        yes: args.yes,
        name: args.name.clone(),
        provider: args.provider.clone(),
        domain: args.domain.clone(),
    };
    let (folder, written) = ops::init::init(&session.world, wanted)?;
    session.out.line(&format!("{} files written to {folder}", written.len()));
    let program = session.term.err_theme().program;
    session.out.hint(&match &args.folder {
        // A program named by its way from here is not found from there.
        Some(there) if program.contains('/') && !program.starts_with('/') => format!("otto up --project {there}"),
        Some(there) => format!("cd {there} && otto up"),
        None => "otto up".to_owned(),
    });
    Ok(ops::exit::OK)
}

fn update(session: &Session, folder: Option<&str>) -> Result<u8> {
    let (_, done) = ops::init::renew(&session.world, folder)?;
    let mut lines = Vec::new();
    for (word, files) in [
        ("updated", &done.written),
        ("merged", &done.merged),
        ("removed", &done.removed),
        ("left alone", &done.left),
        ("conflict", &done.conflicts),
    ] {
        lines.extend(files.iter().map(|file| format!("{word:<11} {file}")));
    }
    if lines.is_empty() {
        session.out.line("everything is this otto's already");
        return Ok(ops::exit::OK);
    }
    session.out.data(&lines.join("\n"));
    if done.conflicts.is_empty() {
        session.out.hint("otto plan");
        return Ok(ops::exit::OK);
    }
    session.out.hint("resolve the places between <<<<<<< and >>>>>>>, then: otto plan");
    Ok(ops::exit::PROJECT)
}
